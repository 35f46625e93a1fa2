"""Rules on dates and tables that a unit owes: missing days, backfill debt, month-end cramming. Core."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from statistics import median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.facts import LOOK_BACK, CityFacts, FeedFacts, UnitFacts
from monitor.judgement.rules.expected_days import expected_days, missing_days
from monitor.judgement.rules.usual import LEAST_HISTORY
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict, counted

MISSING, DEBT, CRAMMED = "missing_days", "backfill_debt", "month_end_cramming"
_TICKET_FROM: Final = 3
"""Days; one or two are told in the summary: they are asked for, and nobody is called."""
_LATER: Final = 2
"""Dates that came after a missing one: until then it may be on its way."""
_SOLID: Final = 0.97
"""A table is owed for a date when the unit delivers it on this share of its dates, but for two stretches of days at most."""
_STRETCHES: Final = 2
_OFTEN: Final = 0.7
"""Share of its dates on which it has come for all that."""
_SOLID_RECORDS: Final = 5
_CRAM_DAYS: Final = 3
"""Days at the end of a month, and as many at the beginning of the next, in which the print is made."""
_CRAM_LAG: Final = 5
_CRAMMED: Final = 0.5
_DAY: Final = timedelta(days=1)


def missing(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """Dates of the judged month that are owed and did not come, once two later dates came."""
    for feed, facts in unit.feeds.items():
        if not facts.own_days:
            continue
        passed = facts.own_days[-_LATER:][0]
        days = [day for day in missing_days(facts, city, city.period.first, city.period.last) if day < passed]
        if days:
            yield _missing(unit, feed, facts, days, city)
        elif not expected_days(facts, city, city.period.first, city.period.last):
            yield NotEnoughHistory(MISSING, feed)


def _missing(unit: UnitFacts, feed: Feed, facts: FeedFacts, days: Sequence[date], city: CityFacts) -> Verdict:
    month = city.period
    seen = sum(1 for day in facts.own_days if month.first <= day <= month.last)
    until = min(month.last, facts.complete_until)
    of = (until - month.first).days + 1
    usual = median([facts.records[day] for day in facts.own_days])
    listed = spans(days)
    return Verdict(
        MISSING,
        Severity.TICKET if len(days) >= _TICKET_FROM else Severity.SUMMARY,
        days[0],
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}:{month} 上传 {seen}/{of} 天,缺 {listed}",
            f"{unit.unit.name_en}, {feed}: {seen} of {of} days of {month} came, missing {listed}",
        ),
        Text(f"请补传 {listed} 的{FEED_ZH[feed]}数据。", f"Please send the {feed} data of {listed}."),
        feed,
        unit.unit.unit_id,
        {"dates": [str(day) for day in days], "days_seen": seen, "days_of_month": of},
        round(usual * len(days)),
        min(8.0, 2.0 + len(days) / 2),
    )


def owed(facts: FeedFacts, city: CityFacts) -> Mapping[date, Sequence[str]]:
    """By date, the tables (or forms) that the unit owes: all its solid ones for a missing date, the absent ones otherwise."""
    solid = solid_codes(facts)
    found: dict[date, Sequence[str]] = {}
    for day in expected_days(facts, city, city.today - timedelta(days=LOOK_BACK), facts.complete_until):
        codes = facts.days.get(day, {})
        absent = [code for code, since in solid.items() if code not in codes and day >= since]
        if absent and day < facts.own_days[-_LATER:][0]:
            found[day] = sorted(absent)
    return found


def solid_codes(facts: FeedFacts) -> Mapping[str, date]:
    """Tables that the unit delivers on nearly every date, never few documents of them, and since when."""
    days = facts.own_days
    found = {}
    for code in {code for day in days for code in facts.days[day]}:
        present = [day for day in days if code in facts.days[day]]
        life = [day for day in days if present[0] <= day <= present[-1]]
        apart = sum(sorted(_stretches(life, set(present)))[-_STRETCHES:])
        enough = len(present) >= max(LEAST_HISTORY, _SOLID * (len(life) - apart), _OFTEN * len(life))
        if enough and min(facts.days[day][code].records for day in present) >= _SOLID_RECORDS:
            found[code] = present[0]
    return found


def _stretches(life: Sequence[date], present: Container[date]) -> list[int]:
    """The lengths of the stretches of two days or more in a row on which a table was absent."""
    runs = [sum(1 for _ in run) for here, run in groupby(life, key=lambda day: day in present) if not here]
    return [run for run in runs if run > 1]


def backfill_debt(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """Unit-table-days owed for scheduled dates since the look-back began; open until they are filled."""
    facts = unit.feeds[Feed.SCHEDULED]
    if len(facts.own_days) < LEAST_HISTORY:
        if facts.own_days:
            yield NotEnoughHistory(DEBT, Feed.SCHEDULED)
        return
    debt = owed(facts, city)
    if not debt:
        return
    table_days = sum(len(codes) for codes in debt.values())
    listed = spans(sorted(debt))
    yield Verdict(
        DEBT,
        Severity.SUMMARY,
        min(debt),
        Text(
            f"{unit.unit.name_zh}欠传 {table_days} 个表日({listed})",
            f"{unit.unit.name_en} owes {counted(table_days, 'table-day')} ({listed})",
        ),
        Text(
            f"请补传 {listed} 的所欠表,清单见 hipwatch owed {unit.unit.unit_id}。",
            f"Please backfill {listed}; hipwatch owed {unit.unit.unit_id} lists the tables.",
        ),
        Feed.SCHEDULED,
        unit.unit.unit_id,
        {"table_days": table_days, "dates": [str(day) for day in sorted(debt)]},
        0,
        1.0,
    )


def month_end_cramming(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """Half of a month's documents were sent around its end, five days or more after their dates."""
    facts = unit.feeds[Feed.SCHEDULED]
    month = city.period
    if city.today <= month.last:
        return
    arrivals = [arrival for arrival in facts.arrivals if month.first <= arrival.business_date <= month.last]
    total = sum(arrival.records for arrival in arrivals)
    begin = month.last - _DAY * (_CRAM_DAYS - 1)
    crammed = [
        arrival
        for arrival in arrivals
        if arrival.sent_on >= begin and (arrival.sent_on - arrival.business_date).days >= _CRAM_LAG
    ]
    records = sum(arrival.records for arrival in crammed)
    if total and records >= _CRAMMED * total:
        share = records * 100 // total
        yield Verdict(
            CRAMMED,
            Severity.SUMMARY,
            begin,
            Text(
                f"{unit.unit.name_zh}:{month} 数据的 {share}% 集中在月末补传",
                f"{unit.unit.name_en} sent {share} % of {month} at the end of the month, days late",
            ),
            Text("请按日上传,勿在月末集中补传。", "Please upload day by day, not at the end of the month."),
            Feed.SCHEDULED,
            unit.unit.unit_id,
            {"records": records, "of": total},
            0,
            4.0,
        )


def spans(days: Sequence[date]) -> str:
    """Dates as runs: `2020-01-03–05, 2020-01-09`; the first six runs, and how many more days there are."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == _DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    texts = [f"{run[0]}" if len(run) == 1 else f"{run[0]}–{run[-1]:%m-%d}" for run in runs[:6]]
    rest = sum(len(run) for run in runs[6:])
    return ", ".join(texts) + (f" (+{rest})" if rest else "")


FAMILY: Final = Family(
    (
        Rule(
            MISSING,
            Text("缺报日", "Missing days"),
            "a date that the unit's own week expects has not come, and two later ones have; three in a month are a ticket",
            "14 days",
            Severity.TICKET,
        ),
        Rule(
            CRAMMED,
            Text("月末集中补传", "Month-end cramming"),
            "half of the month's documents were sent in its last three days or later, five days or more after their dates",
            "a whole month",
            Severity.SUMMARY,
        ),
        Rule(
            DEBT,
            Text("欠传", "Backfill debt"),
            "tables that the unit delivers on 97 % of its dates, but for two stretches of days at most, are missing for some "
            "dates; open until they are filled",
            "10 own days",
            Severity.SUMMARY,
        ),
    ),
    (missing, month_end_cramming, backfill_debt),
)
