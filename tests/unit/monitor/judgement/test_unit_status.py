from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest

from monitor.counting.changes import FeedProgress
from monitor.counting.feeds import Feed
from monitor.judgement.outages import Outage
from monitor.judgement.rhythms import Rhythm, Rhythms
from monitor.judgement.unit_status import FeedCondition, FeedStatus, OutageStatus, PlatformStatus, hand_set, judge
from schemas.clock import start_of_day
from schemas.events import UnitId
from schemas.register import Life, Register
from tests.factories import NOON, OTHER_UNIT, UNIT, make_progress, make_progress_by_unit

MILLISECOND = timedelta(milliseconds=1)
SCHEDULED_DUE = NOON + timedelta(hours=36)
"""A feed whose newest business date is the 9th is due at the end of the 11th."""

SEEN_LONG_AGO: Final = make_progress_by_unit(Feed.SCHEDULED, gulou=NOON)


def judged(
    register: Register,
    clock: datetime | None,
    marks: dict[tuple[UnitId, Feed], FeedProgress],
    outages: list[Outage] | None = None,
    rhythms: Rhythms | None = None,
) -> PlatformStatus:
    return judge(register, clock, marks, outages or [], rhythms or Rhythms())


def feed_of(fleet: PlatformStatus, unit_id: UnitId, feed: Feed) -> FeedStatus:
    return next(status for unit in fleet.units for status in unit.feeds if (unit.unit.unit_id, status.feed) == (unit_id, feed))


def condition(fleet: PlatformStatus, unit_id: UnitId, feed: Feed = Feed.SCHEDULED) -> FeedCondition:
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
    marks = {(UNIT, Feed.SCHEDULED): make_progress()} if case.seen else {}
    if case.others_since is not None:
        marks[OTHER_UNIT, Feed.SCHEDULED] = make_progress(first_event_at=case.others_since)
    assert condition(judged(register, case.clock, marks), UNIT) is case.verdict


def test_feed_is_silent_after_its_deadline(register: Register) -> None:
    marks = {(UNIT, Feed.SCHEDULED): make_progress(), (UNIT, Feed.REALTIME): make_progress()}
    fleet = judged(register, NOON + timedelta(hours=2, milliseconds=1), marks)
    assert feed_of(fleet, UNIT, Feed.REALTIME) == FeedStatus(
        Feed.REALTIME, FeedCondition.SILENT, NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=2)
    )
    assert feed_of(fleet, UNIT, Feed.SCHEDULED) == FeedStatus(Feed.SCHEDULED, FeedCondition.ON_TIME, NOON, SCHEDULED_DUE)


def test_a_feed_is_not_overdue_exactly_at_its_deadline(register: Register) -> None:
    marks = make_progress_by_unit(Feed.REALTIME, gulou=NOON)
    due = feed_of(judged(register, NOON, marks), UNIT, Feed.REALTIME).deadline
    assert due is not None
    assert condition(judged(register, due, marks), UNIT, Feed.REALTIME) is FeedCondition.ON_TIME
    assert condition(judged(register, due + MILLISECOND, marks), UNIT, Feed.REALTIME) is FeedCondition.SILENT


def test_a_single_unit_may_have_a_rhythm_of_its_own(register: Register) -> None:
    marks = make_progress_by_unit(Feed.REALTIME, gulou=NOON, qinhuai=NOON)
    rhythms = Rhythms(units={UNIT: Rhythm(realtime_quiet=4)})
    fleet = judged(register, NOON + timedelta(hours=3), marks, rhythms=rhythms)
    assert condition(fleet, UNIT, Feed.REALTIME) is FeedCondition.ON_TIME
    assert condition(fleet, OTHER_UNIT, Feed.REALTIME) is FeedCondition.SILENT


def test_nobody_is_blamed_for_an_outage_until_they_have_recovered(register: Register) -> None:
    marks = make_progress_by_unit(Feed.REALTIME, gulou=NOON)
    outage = Outage(NOON + timedelta(hours=1), NOON + timedelta(hours=8))
    for after, verdict in ((timedelta(hours=10), FeedCondition.ON_TIME), (timedelta(hours=10.01), FeedCondition.SILENT)):
        assert condition(judged(register, NOON + after, marks, [outage]), UNIT, Feed.REALTIME) is verdict


