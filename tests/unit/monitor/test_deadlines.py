from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counting.changes import FeedProgress
from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Day, DayKind
from monitor.judgement.deadlines import deadline
from monitor.judgement.outages import Outage, after_outages, outages
from monitor.judgement.rhythms import Rhythm, Rhythms
from monitor.judgement.rhythms_file import read_rhythms
from schemas.clock import SHANGHAI, local_date, start_of_day
from schemas.errors import HipwatchError
from schemas.register import Register
from tests.factories import NOON, UNIT, make_progress


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


H = 3600
EIGHT = int(local(10, 8).timestamp()) // H
SIX_HOURS = timedelta(hours=6)


@pytest.mark.parametrize(
    ("active", "until", "expected"),
    [
        ([], local(10, 20), []),
        ([EIGHT], local(10, 8.5), []),
        ([EIGHT], local(10, 14.9), []),  # 09:00 to 14:00 are five whole hours
        ([EIGHT], local(10, 15), [Outage(local(10, 9), local(10, 15))]),
        ([EIGHT, EIGHT + 6], local(10, 14), []),
        ([EIGHT, EIGHT + 7], local(10, 15), [Outage(local(10, 9), local(10, 15))]),
        ([EIGHT, EIGHT + 1, EIGHT + 2], local(10, 10), []),
        (
            [EIGHT, EIGHT + 10, EIGHT + 20],
            local(11, 4),
            [Outage(local(10, 9), local(10, 18)), Outage(local(10, 19), local(11, 4))],
        ),
    ],
)
def test_an_outage_is_a_time_without_any_event_from_anybody(active: list[int], until: datetime, expected: list[Outage]) -> None:
    assert outages(active, until, SIX_HOURS) == expected


NIGHT = Outage(local(10, 9), local(10, 18))


@pytest.mark.parametrize(
    ("due", "moved_to"),
    [
        (local(10, 8.9), local(10, 8.9)),  # overdue before the outage began: the unit's own silence
        (local(10, 9), local(10, 20)),
        (local(10, 12), local(10, 20)),
        (local(10, 18), local(10, 20)),
        (local(10, 19.9), local(10, 20)),  # just after the end: it too had no time to recover
        (local(10, 20), local(10, 20)),
        (local(10, 21), local(10, 21)),
    ],
)
def test_a_deadline_that_falls_into_an_outage_moves_to_its_end_plus_recovery(due: datetime, moved_to: datetime) -> None:
    assert after_outages(due, [NIGHT], timedelta(hours=2)) == moved_to


def test_a_deadline_moves_on_when_the_recovery_falls_into_the_next_outage() -> None:
    following = Outage(local(10, 19), local(11, 4))
    assert after_outages(local(10, 12), [NIGHT, following], timedelta(hours=2)) == local(11, 6)
    assert after_outages(local(10, 12), [], timedelta(hours=2)) == local(10, 12)


def write(folder: Path, text: str) -> Path:
    path = folder / "rhythms.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_rhythms_file_changes_defaults_platform_and_single_units(tmp_path: Path, register: Register) -> None:
    text = """
    [default]
    scheduled_due = 36
    [platform]
    outage = 3
    recovery = 1.5
    [units.gulou]
    realtime_quiet = 0.5
    """
    rhythms = read_rhythms(write(tmp_path, text), register)
    assert rhythms.default == Rhythm(scheduled_due=36)
    assert rhythms.of(UNIT) == Rhythm(scheduled_due=36, realtime_quiet=0.5)
    assert rhythms.of(next(unit for unit in register.units if unit != UNIT)) == rhythms.default
    assert (rhythms.outage, rhythms.recovery) == (3, 1.5)


def test_a_rhythms_file_names_days_that_the_published_calendar_does_not_know(tmp_path: Path, register: Register) -> None:
    text = """
    [calendar]
    closed = [2024-09-11]
    make_up = [2041-02-10]
    ordinary = [2024-10-07]
    [calendar.holidays]
    "Spring Festival" = [2041-02-01, 2041-02-02]
    """
    calendar = read_rhythms(write(tmp_path, text), register).calendar
    assert calendar.day(date(2024, 9, 11)) == Day(DayKind.HOLIDAY)
    assert calendar.day(date(2041, 2, 10)) == Day(DayKind.MAKE_UP)
    assert calendar.day(date(2024, 10, 7)) == Day(DayKind.WORKDAY)
    assert calendar.day(date(2041, 2, 1)) == Day(DayKind.HOLIDAY, "Spring Festival")
    assert calendar.near_long_feast(date(2041, 2, 3))
    assert calendar.day(date(2024, 10, 1)).kind is DayKind.HOLIDAY, "all else is as published"


