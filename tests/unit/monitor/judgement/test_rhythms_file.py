from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Day, DayKind
from monitor.judgement.rhythms import WEEKDAYS, Rhythm, Rhythms
from monitor.judgement.rhythms_file import read_rhythms
from schemas.errors import HipwatchError
from schemas.register import Register
from tests.factories import UNIT


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


def test_a_rhythms_file_sets_whole_weeks_by_weekday(tmp_path: Path, register: Register) -> None:
    days = "".join(f"{name} = [{', '.join([str(number)] * 24)}]\n" for number, name in enumerate(WEEKDAYS, 1))
    rhythms = read_rhythms(write(tmp_path, f"[units.gulou.weeks.realtime]\n{days}"), register)
    assert rhythms.weeks == {(UNIT, Feed.REALTIME): [[float(number)] * 24 for number in range(1, 8)]}


def test_service_may_last_an_hour_or_until_midnight(tmp_path: Path, register: Register) -> None:
    text = "[default]\nservice_from = 23\nservice_to = 24"
    assert read_rhythms(write(tmp_path, text), register).default == Rhythm(service_from=23, service_to=24)


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
    "[calendar.holidays]\nChristmas = [2027-12-25]": "Christmas: there is no such feast (there are New Year's Day, Spring",
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
