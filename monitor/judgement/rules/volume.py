"""Rules on how much a feed delivers, against the unit's own usual days: sudden drop, surge, steady decline. Core."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations
from math import exp, log, sqrt
from statistics import fmean, median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.facts import CityFacts, DayKind, FeedFacts, UnitFacts
from monitor.judgement.rules.usual import HISTORY, LEAST_HISTORY, Level, levels, ordinary_days
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict

DROP, SURGE, DECLINE = "sudden_drop", "surge", "steady_decline"
_LEAST_MIDDLE: Final = 20
"""Documents a day below which a feed is too small for shares to mean anything."""
_RUN: Final = 2
"""Own days in a row: a single strange day happens to everybody."""
_LOW: Final = 0.45
_LOWEST: Final = 0.7
"""Below this share of the usual, and of the lowest day of the weeks before."""
_HIGH: Final = 2.2
_HIGHEST: Final = 1.4
_DISTANCE: Final = 4.0
"""Noises from the middle, on two days in a row: the chance of that is below one in a hundred million. A longer run may lie
nearer, a single day of it too, to this:"""
_LEAST_DISTANCE: Final = 2.0
_CERTAIN: Final = 0.1
"""One day below a tenth of the usual is enough, when no day of the weeks before came near it."""
_LONGEST: Final = 28
_TREND: Final = 14
"""Own days over which a decline is measured."""
_TREND_BEFORE: Final = 7
_DECLINE: Final = 0.6
_CONCORDANCE: Final = 3.3
"""Kendall's S in its standard deviations; iid noise exceeds it on one fortnight in two thousand, and seldom falls 40 % then."""
_LEAST_UNITS: Final = 8


def city_shifts(city: CityFacts) -> Mapping[Feed, Mapping[date, float]]:
    """By feed and date, the median over all units of ln(records / usual). Fewer than eight units say nothing."""
    found: dict[Feed, dict[date, list[float]]] = {feed: {} for feed in Feed}
    for unit in city.units:
        for feed, facts in unit.feeds.items():
            days = ordinary_days(facts, city)
            if len(days) < LEAST_HISTORY:
                continue
            usual = levels(days, facts.records, city)
            for day in days:
                level = _level(usual, day, city)
                if level is not None:
                    found[feed].setdefault(day, []).append(log(facts.records[day] + 1) - log(level.middle + 1))
    return {
        feed: {day: median(ratios) for day, ratios in by_day.items() if len(ratios) >= _LEAST_UNITS}
        for feed, by_day in found.items()
    }


def sudden_change(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """1 drop, 2 surge: the longest run of newest days that all lie far from the days before them."""
    for feed, facts in unit.feeds.items():
        days = [day for day in ordinary_days(facts, city) if facts.records[day] > 0]
        if len(days) < LEAST_HISTORY + 1:
            if days:
                yield NotEnoughHistory(DROP, feed)
                yield NotEnoughHistory(SURGE, feed)
            continue
        yield from _changed(unit, feed, facts, days, city)


def _changed(unit: UnitFacts, feed: Feed, facts: FeedFacts, days: Sequence[date], city: CityFacts) -> Iterable[Outcome]:
    shifts = city.shifts.get(feed, {})
    for length in range(min(_LONGEST, len(days) - LEAST_HISTORY), 0, -1):
        run, before = days[-length:], days[:-length]
        usual = levels(before, facts.records, city)
        judged = [(day, level) for day in run if (level := _level(usual, day, city)) and level.middle >= _LEAST_MIDDLE]
        if not judged:
            continue
        least = min(_RUN, len(run))
        low = [(facts.records[day] / min(exp(shifts.get(day, 0)), 1.0), level) for day, level in judged]
        if len(judged) >= least and (_all_low(low) if length >= _RUN else _next_to_nothing(*low[0])):
            yield _verdict(DROP, unit, feed, facts, judged)
            return
        high = [(facts.records[day] / max(exp(shifts.get(day, 0)), 1.0), level) for day, level in judged]
        if length >= _RUN and _all_high(high):
            yield _verdict(SURGE, unit, feed, facts, judged)
            return


def _next_to_nothing(records: float, level: Level) -> bool:
    return records < _CERTAIN * min(level.middle, level.lowest) and level.distance(int(records)) < -_DISTANCE


def _all_low(run: Sequence[tuple[float, Level]]) -> bool:
    """Hysteresis is in the comparison: a run is compared with the days before it, not with itself."""
    distances = [level.distance(int(records)) for records, level in run]
    below = [log(records + 1) - log(level.lowest + 1) for records, level in run]
    each = all(records < _LOW * level.middle and records < level.lowest for records, level in run)
    return each and fmean(below) < log(_LOWEST) and max(distances) < -_LEAST_DISTANCE and _apart(distances) < -_DISTANCE


def _all_high(run: Sequence[tuple[float, Level]]) -> bool:
    distances = [level.distance(int(records)) for records, level in run]
    above = [log(records + 1) - log(level.highest + 1) for records, level in run]
    each = all(records > _HIGH * level.middle and records > level.highest for records, level in run)
    return each and fmean(above) > log(_HIGHEST) and min(distances) > _LEAST_DISTANCE and _apart(distances) > _DISTANCE


def _apart(distances: Sequence[float]) -> float:
    """How far from the middle each of two days would lie that are together as unusual as the run."""
    return sum(distances) / sqrt(len(distances)) / sqrt(2)


def _verdict(rule: str, unit: UnitFacts, feed: Feed, facts: FeedFacts, judged: Sequence[tuple[date, Level]]) -> Verdict:
    since = judged[0][0]
    records = sum(facts.records[day] for day, _ in judged)
    usual = sum(level.middle for _, level in judged)
    share = records / max(usual, 1)
    word_zh, word_en = ("骤降", "dropped") if rule == DROP else ("激增", "surged")
    percent = f"{share * 100:.0f}"
    return Verdict(
        rule,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}自 {since} 起{word_zh}至平日的 {percent}%",
            f"{unit.unit.name_en}: the {feed} feed has {word_en} to {percent} % of its usual since {since}",
        ),
        Text(
            f"请核对 {since} 以来的{FEED_ZH[feed]}:日均 {records // len(judged)} 条,平日约 {usual / len(judged):.0f} 条。",
            f"Please check the {feed} uploads since {since}: {records // len(judged)} documents a day, "
            f"usually about {usual / len(judged):.0f}.",
        ),
        feed,
        unit.unit.unit_id,
        {"days": len(judged), "records": records, "usual": round(usual), "share": round(share, 3)},
        max(0, round(usual) - records),
        min(10.0, abs(log(max(share, 1e-4))) * 3),
    )


