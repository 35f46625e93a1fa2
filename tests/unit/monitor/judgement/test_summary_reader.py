"""What the call list and the day's summary are made of, read from a small ledger; the day ends at noon of 8 May."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from monitor.counting.feeds import Feed
from monitor.judgement.daily_summary import OurHealth
from monitor.judgement.find import row_of
from monitor.judgement.findings import Finding
from monitor.judgement.summary_reader import read_calls, read_summary, summary_moment
from monitor.ledger import tables
from schemas.clock import start_of_day
from schemas.codec.reasons import Reason
from schemas.events import UnitId
from schemas.register import Register
from tests.factories import HOSPITAL, OTHER_UNIT, UNIT
from tests.unit.monitor.judgement.examples import DROP, SILENT
from tests.unit.monitor.judgement.small_ledger import SmallLedger, at

UNTIL: Final = at(60)
SECOND: Final = timedelta(seconds=1)
DAY: Final = timedelta(days=1)


def finding(opened: datetime, closed: datetime | None = None, rule: str = "sudden_drop", **overrides: Any) -> Finding:
    return replace(DROP, rule=rule, opened_at=opened, updated_at=opened, closed_at=closed, since=date(2024, 5, 6), **overrides)


def keep(small: SmallLedger, *findings: Finding, judged: datetime = UNTIL) -> None:
    small.put(*(row_of(found) for found in findings))
    small.judged(judged)


def test_the_summary_of_a_day_is_made_at_eight() -> None:
    assert summary_moment(date(2024, 5, 8)) == start_of_day(date(2024, 5, 8)) + timedelta(hours=8)
    assert summary_moment(date(2024, 5, 8), 6) == start_of_day(date(2024, 5, 8)) + timedelta(hours=6)


def test_before_the_first_evaluation_there_is_nothing_to_tell(small: SmallLedger, register: Register) -> None:
    small.put(row_of(DROP))
    assert read_calls(small.engine, register) == []
    assert read_summary(small.engine, register) is None


def test_the_calls_are_those_of_now_or_of_the_end_of_a_day(small: SmallLedger, register: Register) -> None:
    before = finding(at(10), at(40))
    again = finding(at(50))
    other = replace(SILENT, opened_at=at(12), since=date(2024, 5, 6))
    keep(small, before, again, other)
    now = read_calls(small.engine, register)
    assert [(call.unit_id, call.findings) for call in now] == [(OTHER_UNIT, [other]), (UNIT, [again])]
    first_day = read_calls(small.engine, register, date(2024, 5, 6))
    assert [(call.unit_id, call.findings) for call in first_day] == [(OTHER_UNIT, [other]), (UNIT, [before])]
    assert [round(day_one.urgency - today.urgency, 1) for day_one, today in zip(first_day, now, strict=True)] == [-1.6, -1.6]
    assert now[1].urgency == 37.1, "for the second time (1.5), for three days (1.6)"


def test_the_summary_tells_what_opened_and_closed_within_a_day(small: SmallLedger, register: Register) -> None:
    begin = UNTIL - DAY
    findings = {
        "open before": finding(begin, rule="surge"),
        "opened first": finding(begin + SECOND, rule="same_content"),
        "opened last": finding(UNTIL, rule="stuck_date"),
        "opened later": finding(UNTIL + SECOND, rule="missing_days"),
        "closed before": finding(at(1), begin, rule="totals_fell"),
        "closed first": finding(at(1), begin + SECOND, rule="wrong_clock"),
        "closed last": finding(at(1), UNTIL, rule="open_gaps"),
        "closed later": finding(at(1), UNTIL + SECOND, rule="empty_uploads"),
    }
    keep(small, *findings.values(), judged=UNTIL + DAY)
    told = read_summary(small.engine, register, UNTIL)
    assert told is not None
    assert told.until == UNTIL

    def names(chosen: Any) -> set[str]:
        return {name for name, found in findings.items() if found in list(chosen)}

    assert names(told.opened) == {"opened first", "opened last"}
    assert names(told.closed) == {"closed first", "closed last"}
    assert names(told.open) == {"open before", "opened first", "opened last", "closed later"}
    [call] = told.calls
    assert len(call.findings) == 4
    assert call.urgency == round(37.1 - 1.5 + 6, 1)
    assert told.register is register


def test_no_summary_is_of_a_moment_that_was_not_judged(small: SmallLedger, register: Register) -> None:
    keep(small)
    for until in (None, UNTIL + DAY):
        told = read_summary(small.engine, register, until)
        assert told is not None
        assert told.until == UNTIL


def heard_first(small: SmallLedger, unit_id: UnitId, hours: float, feed: Feed = Feed.REALTIME) -> None:
    moment = at(hours)
    small.put(
        tables.FeedState(
            unit_id=unit_id, feed=feed, first_event_at=moment, last_event_at=moment, last_business_date=date(2024, 5, 6)
        )
    )


def test_units_of_the_last_week_are_new_but_for_those_of_a_ledgers_first(small: SmallLedger, register: Register) -> None:
    units = list(register.units)
    last_week = 24 * 20 - 24 * 7
    for unit_id, hours in zip(units, (0, 24 * 7, last_week, last_week + 1, 24 * 20, 24 * 20 + 1), strict=False):
        heard_first(small, unit_id, hours)
    heard_first(small, units[6], last_week + 5)
    heard_first(small, units[6], 5, Feed.SCHEDULED)
    heard_first(small, UnitId("unregistered"), last_week + 5)
    small.judged(at(24 * 20))
    told = read_summary(small.engine, register)
    assert told is not None
    assert told.onboarding == [register.units[unit_id].name_zh for unit_id in (units[3], units[4])]


def test_in_a_ledgers_first_week_nobody_is_new(small: SmallLedger, register: Register) -> None:
    heard_first(small, UNIT, 0)
    heard_first(small, OTHER_UNIT, 24 * 7)
    heard_first(small, HOSPITAL, 24 * 7 + 1)
    small.judged(at(24 * 8))
    told = read_summary(small.engine, register)
    assert told is not None
    assert told.onboarding == [register.units[HOSPITAL].name_zh]


def test_our_own_health_is_told(small: SmallLedger, register: Register) -> None:
    small.advance(61)
    counts = [("cda", Reason.UNKNOWN_UNIT, 3), ("forms", Reason.UNKNOWN_UNIT, 4), ("cda", Reason.TRUNCATED, 10)]
    small.put(*(tables.DeadLetterCount(topic=topic, reason=reason, total=total) for topic, reason, total in counts))
    gaps = [(UNIT, 4, 9), (OTHER_UNIT, 2, 2)]
    small.put(
        *(
            tables.OpenGap(unit_id=unit_id, topic="cda", series="", first_missing=first, last_missing=last)
            for unit_id, first, last in gaps
        )
    )
    keep(small)
    told = read_summary(small.engine, register)
    assert told is not None
    assert told.health == OurHealth(at(61), UNTIL, 17, 7, 7)