def test_who_was_silent_before_the_outage_stays_silent(register: Register) -> None:
    marks = make_progress_by_unit(Feed.REALTIME, gulou=NOON)
    outage = Outage(NOON + timedelta(hours=3), NOON + timedelta(hours=10))
    assert condition(judged(register, NOON + timedelta(hours=11), marks, [outage]), UNIT, Feed.REALTIME) is FeedCondition.SILENT


def test_a_feed_is_active_since_anybody_first_used_it(register: Register) -> None:
    marks = make_progress_by_unit(Feed.REALTIME, gulou=NOON, qinhuai=NOON - timedelta(days=3))
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
    fleet = judged(register, NOON, {(UNIT, Feed.REALTIME): make_progress()})
    assert [status.unit.unit_id for status in fleet.units if status.seen] == [UNIT]


def test_a_newer_business_date_moves_the_scheduled_deadline_by_a_day(register: Register) -> None:
    def due(day: date) -> datetime | None:
        marks = {(UNIT, Feed.SCHEDULED): make_progress(last_business_date=day)}
        return feed_of(judged(register, NOON, marks), UNIT, Feed.SCHEDULED).deadline

    assert due(date(2024, 9, 9)) == SCHEDULED_DUE
    assert due(date(2024, 9, 10)) == SCHEDULED_DUE + timedelta(days=1)


def test_conditions_stand_worst_first() -> None:
    assert list(FeedCondition) == [
        "silent",
        "never_seen",
        "in_outage",
        "late",
        "awaited",
        "on_time",
        "inactive",
        "not_expected",
    ]


def register_with(register: Register, **overrides: Any) -> Register:
    unit = replace(register.units[UNIT], **overrides)
    return replace(register, units={**register.units, UNIT: unit})


@pytest.mark.parametrize("life", [Life.ONBOARDING, Life.PAUSED, Life.RETIRED])
def test_of_a_unit_that_is_not_active_nothing_is_expected(life: Life, register: Register) -> None:
    fleet = judged(register_with(register, status=life), NOON + timedelta(days=365), SEEN_LONG_AGO)
    found = next(unit for unit in fleet.units if unit.unit.unit_id == UNIT)
    assert found.life is life
    assert [(feed.condition, feed.deadline) for feed in found.feeds] == [(FeedCondition.NOT_EXPECTED, None)] * 2
    assert condition(fleet, OTHER_UNIT) is FeedCondition.NEVER_SEEN


def test_a_unit_is_not_silent_on_a_feed_that_is_not_expected_of_it(register: Register) -> None:
    fleet = judged(register_with(register, feeds={Feed.REALTIME: None}), NOON + timedelta(days=365), SEEN_LONG_AGO)
    assert condition(fleet, UNIT, Feed.SCHEDULED) is FeedCondition.NOT_EXPECTED
    assert condition(fleet, UNIT, Feed.REALTIME) is FeedCondition.INACTIVE


def test_a_unit_that_was_never_seen_has_its_time_from_its_own_first_day(register: Register) -> None:
    city = register_with(register, active_from=date(2024, 10, 1))
    others = make_progress_by_unit(Feed.SCHEDULED, qinhuai=NOON)
    begins = start_of_day(date(2024, 10, 1))
    assert condition(judged(city, begins - MILLISECOND, others), UNIT) is FeedCondition.NOT_EXPECTED
    assert feed_of(judged(city, begins, others), UNIT, Feed.SCHEDULED).deadline == begins + timedelta(hours=72)
    assert condition(judged(city, begins + timedelta(hours=72), others), UNIT) is FeedCondition.AWAITED
    assert condition(judged(city, begins + timedelta(hours=73), others), UNIT) is FeedCondition.NEVER_SEEN


def test_what_a_unit_sent_before_its_first_day_does_not_make_it_late(register: Register) -> None:
    city = register_with(register, active_from=date(2024, 10, 1))
    begins = start_of_day(date(2024, 10, 1))
    assert condition(judged(city, begins + timedelta(hours=1), SEEN_LONG_AGO), UNIT) is FeedCondition.ON_TIME
    assert condition(judged(city, begins + timedelta(hours=73), SEEN_LONG_AGO), UNIT) is FeedCondition.SILENT


