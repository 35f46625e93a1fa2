from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counting.changes import FeedProgress
from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar, Day, DayKind
from monitor.judgement.deadlines import deadline, week_deadline
from monitor.judgement.rhythms import Rhythm, Week
from schemas.clock import SHANGHAI, local_date, start_of_day
from tests.factories import NOON, make_progress


def local(day: int, hour: float = 0, month: int = 9) -> datetime:
    """A moment of 2024 by the platform's wall clock; it has no daylight saving, hence hours simply add up."""
    return datetime(2024, month, day, tzinfo=SHANGHAI) + timedelta(hours=hour)


class Case(NamedTuple):
    """A mark, a rhythm, and when the feed becomes overdue. A changed deadline needs a reason."""

    name: str
    feed: Feed
    mark: FeedProgress | None
    rhythm: Rhythm
    due: datetime


ACTIVE_SINCE = local(1, 9)
DEFAULT = Rhythm()
CASES = [
    Case(
        "1 data of the 9th: those of the 10th are due by the end of the 11th", Feed.SCHEDULED, make_progress(), DEFAULT, local(12)
    ),
    Case(
        "2 when the last upload came does not matter for the scheduled feed",
        Feed.SCHEDULED,
        make_progress(last_event_at=local(10, 23.9)),
        DEFAULT,
        local(12),
    ),
    Case(
        "3 a month's last day",
        Feed.SCHEDULED,
        make_progress(last_business_date=date(2024, 9, 30)),
        DEFAULT,
        local(3, month=10),
    ),
    Case("4 due at noon instead of midnight", Feed.SCHEDULED, make_progress(), Rhythm(scheduled_due=12), local(11, 12)),
    Case("5 due three days later", Feed.SCHEDULED, make_progress(), Rhythm(scheduled_due=72), local(14)),
    Case("6 due as soon as the day is over", Feed.SCHEDULED, make_progress(), Rhythm(scheduled_due=0), local(11)),
    Case("7 realtime at noon", Feed.REALTIME, make_progress(last_event_at=local(10, 12)), DEFAULT, local(10, 14)),
    Case("8 realtime at opening", Feed.REALTIME, make_progress(last_event_at=local(10, 8)), DEFAULT, local(10, 10)),
    Case(
        "9 realtime that ends exactly at closing",
        Feed.REALTIME,
        make_progress(last_event_at=local(10, 18)),
        DEFAULT,
        local(10, 20),
    ),
    Case("10 realtime over night", Feed.REALTIME, make_progress(last_event_at=local(10, 19.5)), DEFAULT, local(11, 9.5)),
    Case("11 realtime at closing", Feed.REALTIME, make_progress(last_event_at=local(10, 20)), DEFAULT, local(11, 10)),
    Case("12 realtime at night", Feed.REALTIME, make_progress(last_event_at=local(10, 23)), DEFAULT, local(11, 10)),
    Case("13 realtime before opening", Feed.REALTIME, make_progress(last_event_at=local(10, 3)), DEFAULT, local(10, 10)),
    Case(
        "14 realtime over the end of a month", Feed.REALTIME, make_progress(last_event_at=local(30, 19)), DEFAULT, local(1, 9, 10)
    ),
    Case(
        "15 never closed",
        Feed.REALTIME,
        make_progress(last_event_at=local(10, 23)),
        Rhythm(service_from=0, service_to=24),
        local(11, 1),
    ),
    Case(
        "16 quieter than a service day is long",
        Feed.REALTIME,
        make_progress(last_event_at=local(10, 12)),
        Rhythm(realtime_quiet=24),
        local(12, 12),
    ),
    Case(
        "17 a quarter of an hour",
        Feed.REALTIME,
        make_progress(last_event_at=local(10, 12)),
        Rhythm(realtime_quiet=0.25),
        local(10, 12.25),
    ),
    Case(
        "18 the business date does not matter for realtime",
        Feed.REALTIME,
        make_progress(last_event_at=local(10, 12), last_business_date=date(2020, 1, 1)),
        DEFAULT,
        local(10, 14),
    ),
    Case("19 never seen, scheduled", Feed.SCHEDULED, None, DEFAULT, ACTIVE_SINCE + timedelta(hours=72)),
    Case("20 never seen, realtime", Feed.REALTIME, None, DEFAULT, ACTIVE_SINCE + timedelta(hours=72)),
    Case("21 never seen, and given a week", Feed.REALTIME, None, Rhythm(never_seen=168), ACTIVE_SINCE + timedelta(hours=168)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_deadline(case: Case) -> None:
    assert deadline(case.feed, case.mark, ACTIVE_SINCE, case.rhythm) == case.due


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.integers(1, 48),
    st.integers(0, 22),
    st.integers(1, 24),
)
def test_a_realtime_deadline_leaves_exactly_the_quiet_time_within_service(
    start: datetime, quiet: int, opens: int, length: int
) -> None:
    rhythm = Rhythm(realtime_quiet=quiet / 4, service_from=opens, service_to=min(24, opens + length))
    due = deadline(Feed.REALTIME, make_progress(last_event_at=start), ACTIVE_SINCE, rhythm)
    in_service = timedelta(0)
    day = local_date(start)
    while start_of_day(day) < due:
        begin = max(start, start_of_day(day) + timedelta(hours=rhythm.service_from))
        end = min(due, start_of_day(day) + timedelta(hours=rhythm.service_to))
        in_service += max(end - begin, timedelta(0))
        day += timedelta(days=1)
    assert in_service == timedelta(hours=rhythm.realtime_quiet)
    assert due > start


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert (DEFAULT.scheduled_due, DEFAULT.realtime_quiet, DEFAULT.never_seen) == (24, 2, 72)
    assert NOON.astimezone(SHANGHAI).hour == 12


def whole_week(hours: float) -> Week:
    return [[hours] * 24 for _ in range(7)]


@pytest.mark.parametrize(
    ("last", "hours", "due"),
    [
        (datetime(2024, 9, 10, 12, 30, tzinfo=SHANGHAI), 3, datetime(2024, 9, 10, 15, 30, tzinfo=SHANGHAI)),
        (datetime(2024, 9, 10, 23, tzinfo=SHANGHAI), 1, datetime(2024, 9, 11, tzinfo=SHANGHAI)),
        (datetime(2024, 9, 30, 23, tzinfo=SHANGHAI), 1, datetime(2024, 10, 1, tzinfo=SHANGHAI)),
        # National Day is on 1 to 7 October: its hours do not count
        (datetime(2024, 9, 30, 20, tzinfo=SHANGHAI), 12, datetime(2024, 10, 8, 8, tzinfo=SHANGHAI)),
        # nor do those of a make-up workday, Sunday 29 September
        (datetime(2024, 9, 28, 20, tzinfo=SHANGHAI), 12, datetime(2024, 9, 30, 8, tzinfo=SHANGHAI)),
    ],
)
def test_days_like_no_other_do_not_count(last: datetime, hours: float, due: datetime) -> None:
    assert week_deadline(last, whole_week(hours), Calendar()) == due


def test_the_hours_are_those_of_the_last_upload() -> None:
    week = [[float(1 + day * 24 + hour) for hour in range(24)] for day in range(7)]
    for minute in (0, 59):
        tuesday = datetime(2024, 9, 10, 13, minute, tzinfo=SHANGHAI)
        assert week_deadline(tuesday, week, Calendar()) == tuesday + timedelta(hours=1 + 24 + 13)


def test_a_local_closure_does_not_count_in_a_frozen_week() -> None:
    closed = Calendar({date(2024, 9, 11): Day(DayKind.HOLIDAY)})
    tuesday = datetime(2024, 9, 10, 20, tzinfo=SHANGHAI)
    assert week_deadline(tuesday, whole_week(12), closed) == datetime(2024, 9, 12, 8, tzinfo=SHANGHAI)
