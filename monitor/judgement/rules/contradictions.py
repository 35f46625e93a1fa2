"""Rules on measures that contradict each other: revenue without visits, inpatient revenue without discharges, and back. Core.

Two predicates for each pair: over the whole month (against what the city's units usually earn for one visit or discharge), and
over the newest own days (against the unit's own past), so that what stops today is told in two days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import log10
from statistics import median
from typing import Final

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.facts import CityFacts, UnitFacts
from monitor.judgement.rules.usual import HISTORY, LEAST_HISTORY
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict
from schemas.bulletin.columns import CENTS_PER_KCNY

_EXPECTED: Final = 10
"""Visits or discharges that the revenue stands for, at least: a small ward may have a month without any."""
_LEAST_DAYS: Final = 7
_PEERS: Final = 3
_ENOUGH: Final = 6.0
_SOLID: Final = 5
_SOLID_DAY: Final = 3.0
"""As for dead tables: digits of the chance that the count was nothing on those days by the unit's own past."""


@dataclass(frozen=True)
class _Pair:
    """`there` is carried while `gone` is not. `money`: `there` is in cents, and stands for so many of `gone`."""

    rule: str
    there: str
    gone: str
    money: bool
    there_zh: str
    gone_zh: str
    there_en: str
    gone_en: str


_VISITS = ("门急诊人次", "outpatient visits")
_DISCHARGES = ("出院人次", "discharges")
_OUTPATIENT = ("门急诊收入", "outpatient revenue")
_INPATIENT = ("住院收入", "inpatient revenue")
PAIRS: Final = (
    _Pair("revenue_without_visits", "outpatient_cents", "visits", True, _OUTPATIENT[0], _VISITS[0], _OUTPATIENT[1], _VISITS[1]),
    _Pair(
        "revenue_without_discharges",
        "inpatient_cents",
        "discharges",
        True,
        _INPATIENT[0],
        _DISCHARGES[0],
        _INPATIENT[1],
        _DISCHARGES[1],
    ),
    _Pair("visits_without_revenue", "visits", "outpatient_cents", False, _VISITS[0], _OUTPATIENT[0], _VISITS[1], _OUTPATIENT[1]),
    _Pair(
        "discharges_without_revenue",
        "discharges",
        "inpatient_cents",
        False,
        _DISCHARGES[0],
        _INPATIENT[0],
        _DISCHARGES[1],
        _INPATIENT[1],
    ),
)


def contradictions(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """For each pair: 1 the run of newest days, 2 the month."""
    days = [day for day in unit.feeds[Feed.SCHEDULED].own_days if day in unit.measures]
    for pair in PAIRS:
        since = _stopped(pair, [(day, unit.measures[day]) for day in days])
        month = city.months[unit.unit.unit_id]
        if since is None and len(month.upload_days) < _LEAST_DAYS:
            if month.upload_days:
                yield NotEnoughHistory(pair.rule, Feed.SCHEDULED)
            continue
        if since is None and not _contradicts(pair, month.measures, city):
            continue
        carried = month.measures
        if since is not None:
            carried = Measures(*(_sum(unit.measures[day][place] for day in days if day >= since) for place in range(4)))
        yield _verdict(pair, unit, since or city.period.first, carried)


def _stopped(pair: _Pair, days: Sequence[tuple[date, Measures]]) -> date | None:
    """Since when the count stays away, if its absence is beyond chance; None otherwise."""
    there = [(day, measures) for day, measures in days if getattr(measures, pair.there)]
    run = next((n for n, (_, measures) in enumerate(reversed(there)) if getattr(measures, pair.gone)), len(there))
    before = [getattr(measures, pair.gone) or 0 for _, measures in there[: len(there) - run]][-HISTORY:]
    if not run or len(before) < LEAST_HISTORY:
        return None
    solid = min(before) >= _SOLID
    digits = _SOLID_DAY if solid else -log10((sum(not count for count in before) + 0.5) / (len(before) + 1))
    return there[-run][0] if run * digits >= _ENOUGH else None


def _contradicts(pair: _Pair, measures: Measures, city: CityFacts) -> bool:
    """The month carries one and nothing of the other, though it stands for ten at least and the city's units carry both."""
    there, gone = getattr(measures, pair.there), getattr(measures, pair.gone)
    if not there or gone:
        return False
    others = [month.measures for month in city.months.values()]
    both = [getattr(m, pair.there) / getattr(m, pair.gone) for m in others if getattr(m, pair.there) and getattr(m, pair.gone)]
    alone = sum(1 for m in others if getattr(m, pair.there) and not getattr(m, pair.gone))
    if len(both) < _PEERS or (not pair.money and alone > len(both)):
        return False
    return bool(there >= _EXPECTED * (median(both) if pair.money else 1))


def _verdict(pair: _Pair, unit: UnitFacts, since: date, measures: Measures) -> Verdict:
    there = getattr(measures, pair.there)
    amount = f"{there / CENTS_PER_KCNY:,.2f}" if pair.money else f"{there:,}"
    zh, en = (f"{amount} 千元", f"{amount} thousand yuan") if pair.money else (amount, amount)
    return Verdict(
        pair.rule,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}:自 {since} 起有{pair.there_zh}({zh}),无{pair.gone_zh}",
            f"{unit.unit.name_en}: {pair.there_en} of {en} since {since}, and no {pair.gone_en}",
        ),
        Text(
            f"请核对承载{pair.gone_zh}的表是否上传、字段是否填报。",
            f"Please check whether the table that carries the {pair.gone_en} is uploaded and filled in.",
        ),
        Feed.SCHEDULED,
        unit.unit.unit_id,
        {pair.there: there, pair.gone: 0},
        0,
        5.0,
    )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


_FIRES: Final = (
    "the month carries it for ten at least (by the city's median) and nothing of the other; "
    "or the unit's newest days do, by its own past beyond chance"
)
FAMILY: Final = Family(
    tuple(
        Rule(
            pair.rule,
            Text(f"有{pair.there_zh}无{pair.gone_zh}", f"{pair.there_en[0].upper()}{pair.there_en[1:]} without {pair.gone_en}"),
            _FIRES,
            "7 days of the month",
            Severity.TICKET,
        )
        for pair in PAIRS
    ),
    (contradictions,),
)
