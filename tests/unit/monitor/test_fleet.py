from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest

from monitor.deadlines import Outage, Rhythm, Rhythms
from monitor.feeds import Feed
from monitor.fleet import FeedCondition, FeedStatus, Fleet, judge
from monitor.fold import FeedMark
from schemas.events import UnitId
from schemas.register import Register
from tests.factories import NOON, OTHER_UNIT, UNIT, make_mark, make_marks

MILLISECOND = timedelta(milliseconds=1)
SCHEDULED_DUE = NOON + timedelta(hours=36)
"""A feed whose newest business date is the 9th is due at the end of the 11th."""


def judged(
    register: Register,
    clock: datetime | None,
    marks: dict[tuple[UnitId, Feed], FeedMark],
    outages: list[Outage] | None = None,
    rhythms: Rhythms | None = None,
) -> Fleet:
    return judge(register, clock, marks, outages or [], rhythms or Rhythms())


def feed_of(fleet: Fleet, unit_id: UnitId, feed: Feed) -> FeedStatus:
    return next(status for unit in fleet.units for status in unit.feeds if (unit.unit.unit_id, status.feed) == (unit_id, feed))


def condition(fleet: Fleet, unit_id: UnitId, feed: Feed = Feed.SCHEDULED) -> FeedCondition:
    return feed_of(fleet, unit_id, feed).condition


class Case(NamedTuple):
    """What is known of one unit's scheduled feed, and what is true of it. A changed verdict needs a reason."""

    name: str
    clock: datetime | None
    seen: bool
    others_since: datetime | None
    verdict: FeedCondition


CASES = [
    Case("1 within its time", NOON, True, NOON, FeedCondition.ON_TIME),
    Case("2 exactly at the deadline", SCHEDULED_DUE, True, NOON, FeedCondition.ON_TIME),
    Case("3 just after the deadline", SCHEDULED_DUE + MILLISECOND, True, NOON, FeedCondition.SILENT),
    Case("4 a year after the deadline", NOON + timedelta(days=365), True, NOON, FeedCondition.SILENT),
    Case("5 never seen, within its time", NOON + timedelta(hours=72), False, NOON, FeedCondition.AWAITED),
    Case("6 never seen, too late", NOON + timedelta(hours=72) + MILLISECOND, False, NOON, FeedCondition.NEVER_SEEN),
    Case("7 nobody uses the feed", NOON + timedelta(days=365), False, None, FeedCondition.INACTIVE),
    Case("8 the clock is not known yet", None, True, NOON, FeedCondition.ON_TIME),
    Case("9 the clock is not known yet, and the unit neither", None, False, NOON, FeedCondition.AWAITED),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_condition(case: Case, register: Register) -> None:
    marks = {(UNIT, Feed.SCHEDULED): make_mark()} if case.seen else {}
    if case.others_since is not None:
        marks[OTHER_UNIT, Feed.SCHEDULED] = make_mark(first_event_at=case.others_since)
    assert condition(judged(register, case.clock, marks), UNIT) is case.verdict


def test_feed_is_silent_after_its_deadline(register: Register) -> None:
    marks = {(UNIT, Feed.SCHEDULED): make_mark(), (UNIT, Feed.REALTIME): make_mark()}
    fleet = judged(register, NOON + timedelta(hours=2, milliseconds=1), marks)
    assert feed_of(fleet, UNIT, Feed.REALTIME) == FeedStatus(Feed.REALTIME, FeedCondition.SILENT, NOON, NOON + timedelta(hours=2))
    assert feed_of(fleet, UNIT, Feed.SCHEDULED) == FeedStatus(Feed.SCHEDULED, FeedCondition.ON_TIME, NOON, SCHEDULED_DUE)


def test_a_feed_is_not_overdue_exactly_at_its_deadline(register: Register) -> None:
    marks = make_marks(Feed.REALTIME, gulou=NOON)
    due = feed_of(judged(register, NOON, marks), UNIT, Feed.REALTIME).deadline
    assert due is not None
    assert condition(judged(register, due, marks), UNIT, Feed.REALTIME) is FeedCondition.ON_TIME
    assert condition(judged(register, due + MILLISECOND, marks), UNIT, Feed.REALTIME) is FeedCondition.SILENT


def test_a_single_unit_may_have_a_rhythm_of_its_own(register: Register) -> None:
    marks = make_marks(Feed.REALTIME, gulou=NOON, qinhuai=NOON)
    rhythms = Rhythms(units={UNIT: Rhythm(realtime_quiet=4)})
    fleet = judged(register, NOON + timedelta(hours=3), marks, rhythms=rhythms)
    assert condition(fleet, UNIT, Feed.REALTIME) is FeedCondition.ON_TIME
    assert condition(fleet, OTHER_UNIT, Feed.REALTIME) is FeedCondition.SILENT


def test_nobody_is_blamed_for_an_outage_until_they_have_recovered(register: Register) -> None:
    marks = make_marks(Feed.REALTIME, gulou=NOON)
    outage = Outage(NOON + timedelta(hours=1), NOON + timedelta(hours=8))
    for after, verdict in ((timedelta(hours=10), FeedCondition.ON_TIME), (timedelta(hours=10.01), FeedCondition.SILENT)):
        assert condition(judged(register, NOON + after, marks, [outage]), UNIT, Feed.REALTIME) is verdict


def test_who_was_silent_before_the_outage_stays_silent(register: Register) -> None:
    marks = make_marks(Feed.REALTIME, gulou=NOON)
    outage = Outage(NOON + timedelta(hours=3), NOON + timedelta(hours=10))
    assert condition(judged(register, NOON + timedelta(hours=11), marks, [outage]), UNIT, Feed.REALTIME) is FeedCondition.SILENT


def test_a_feed_is_active_since_anybody_first_used_it(register: Register) -> None:
    marks = make_marks(Feed.REALTIME, gulou=NOON, qinhuai=NOON - timedelta(days=3))
    marks[UNIT, Feed.REALTIME].first_event_at = NOON - timedelta(days=1)
    fleet = judged(register, NOON, marks)
    assert fleet.active_since == {Feed.REALTIME: NOON - timedelta(days=3)}
    assert condition(fleet, UNIT, Feed.SCHEDULED) is FeedCondition.INACTIVE
    assert feed_of(fleet, UNIT, Feed.SCHEDULED).deadline is None


def test_every_registered_unit_is_in_the_fleet_from_the_start(register: Register) -> None:
    fleet = judged(register, None, {})
    assert [status.unit for status in fleet.units] == list(register.units.values())
    assert all([feed.feed for feed in status.feeds] == list(Feed) for status in fleet.units)
    assert not any(status.seen for status in fleet.units)


def test_a_unit_is_seen_once_any_feed_has_seen_it(register: Register) -> None:
    fleet = judged(register, NOON, {(UNIT, Feed.REALTIME): make_mark()})
    assert [status.unit.unit_id for status in fleet.units if status.seen] == [UNIT]


def test_a_newer_business_date_moves_the_scheduled_deadline_by_a_day(register: Register) -> None:
    def due(day: date) -> datetime | None:
        marks = {(UNIT, Feed.SCHEDULED): make_mark(last_business_date=day)}
        return feed_of(judged(register, NOON, marks), UNIT, Feed.SCHEDULED).deadline

    assert due(date(2024, 9, 9)) == SCHEDULED_DUE
    assert due(date(2024, 9, 10)) == SCHEDULED_DUE + timedelta(days=1)


def test_conditions_stand_worst_first() -> None:
    assert list(FeedCondition) == ["silent", "never_seen", "awaited", "on_time", "inactive"]
