"""Rules on feeds that bring nothing: silent, dead while the other lives, nothing all month, tables but no records. Core.

When a feed is overdue the deadlines say (`FeedFacts.overdue_since`); what that means for the unit is said here.
"""

from collections.abc import Iterable
from datetime import timedelta
from statistics import median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.facts import CityFacts, DayKind, UnitFacts, UnitMonth
from monitor.judgement.rules.expected_days import days_between
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict, counted
from schemas.clock import local_date, local_text

SILENT, NOTHING, NO_RECORDS, FEED_DEAD, ALMOST, NEVER = (
    "silent",
    "nothing_this_month",
    "tables_without_records",
    "feed_dead",
    "almost_silent",
    "never_uploaded",
)
_LEAST_DAYS: Final = 4
"""Workdays of the month: before that, nothing may mean that the month is young."""
_USED: Final = 0.5
"""Share of the other units that use a feed, for it to be owed by one that never did."""
_CONNECTED: Final = 0.8
"""Share of the units of a kind that upload, from which the others are stragglers."""
_ALMOST: Final = 0.05
"""Of the peers' median. The smallest ordinary hospital brings 4 % of it, and has visits."""
_PEERS: Final = 5


def silent(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """A feed that has come before is past its deadline."""
    for feed, facts in unit.feeds.items():
        if facts.overdue_since is None or facts.first_event_on is None:
            continue
        usual = median(facts.records.values()) if facts.records else 0
        days = (city.clock - facts.overdue_since).days
        yield Verdict(
            SILENT,
            Severity.PAGE,
            local_date(facts.overdue_since),
            Text(
                f"{unit.unit.name_zh}{FEED_ZH[feed]}中断,最近一次 {local_text(facts.last_event_at)}",
                f"{unit.unit.name_en}: the {feed} feed is silent, last heard {local_text(facts.last_event_at)}",
            ),
            Text(
                f"请检查{FEED_ZH[feed]}前置机与网络:应于 {local_text(facts.overdue_since)} 前上传。",
                f"Please check the {feed} upload and the line: it was due by {local_text(facts.overdue_since)}.",
            ),
            feed,
            unit.unit.unit_id,
            {"due": local_text(facts.overdue_since), "last": local_text(facts.last_event_at)},
            round(usual * (days + 1)),
            10.0,
        )


def dead_feeds(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """1 nothing all month, 2 one feed dead while the other lives, 3 tables but no records, 4 never uploaded, 5 almost silent."""
    month = city.months[unit.unit.unit_id]
    until = min(city.period.last, unit.feeds[Feed.SCHEDULED].complete_until)
    workdays = sum(city.kind(day) is DayKind.WORKDAY for day in days_between(city.period.first, until))
    if workdays < _LEAST_DAYS:
        for rule in (NOTHING, NO_RECORDS, FEED_DEAD, ALMOST):
            yield NotEnoughHistory(rule)
        return
    if not unit.seen:
        what = Text("已登记,从未上传", "is registered and has never uploaded")
        yield _of_month(NEVER, _never(unit, city), unit, city, month, what)
    elif not month.upload_days and not month.realtime_days:
        if unit.ever and not month.records and not _seen_before(unit, city):
            what = Text(
                f"历来上传过 {len(unit.ever)} 张表,该月无记录",
                f"has uploaded {counted(len(unit.ever), 'table')} before, and not one record in {city.period}",
            )
            yield _of_month(NO_RECORDS, Severity.TICKET, unit, city, month, what)
        else:
            what = Text("未上传任何数据", f"uploaded nothing in {city.period}")
            yield _of_month(NOTHING, Severity.TICKET, unit, city, month, what)
    else:
        yield from _one_feed(unit, city, month)
        yield from _almost(unit, city, month)


def _never(unit: UnitFacts, city: CityFacts) -> Severity:
    """A straggler is asked, a unit of a city that is still connecting its units is not."""
    kind = [city.months[other.unit.unit_id] for other in city.units if other.unit.kind is unit.unit.kind]
    return (
        Severity.TICKET
        if sum(bool(m.upload_days or m.realtime_days) for m in kind) >= _CONNECTED * len(kind)
        else Severity.SUMMARY
    )


def _seen_before(unit: UnitFacts, city: CityFacts) -> bool:
    """Whether it delivered in the weeks before the month: then it fell silent."""
    return sum(day < city.period.first - timedelta(days=3) for day in unit.feeds[Feed.SCHEDULED].own_days) > _LEAST_DAYS


def _one_feed(unit: UnitFacts, city: CityFacts, month: UnitMonth) -> Iterable[Outcome]:
    for feed, mine, other in (
        (Feed.REALTIME, month.realtime_days, month.upload_days),
        (Feed.SCHEDULED, month.upload_days, month.realtime_days),
    ):
        others = [m for unit_id, m in city.months.items() if unit_id != unit.unit.unit_id and (m.upload_days or m.realtime_days)]
        using = sum(bool(m.realtime_days if feed is Feed.REALTIME else m.upload_days) for m in others)
        if not mine and len(other) >= _LEAST_DAYS and others and using >= _USED * len(others):
            what = Text(
                f"{FEED_ZH[feed]} 0 天,另一通道 {len(other)} 天",
                f"has no {feed} day in {city.period}, and {counted(len(other), 'day')} of the other feed",
            )
            yield _of_month(FEED_DEAD, Severity.TICKET, unit, city, month, what, feed)


def _almost(unit: UnitFacts, city: CityFacts, month: UnitMonth) -> Iterable[Outcome]:
    kinds = {other.unit.unit_id: other.unit.kind for other in city.units}
    peers = [
        m for unit_id, m in city.months.items() if unit_id != unit.unit.unit_id and kinds[unit_id] is unit.unit.kind and m.records
    ]
    if len(peers) < _PEERS or not month.records or month.measures.visits or month.measures.discharges:
        return
    middle = median(m.records for m in peers)
    if month.records < _ALMOST * middle and sum(bool(m.measures.visits) for m in peers) > len(peers) / 2:
        what = Text(
            f"{len(month.upload_days)} 天仅 {month.records:,} 条,无就诊无出院;同类中位数 {middle:,.0f}",
            f"brought {counted(month.records, 'document')} on {counted(len(month.upload_days), 'day')} of {city.period}, "
            f"no visit and no discharge; its peers' median is {middle:,.0f}",
        )
        yield _of_month(ALMOST, Severity.TICKET, unit, city, month, what, Feed.SCHEDULED)


def _of_month(
    rule: str, severity: Severity, unit: UnitFacts, city: CityFacts, month: UnitMonth, what: Text, feed: Feed | None = None
) -> Verdict:
    return Verdict(
        rule,
        severity,
        city.period.first,
        Text(f"{unit.unit.name_zh}:{city.period} {what.zh}", f"{unit.unit.name_en} {what.en}"),
        Text(
            "请检查数据抽取与上传任务,并补传所缺日期。",
            "Please check the export and the upload, and backfill the missing dates.",
        ),
        feed,
        unit.unit.unit_id,
        {
            "records": month.records,
            "upload_days": len(month.upload_days),
            "realtime_days": len(month.realtime_days),
            "forms": len(month.forms),
            "tables_ever": len(unit.ever),
        },
        0,
        {NEVER: 1.0, ALMOST: 6.0}.get(rule, 7.0),
    )


FAMILY: Final = Family(
    (
        Rule(
            SILENT,
            Text("中断", "Silent"),
            "the feed is past its deadline",
            "a deadline",
            Severity.PAGE,
        ),
        Rule(
            NOTHING,
            Text("全月无上传", "Nothing this month"),
            "a unit that was seen before has neither scheduled nor realtime data in the month",
            "4 workdays of the month",
            Severity.TICKET,
        ),
        Rule(
            NO_RECORDS,
            Text("有表无数据", "Tables but no records"),
            "tables were uploaded once, and not one record in the month",
            "4 workdays of the month",
            Severity.TICKET,
        ),
        Rule(
            FEED_DEAD,
            Text("单通道无数据", "One feed dead"),
            "one feed has no day in the month, the other has four or more, and half of the units use both",
            "4 workdays of the month",
            Severity.TICKET,
        ),
        Rule(
            ALMOST,
            Text("几乎无数据", "Almost silent"),
            "below 5 % of the peers' median, without a visit and without a discharge",
            "4 workdays of the month, 5 peers",
            Severity.TICKET,
        ),
        Rule(
            NEVER,
            Text("从未上传", "Never uploaded"),
            "registered, and nothing ever came; a ticket once 80 % of its kind upload",
            "4 workdays of the month",
            Severity.SUMMARY,
        ),
    ),
    (silent, dead_feeds),
)
