"""Rules on how much a feed delivers, against the unit's own usual days: sudden drop, surge, steady decline. Core."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import exp, log
from statistics import median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.facts import CityFacts, DayKind, FeedFacts, UnitFacts
from monitor.judgement.rules.change import all_high, all_low, declines, next_to_nothing
from monitor.judgement.rules.usual import HISTORY, LEAST_HISTORY, Level, levels, ordinary_days
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict, counted

DROP, SURGE, DECLINE = "sudden_drop", "surge", "steady_decline"
_LEAST_MIDDLE: Final = 20
"""Documents a day below which a feed is too small for shares to mean anything."""
_RUN: Final = 2
"""Own days in a row: a single strange day happens to everybody."""
_LONGEST: Final = 28
_TREND: Final = 14
"""Own days over which a decline is measured."""
_TREND_BEFORE: Final = 7
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
                level = usual.get(city.kind(day))
                if level is not None:
                    found[feed].setdefault(day, []).append(log(facts.records[day] + 1) - log(level.middle + 1))
    return {
        feed: {day: median(ratios) for day, ratios in by_day.items() if len(ratios) >= _LEAST_UNITS}
        for feed, by_day in found.items()
    }


def sudden_change(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """1 drop, 2 surge: the longest run of newest days that all lie far from the days before them."""
    for feed, facts in unit.feeds.items():
        days = _days_with_documents(facts, city)
        if len(days) > LEAST_HISTORY:
            yield from _changed(unit, feed, facts, days, city)
        elif days:
            yield NotEnoughHistory(DROP, feed)
            yield NotEnoughHistory(SURGE, feed)


def _changed(unit: UnitFacts, feed: Feed, facts: FeedFacts, days: Sequence[date], city: CityFacts) -> Iterable[Outcome]:
    def shift(day: date) -> float:
        return city.shifts[feed].get(day, 0.0)

    for length in range(min(_LONGEST, len(days) - LEAST_HISTORY), 0, -1):
        usual = levels(days[:-length], facts.records, city)
        judged = [(day, level) for day in days[-length:] if (level := _level(usual, day, city))]
        if len(judged) < min(_RUN, length):
            continue
        low = [(facts.records[day] / exp(min(shift(day), 0.0)), level) for day, level in judged]
        high = [(facts.records[day] / exp(max(shift(day), 0.0)), level) for day, level in judged]
        if all_low(low) if length >= _RUN else next_to_nothing(*low[0]):
            yield _verdict(DROP, unit, feed, facts, judged)
            return
        if length >= _RUN and all_high(high):
            yield _verdict(SURGE, unit, feed, facts, judged)
            return


def _verdict(rule: str, unit: UnitFacts, feed: Feed, facts: FeedFacts, judged: Sequence[tuple[date, Level]]) -> Verdict:
    since = judged[0][0]
    records = sum(facts.records[day] for day, _ in judged)
    usual = sum(level.middle for _, level in judged)
    share = records / usual
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
            f"请核对 {since} 以来的{FEED_ZH[feed]}:日均 {records // len(judged):,} 条,平日约 {usual / len(judged):,.0f} 条。",
            f"Please check the {feed} uploads since {since}: {counted(records // len(judged), 'document')} a day, "
            f"usually about {usual / len(judged):,.0f}.",
        ),
        feed,
        unit.unit.unit_id,
        {"days": len(judged), "records": records, "usual": round(usual), "share": round(share, 3)},
        max(0, round(usual) - records),
        min(10.0, abs(log(share)) * 3),
    )


def steady_decline(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """Over a fortnight nearly every day is lower than those before it, and the end lies 40 % below the beginning."""
    for feed, facts in unit.feeds.items():
        days = _days_with_documents(facts, city)[-HISTORY:]
        if len(days) < _TREND + _TREND_BEFORE:
            if days:
                yield NotEnoughHistory(DECLINE, feed)
            continue
        usual = levels(days, facts.records, city)
        ratios = {
            day: log(facts.records[day] + 1) - log(level.middle + 1) - city.shifts[feed].get(day, 0.0)
            for day in days
            if (level := _level(usual, day, city))
        }
        series = [(day, ratios[day]) for day in days[-_TREND:] if day in ratios]
        before = [ratios[day] for day in days[:-_TREND] if day in ratios]
        if len(series) >= _TREND - 2 and before and declines([ratio for _, ratio in series], median(before)):
            yield _declined(unit, feed, series, facts)


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
        round(facts.records[last] * (1 / share - 1) * len(series) / 2),
        min(10.0, -log(share) * 3),
    )


def _days_with_documents(facts: FeedFacts, city: CityFacts) -> Sequence[date]:
    return [day for day in ordinary_days(facts, city) if facts.records[day]]


def _level(usual: Mapping[DayKind | None, Level], day: date, city: CityFacts) -> Level | None:
    """What is usual for such days; None where that is not known, or too little to be compared with."""
    level = usual.get(city.kind(day))
    return level if level and level.middle >= _LEAST_MIDDLE else None


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
