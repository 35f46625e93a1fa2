"""Rules on numbers that cannot be: ratios far from all peers' and from the unit's own past, one upload of millions. Core."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import exp, log
from statistics import median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.facts import CityFacts, Sums, UnitFacts, UnitMonth
from monitor.judgement.rules.usual import LEAST_HISTORY
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict, named_tables

RATIO, HUGE = "implausible_ratio", "implausible_upload"
_LEAST_DAYS: Final = 7
_PEERS: Final = 8
_FACTOR: Final = 10.0
_NOISES: Final = 5.0
_OWN_FACTOR: Final = 8.0
_OWN_DAYS: Final = 2
_HUGE: Final = 10_000_000
"""Documents per upload that no table of one unit has in a day: the whole city has ten million a day."""
_HUGE_OWN: Final = 1_000_000
_HUGE_FACTOR: Final = 300
_MAD_TO_SIGMA: Final = 1.4826


@dataclass(frozen=True)
class _Ratio:
    """`over` for one of `under`; `scale`: cents are told in yuan. `low`: whether too little is strange too."""

    over: str
    under: str
    zh: str
    en: str
    scale: int
    low: bool


RATIOS: Final = (
    _Ratio("inpatient_cents", "discharges", "每出院人次住院收入(元)", "yuan per discharge", 100, True),
    _Ratio("outpatient_cents", "visits", "每门急诊人次收入(元)", "yuan per visit", 100, True),
    _Ratio("records", "visits", "每门急诊人次文档数", "documents per visit", 1, False),
)


def implausible_ratio(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """1 the newest days against the unit's own past, 2 the month against the peers; the worst ratio speaks."""
    month = city.months[unit.unit.unit_id]
    if len(month.upload_days) < _LEAST_DAYS:
        if month.upload_days:
            yield NotEnoughHistory(RATIO, Feed.SCHEDULED)
        return
    found = [verdict for ratio in RATIOS for verdict in (_own(ratio, unit), _among_peers(ratio, unit, month, city)) if verdict]
    if found:
        yield max(found, key=lambda verdict: verdict.unusual)


def _own(ratio: _Ratio, unit: UnitFacts) -> Verdict | None:
    facts = unit.feeds[Feed.SCHEDULED]
    values = [
        (day, value)
        for day in facts.own_days
        if day in unit.measures and (value := _value(ratio, unit.measures[day], facts.records[day]))
    ]
    for run in range(_OWN_DAYS, len(values) - LEAST_HISTORY + 1):
        since, newest = values[-run][0], [value for _, value in values[-run:]]
        before = [value for _, value in values[:-run]]
        usual = median(before)
        alike = max(before) <= _OWN_FACTOR * usual and usual <= _OWN_FACTOR * min(before)
        if alike and min(newest) > _OWN_FACTOR * usual:
            return _ratio_verdict(ratio, unit, since, median(newest), usual, Text("平日", "its usual"))
    return None


def _among_peers(ratio: _Ratio, unit: UnitFacts, month: UnitMonth, city: CityFacts) -> Verdict | None:
    mine = _value(ratio, month.measures, month.records)
    kinds = {other.unit.unit_id: other.unit.kind for other in city.units}
    peers = [
        value
        for unit_id, facts in city.months.items()
        if unit_id != unit.unit.unit_id
        and kinds[unit_id] is unit.unit.kind
        and (value := _value(ratio, facts.measures, facts.records))
    ]
    if mine is None or len(peers) < _PEERS:
        return None
    middle = median(log(value) for value in peers)
    noise = _MAD_TO_SIGMA * median(abs(log(value) - middle) for value in peers)
    distance = log(mine) - middle
    if (abs(distance) if ratio.low else distance) < max(log(_FACTOR), _NOISES * noise):
        return None
    return _ratio_verdict(ratio, unit, city.period.first, mine, exp(middle), Text("同类单位中位数", "its peers' median"))


def _value(ratio: _Ratio, measures: Measures, records: int) -> float | None:
    over = records if ratio.over == "records" else getattr(measures, ratio.over)
    under = getattr(measures, ratio.under)
    return over / under / ratio.scale if over and under else None


def _ratio_verdict(ratio: _Ratio, unit: UnitFacts, since: date, value: float, usual: float, whose: Text) -> Verdict:
    return Verdict(
        RATIO,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}:{ratio.zh} {value:,.0f},{whose.zh} {usual:,.0f}",
            f"{unit.unit.name_en}: {value:,.0f} {ratio.en}, {whose.en} is {usual:,.0f}",
        ),
        Text(
            f"请核对分子与分母两处的填报:{ratio.zh}不合常理。",
            f"Please check both numbers behind '{ratio.en}': it cannot be right.",
        ),
        Feed.SCHEDULED,
        unit.unit.unit_id,
        {"ratio": ratio.en, "value": round(value, 1), "usual": round(usual, 1)},
        0,
        min(8.0, abs(log(value / usual)) * 1.5),
    )


def implausible_upload(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """A table's uploads of one date hold ten million documents each, or a million and 300 times the unit's usual."""
    for feed, facts in unit.feeds.items():
        usual = _usual_upload(unit, feed)
        huge = [
            (_each(sums), day, code, sums.records)
            for day, codes in facts.days.items()
            for code, sums in codes.items()
            if _each(sums) >= min(_HUGE, max(_HUGE_OWN, _HUGE_FACTOR * usual.get(code, _HUGE)))
        ]
        if huge:
            yield _huge(unit, feed, max(huge, key=lambda upload: upload[0]), city)


def _each(sums: Sums) -> float:
    """Documents of one upload."""
    return sums.records / max(sums.events, 1)


def _usual_upload(unit: UnitFacts, feed: Feed) -> Mapping[str, float]:
    by_code: dict[str, list[float]] = {}
    for codes in unit.feeds[feed].days.values():
        for code, sums in codes.items():
            by_code.setdefault(code, []).append(_each(sums))
    return {code: median(sizes) for code, sizes in by_code.items() if len(sizes) >= LEAST_HISTORY}


def _huge(unit: UnitFacts, feed: Feed, worst: tuple[float, date, str, int], city: CityFacts) -> Verdict:
    each, day, code, records = worst
    name = named_tables([code], city.register)
    return Verdict(
        HUGE,
        Severity.TICKET,
        day,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}:{day} 的{name.zh}一次上传 {each:,.0f} 条,不合常理",
            f"{unit.unit.name_en}, {feed}: uploads of {each:,.0f} documents of {name.en} for {day}",
        ),
        Text(
            f"请核对 {day} {name.zh} 的数量({records:,} 条)并说明。",
            f"Please check the {records:,} documents of {name.en} for {day}.",
        ),
        feed,
        unit.unit.unit_id,
        {"code": code, "date": str(day), "records": records, "per_upload": round(each)},
        0,
        10.0,
    )


FAMILY: Final = Family(
    (
        Rule(
            HUGE,
            Text("单次上传量不合理", "Implausible upload"),
            "a table's uploads of one date hold ten million documents each, or a million and 300 times the unit's usual",
            "none",
            Severity.TICKET,
        ),
        Rule(
            RATIO,
            Text("比值不合理", "Implausible ratio"),
            "ten times and five noises from the peers of the month, or two days in a row eight times the unit's own",
            "7 days of the month, 8 peers",
            Severity.TICKET,
        ),
    ),
    (implausible_upload, implausible_ratio),
)
