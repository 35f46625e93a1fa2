"""Rules on feeds that move and bring nothing new: the same content again, one old business date over and over. Core."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from math import log10
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.facts import CityFacts, FeedFacts, Sums, UnitFacts
from monitor.judgement.rules.usual import LEAST_HISTORY
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict, counted

COPY, STUCK = "same_content", "stuck_date"
_DIGITS: Final = 6.0
"""Digits of all counts together: that many agree by chance less than once in a million days."""
_AGREE: Final = 0.9
"""Share of the documents whose tables have yesterday's very counts."""
_HABIT: Final = 0.1
"""A unit whose days often are alike (it sends fixed numbers) is not copying."""
_STUCK_DAYS: Final = 2
_STUCK_BEHIND: Final = 2
"""Days that the repeated date lies behind what the unit should be sending by now."""
_STUCK_SHARE: Final = 0.9


def same_content(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """The newest own days have, table by table, the counts of the day before."""
    for feed, facts in unit.feeds.items():
        days = facts.own_days
        copied = [is_copy(facts.days[before], facts.days[day]) for before, day in pairwise(days)]
        run = next((length for length, copy in enumerate(reversed(copied)) if not copy), len(copied))
        before = copied[: len(copied) - run]
        if run and len(before) < LEAST_HISTORY:
            yield NotEnoughHistory(COPY, feed)
        elif run and sum(before) <= _HABIT * len(before):
            yield _copied(unit, feed, facts, days[-run], run)


def is_copy(before: Mapping[str, Sums], day: Mapping[str, Sums]) -> bool:
    """Whether nearly all documents lie in tables with the very count of the day before, and the counts have digits enough."""
    total = sum(sums.records for sums in day.values())
    same = [
        sums.records for code, sums in day.items() if sums.records and code in before and before[code].records == sums.records
    ]
    digits = sum(log10(records) for records in same)
    return sum(same) >= _AGREE * total and digits >= _DIGITS


def _copied(unit: UnitFacts, feed: Feed, facts: FeedFacts, since: date, run: int) -> Verdict:
    records = facts.records[since]
    return Verdict(
        COPY,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}:自 {since} 起连续 {run} 天各表数量与前一日完全相同(每日 {records} 条)",
            f"{unit.unit.name_en}, {feed}: since {since} the data of {counted(run, 'day')} repeat the day before "
            f"({counted(records, 'document')} a day)",
        ),
        Text(
            f"{since} 起的数据疑为前一日的重复,请检查抽取日期并重传。",
            f"The data since {since} look like a copy of the day before: please check the export's date and send again.",
        ),
        feed,
        unit.unit.unit_id,
        {"days": run, "records_a_day": records, "tables": len(facts.days[since])},
        records * run,
        9.0,
    )


def stuck_date(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """On each of the last days on which anything was sent, nearly all of it was for one and the same old date."""
    for feed, facts in unit.feeds.items():
        sent: defaultdict[date, Counter[date]] = defaultdict(Counter)
        for arrival in facts.arrivals:
            if arrival.sent_on < city.today:
                sent[arrival.sent_on][arrival.business_date] = arrival.events
        days = sorted(sent)
        if len(days) < LEAST_HISTORY:
            if days:
                yield NotEnoughHistory(STUCK, feed)
            continue
        newest = days[-1]
        stuck = _mostly(sent[newest])
        run = next((n for n, day in enumerate(reversed(days)) if not _repeats(sent[day], stuck)), len(days))
        behind = (newest - stuck).days
        usual_lag = (city.today - facts.complete_until).days - 1
        moving = len({_mostly(by_date) for by_date in sent.values()}) > len(days) / 2
        if run > _STUCK_DAYS and behind >= usual_lag + _STUCK_BEHIND and moving:
            yield _stuck(unit, feed, stuck, days[-run + 1], run - 1)


def _mostly(by_date: Counter[date]) -> date:
    """The business date that most of a day's uploads were for."""
    return max(by_date, key=lambda day: by_date[day])


def _repeats(by_date: Counter[date], stuck: date) -> bool:
    return by_date[stuck] >= _STUCK_SHARE * by_date.total()


def _stuck(unit: UnitFacts, feed: Feed, stuck: date, since: date, run: int) -> Verdict:
    return Verdict(
        STUCK,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}:自 {since} 起一再上传同一业务日期 {stuck}",
            f"{unit.unit.name_en}, {feed}: since {since} nearly every upload is for one old business date, {stuck}",
        ),
        Text(
            f"请检查上传任务的日期参数(停在 {stuck}),并补传其后各日。",
            f"The upload job seems to stand still at {stuck}: please check its date, and send the days after it.",
        ),
        feed,
        unit.unit.unit_id,
        {"business_date": str(stuck), "days": run},
        0,
        8.0,
    )


FAMILY: Final = Family(
    (
        Rule(
            COPY,
            Text("内容重复", "Same content again"),
            "90 % of a day's documents lie in tables with the very counts of the day before, with six digits in all, "
            "and that is not the unit's habit",
            "12 own days",
            Severity.TICKET,
        ),
        Rule(
            STUCK,
            Text("业务日期停滞", "Stuck business date"),
            "three days in a row 90 % of what is sent is for the same date, which lies two days or more behind the unit's habit",
            "10 days of sending",
            Severity.TICKET,
        ),
    ),
    (same_content, stuck_date),
)