def steady_decline(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """Over a fortnight nearly every day is lower than those before it, and the end lies 40 % below the beginning."""
    for feed, facts in unit.feeds.items():
        days = [day for day in ordinary_days(facts, city) if facts.records[day] > 0][-HISTORY:]
        if len(days) < _TREND + _TREND_BEFORE:
            if days:
                yield NotEnoughHistory(DECLINE, feed)
            continue
        usual = levels(days, facts.records, city)
        shifts = city.shifts.get(feed, {})
        series = [
            (day, log(facts.records[day] + 1) - log(level.middle + 1) - shifts.get(day, 0))
            for day in days[-_TREND:]
            if (level := _level(usual, day, city)) and level.middle >= _LEAST_MIDDLE
        ]
        before = [
            log(facts.records[day] + 1) - log(level.middle + 1) - shifts.get(day, 0)
            for day in days[:-_TREND]
            if (level := _level(usual, day, city))
        ]
        if len(series) < _TREND - 2 or not before or not _declines([value for _, value in series], median(before)):
            continue
        yield _declined(unit, feed, series, facts)


def _declines(values: Sequence[float], before: float) -> bool:
    """Whether it falls day by day, to below what it was before the fortnight, too: after a surge it only falls back."""
    size = len(values)
    concordance = sum((late > early) - (late < early) for early, late in combinations(values, 2))
    deviation = (size * (size - 1) * (2 * size + 5) / 18) ** 0.5
    third = size // 3
    parts = [median(values[:third]), median(values[third:-third]), median(values[-third:])]
    falls = concordance <= -_CONCORDANCE * deviation and parts[0] > parts[1] > parts[2]
    return falls and parts[2] - parts[0] < log(_DECLINE) and parts[2] - before < log(_DECLINE)


def _declined(unit: UnitFacts, feed: Feed, series: Sequence[tuple[date, float]], facts: FeedFacts) -> Verdict:
    since, last = series[0][0], series[-1][0]
    share = exp(median([value for _, value in series[-4:]]) - median([value for _, value in series[:4]]))
    return Verdict(
        DECLINE,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}自 {since} 起持续下降,现为当时的 {share * 100:.0f}%",
            f"{unit.unit.name_en}: the {feed} feed has declined steadily since {since}, to {share * 100:.0f} % of what it was",
        ),
        Text(
            f"两周来{FEED_ZH[feed]}逐日减少,请检查是否有科室或接口退出上传。",
            f"The {feed} uploads have shrunk for two weeks: has a department or an interface dropped out?",
        ),
        feed,
        unit.unit.unit_id,
        {"days": len(series), "share": round(share, 3), "last_day": str(last), "last_records": facts.records[last]},
        round(facts.records[last] * max(0.0, 1 / max(share, 0.01) - 1) * len(series) / 2),
        min(10.0, -log(max(share, 1e-4)) * 3),
    )


def _level(usual: Mapping[DayKind, Level], day: date, city: CityFacts) -> Level | None:
    kind = city.kind(day)
    return None if kind is None else usual.get(kind)


FAMILY: Final = Family(
    (
        Rule(
            DROP,
            Text("上传量骤降", "Sudden drop"),
            "two own days in a row below 45 % of the usual for such days and below every day of the weeks before but one "
            "(or one day below a tenth)",
            "10 own days",
            Severity.TICKET,
        ),
        Rule(
            DECLINE,
            Text("持续下降", "Steady decline"),
            "a fortnight of falling days (Kendall's S below −3.3 deviations) that ends 40 % below its beginning "
            "and the time before it",
            "21 own days",
            Severity.TICKET,
        ),
        Rule(
            SURGE,
            Text("上传量激增", "Surge"),
            "two own days in a row above 2.2 times the usual and above every day of the weeks before but one",
            "10 own days",
            Severity.TICKET,
        ),
    ),
    (sudden_change, steady_decline),
)