def test_what_a_unit_sent_that_is_retired_by_now_is_still_known(register: Register) -> None:
    platform = judged(register_with(register, status=Life.RETIRED), NOON, SEEN_LONG_AGO)
    assert feed_of(platform, UNIT, Feed.SCHEDULED) == FeedStatus(Feed.SCHEDULED, FeedCondition.NOT_EXPECTED, NOON, None)
    unused = feed_of(judged(register, NOON, {}), UNIT, Feed.SCHEDULED)
    assert unused == FeedStatus(Feed.SCHEDULED, FeedCondition.INACTIVE, None, None)


WEEK: Final = [[1.0] * 24] * 7


@pytest.mark.parametrize(
    ("rhythms", "scheduled", "realtime"),
    [
        (Rhythms(), False, False),
        (Rhythms(units={OTHER_UNIT: Rhythm(scheduled_due=1, realtime_quiet=1)}), False, False),
        (Rhythms(units={UNIT: Rhythm()}), False, False),
        (Rhythms(units={UNIT: Rhythm(never_seen=1)}), False, False),
        (Rhythms(units={UNIT: Rhythm(scheduled_due=1)}), True, False),
        (Rhythms(Rhythm(scheduled_due=1), units={UNIT: Rhythm(scheduled_due=1)}), False, False),
        (Rhythms(units={UNIT: Rhythm(realtime_quiet=1)}), False, True),
        (Rhythms(units={UNIT: Rhythm(service_from=1)}), False, True),
        (Rhythms(units={UNIT: Rhythm(service_to=21)}), False, True),
        (Rhythms(weeks={(UNIT, Feed.SCHEDULED): WEEK}), True, False),
        (Rhythms(weeks={(OTHER_UNIT, Feed.SCHEDULED): WEEK}), False, False),
    ],
)
def test_what_is_set_by_hand_is_so_where_it_differs_from_the_default(rhythms: Rhythms, scheduled: bool, realtime: bool) -> None:
    assert [hand_set(rhythms, UNIT, feed) for feed in Feed] == [scheduled, realtime]


LEARNED: Final = FeedStatus(Feed.SCHEDULED, FeedCondition.LATE, None, NOON + timedelta(days=9), NOON + timedelta(days=8))


def by_learned(register: Register, rhythms: Rhythms | None = None, **progress: datetime) -> FeedStatus:
    """What is said of a unit whose own rhythm says that it is late; it was last heard at noon."""
    marks = {(UNIT, Feed.SCHEDULED): make_progress(**progress)}
    learned = {(UNIT, Feed.SCHEDULED): LEARNED}
    return feed_of(judge(register, NOON, marks, [], rhythms or Rhythms(), learned), UNIT, Feed.SCHEDULED)


def test_what_is_learned_is_said_but_for_what_is_set_by_hand(register: Register) -> None:
    assert by_learned(register) == replace(LEARNED, last_event_at=NOON)
    by_hand = by_learned(register, Rhythms(units={UNIT: Rhythm(scheduled_due=30)}))
    assert (by_hand.condition, by_hand.deadline) == (FeedCondition.ON_TIME, SCHEDULED_DUE + timedelta(hours=6))
    by_week = by_learned(register, Rhythms(weeks={(UNIT, Feed.SCHEDULED): WEEK}))
    assert (by_week.condition, by_week.deadline) == (FeedCondition.ON_TIME, NOON + timedelta(hours=1))


def test_what_is_learned_of_a_unit_begins_with_its_first_day(register: Register) -> None:
    begins = date(2024, 9, 10)
    since = register_with(register, active_from=begins)
    at_midnight: dict[str, Any] = {"first_event_at": NOON - timedelta(days=9), "last_event_at": start_of_day(begins)}
    assert by_learned(since, **at_midnight).condition is FeedCondition.LATE
    before = {**at_midnight, "last_event_at": start_of_day(begins) - MILLISECOND}
    assert by_learned(since, **before).condition is FeedCondition.ON_TIME


def test_the_status_has_its_moment_and_the_outages_that_are_open(register: Register) -> None:
    still_open = [OutageStatus(3, "feed", "realtime", Feed.REALTIME, NOON, [UNIT])]
    nobody = [Outage(NOON - timedelta(hours=9), NOON)]
    platform = judge(register, NOON, {}, nobody, Rhythms(), None, still_open)
    assert (platform.clock, platform.outages, platform.open_outages) == (NOON, nobody, still_open)
    assert judge(register, NOON, {}, [], Rhythms()).open_outages == ()