def test_an_empty_rhythms_file_changes_nothing(tmp_path: Path, register: Register) -> None:
    assert read_rhythms(write(tmp_path, ""), register) == Rhythms()


WRONG: Mapping[str, str] = {
    "[default": "Expected",
    "[defaults]\nscheduled_due = 3": "key defaults: there is no such key (there are default, platform, calendar, units)",
    "default = 3": "key default: must be a table",
    "platform = 3": "key platform: must be a table",
    "units = 3": "key units: must be a table",
    "units.gulou = 3": "key units.gulou: must be a table",
    "[default]\nscheduled = 3": "key default.scheduled: there is no such key (there are scheduled_due, realtime_quiet",
    "[platform]\nscheduled_due = 3": "key platform.scheduled_due: there is no such key (there are outage, recovery)",
    "[units.atlantis]\nscheduled_due = 3": "key units.atlantis: the register has no unit 'atlantis'",
    "[default]\nscheduled_due = '3'": "key default.scheduled_due: must be a valid number",
    "[default]\nscheduled_due = true": "key default.scheduled_due: must be a valid number",
    "[default]\nscheduled_due = -1": "key default.scheduled_due: must be greater than or equal to 0",
    "[default]\nscheduled_due = nan": "key default.scheduled_due: must be a finite number",
    "[default]\nscheduled_due = inf": "key default.scheduled_due: must be a finite number",
    "[default]\nscheduled_due = 9000": "key default.scheduled_due: must be less than or equal to 8784",
    "[default]\nrealtime_quiet = 0": "key default.realtime_quiet: must be greater than 0",
    "[platform]\noutage = 0": "key platform.outage: must be greater than 0",
    "[default]\nservice_from = 20\nservice_to = 8": "key default: service_from and service_to must be hours of a day",
    "[default]\nservice_from = 8\nservice_to = 8": "key default: service_from and service_to must be hours of a day",
    "[default]\nservice_to = 25": "key default: service_from and service_to must be hours of a day",
    "[calendar]\nclosed = ['2027-02-05']": "key calendar.closed.1: must be a valid date",
    "[calendar]\nclosed = [2027-02-05]\nmake_up = [2027-02-05]": "key calendar: 2027-02-05 is said twice",
    "[calendar.holidays]\nChristmas = [2027-12-25]": "key calendar.holidays.Christmas: there is no such feast",
    "[units.gulou]\nservice_from = 21": "key units.gulou: service_from and service_to must be hours of a day",
    "[default]\nservice_from = -1": "key default.service_from: must be greater than or equal to 0",
    "[default]\nservice_from = 8\nservice_to = 8.0000000001": "key default: service_from and service_to must be hours of a day",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_rhythms_file_is_refused_by_file_and_key(text: str, tmp_path: Path, register: Register) -> None:
    path = write(tmp_path, text)
    with pytest.raises(HipwatchError) as caught:
        read_rhythms(path, register)
    assert str(path) in str(caught.value)
    assert WRONG[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_rhythms_file_that_cannot_be_read_is_named(tmp_path: Path, register: Register) -> None:
    with pytest.raises(HipwatchError, match=r"there is no rhythms file .*nowhere"):
        read_rhythms(tmp_path / "nowhere.toml", register)
    with pytest.raises(HipwatchError, match=str(tmp_path)):
        read_rhythms(tmp_path, register)
    (tmp_path / "gbk.toml").write_bytes("# 节奏".encode("gb18030"))
    with pytest.raises(HipwatchError, match=r"gbk\.toml"):
        read_rhythms(tmp_path / "gbk.toml", register)


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert (DEFAULT.scheduled_due, DEFAULT.realtime_quiet, DEFAULT.never_seen) == (24, 2, 72)
    assert NOON.astimezone(SHANGHAI).hour == 12
