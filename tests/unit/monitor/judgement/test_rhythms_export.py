"""Learned rhythms as weeks: what is exported says what was learned, and what is frozen is judged by it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory
from monitor.judgement.calendar import Calendar, Day, DayKind
from monitor.judgement.city import moment_at
from monitor.judgement.conditions import CityState, evaluate
from monitor.judgement.deadlines import week_deadline
from monitor.judgement.rhythms import Rhythm, Rhythms, Week
from monitor.judgement.rhythms_export import LONGEST, learned_weeks, ordinary_week, rhythms_toml
from monitor.judgement.rhythms_file import read_rhythms
from monitor.judgement.whole_outages import scopes_of
from schemas.clock import SHANGHAI, from_days, to_days
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Register
from tests.factories import OTHER_UNIT, UNIT
from tests.unit.monitor.judgement.paces import rhythms

FIRST_DAY = 19_842
"""2024-04-29, a Monday; Labour Day is on 1 to 5 May, the Dragon Boat Festival on 8 to 10 June."""
MONDAY = FIRST_DAY + 49


def city_that_sends(uploads: Iterable[int], days: int, feed: Feed = Feed.REALTIME) -> CityState:
    """A city of one unit that uploads in such hours after the first midnight, judged on the morning after so many days."""
    city = CityState(ActivityHistory(1), np.array([feed is Feed.SCHEDULED]), scopes_of([(UnitId("u"), feed)], []), Calendar())
    start = FIRST_DAY * 24
    city.history.roll_to(datetime.fromtimestamp(FIRST_DAY * 86400, SHANGHAI).date(), Calendar())
    city.history.add([ActiveHour(0, start + hour - HOURS_EAST, 12, 20, 1) for hour in uploads if hour < days * 24])
    evaluate(city, start + days * 24 + 0.5)
    return city


def office_hours(days: int) -> list[int]:
    return [day * 24 + hour for day in range(days) if day % 7 < 5 for hour in range(9, 17)]


def test_a_week_says_what_was_learned_of_each_hour() -> None:
    week = learned_weeks(city_that_sends(range(49 * 24), 49))[0]
    assert (week >= 2).all(), "nobody is called within two hours"
    assert week.max() < 9, "of a unit that sends every hour"
    office = learned_weeks(city_that_sends(office_hours(49), 49))[0]
    assert office[1, 9] < 12, "on Tuesday at nine: on the same day"
    assert 24 * 2 + 12 < office[4, 16] < 24 * 4, "on Friday at five: on Monday"


def test_a_frozen_week_is_silent_when_the_learned_rhythm_is() -> None:
    uploads = [hour for hour in office_hours(51) if hour < 50 * 24 + 15]  # it stops on Tuesday at three
    city = city_that_sends(uploads, 49)
    week = learned_weeks(city)[0].tolist()
    for hour in range(49 * 24, 51 * 24 + 15):
        city.history.add([ActiveHour(0, FIRST_DAY * 24 + hour - HOURS_EAST, 12, 20, 1)] if hour in uploads else [])
        evaluate(city, FIRST_DAY * 24 + hour + 1.0)
    last = moment_at(float(city.history.last_seen[0]))
    frozen = week_deadline(last, week, Calendar())
    assert abs(frozen - moment_at(float(city.silent_at[0]))) < timedelta(hours=1)


def test_what_is_not_learned_has_no_week() -> None:
    assert np.isnan(learned_weeks(city_that_sends(range(9 * 24), 9))).all()


def test_nothing_expected_for_long_is_bounded() -> None:
    once = learned_weeks(city_that_sends([0, 48 * 24], 49))[0]
    assert (once <= LONGEST).all()


def whole_week(hours: float) -> Week:
    return [[hours] * 24 for _ in range(7)]


LOCAL = Calendar(
    {
        date(2024, 9, 11): Day(DayKind.HOLIDAY),
        date(2041, 2, 1): Day(DayKind.HOLIDAY, "Spring Festival"),
        date(2041, 2, 10): Day(DayKind.MAKE_UP),
        date(2024, 10, 7): Day(DayKind.WORKDAY),
    }
)


def test_what_is_exported_is_what_is_read(tmp_path: Path, register: Register) -> None:
    default = Rhythm(scheduled_due=30)
    units = {UNIT: replace(default, realtime_quiet=4)}
    weeks = {(UNIT, Feed.SCHEDULED): whole_week(30)}
    known = Rhythms(default, units, outage=5, recovery=1, weeks=weeks, calendar=LOCAL)
    learned = {
        (OTHER_UNIT, Feed.REALTIME): [[2.5 + hour for hour in range(24)] for _ in range(7)],
        (UNIT, Feed.SCHEDULED): whole_week(99),
    }
    path = tmp_path / "rhythms.toml"
    path.write_text(rhythms_toml(known, learned), encoding="utf-8")
    read = read_rhythms(path, register)
    assert (read.default, read.outage, read.recovery) == (default, 5, 1)
    assert read.of(UNIT) == units[UNIT]
    assert read.calendar == LOCAL
    assert read.weeks == {**learned, (UNIT, Feed.SCHEDULED): whole_week(30)}, "what is set goes before what is learned"
    assert rhythms_toml(read, {}) == path.read_text(encoding="utf-8"), "a second export is the same file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[units.gulou.weeks.realtime]\nmonday = [1]", "key units.gulou.weeks.realtime.monday: "),
        ("[units.gulou.weeks]\nfax = 1", "key units.gulou.weeks.fax: there is no such key (there are scheduled, realtime)"),
    ],
)
def test_a_wrong_week_is_refused_by_key(text: str, said: str, tmp_path: Path, register: Register) -> None:
    path = tmp_path / "rhythms.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(HipwatchError) as caught:
        read_rhythms(path, register)
    assert said in str(caught.value)


def test_a_week_has_the_hours_after_the_middle_of_each() -> None:
    one = city_that_sends([0], 1)
    one.rhythms = rhythms(np.tile([1.0 if 8 <= hour < 18 else 0.0 for hour in range(24)], 38)[None])  # silent at seven
    [week] = learned_weeks(one)
    assert week[1, 9] == 7
    assert week[1, 12] == 21, "5.5 hours are left, and the next day has 1.5 more by half past nine"
    assert week[1, 17] == 21, "half an hour is left"
    assert week[1, 3] == 11.5


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ({}, "17 18 19 13 14 15 16"),
        ({17: Day(DayKind.HOLIDAY)}, "10 18 19 6 7 8 9"),  # within six days after the 11th
        ({17: Day(DayKind.MAKE_UP)}, "10 18 19 6 7 8 9"),
        ({20: Day(DayKind.HOLIDAY)}, "10 11 12 13 7 8 9"),
        ({25: Day(DayKind.HOLIDAY)}, "17 18 12 13 14 15 16"),
        ({26: Day(DayKind.HOLIDAY)}, "17 18 19 13 14 15 16"),
        ({27: Day(DayKind.HOLIDAY, "Spring Festival")}, "17 18 12 13 14 15 16"),  # two days before people leave early
    ],
)
def test_the_newest_days_that_ordinary_ones_follow_stand_for_a_week(said: Mapping[int, Day], days: str) -> None:
    """From Monday on; days of March 2025, up to the 19th."""
    special = Calendar({date(2025, 3, day): kind for day, kind in said.items()})
    found = ordinary_week(to_days(date(2025, 2, 17)), special)
    assert " ".join(str(from_days(found[weekday]).day) for weekday in range(7)) == days


EXPORTED: Final = """\
[default]
scheduled_due = 30
realtime_quiet = 2
service_from = 8
service_to = 20
never_seen = 72

[platform]
outage = 5
recovery = 1

[calendar]
closed = [2024-09-11, 2024-09-12]

[units."gulou"]
realtime_quiet = 4.5

[units."qinhuai".weeks.realtime]
monday = [1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2]
"""


def test_the_export_is_plain_toml() -> None:
    default = Rhythm(scheduled_due=30)
    closed = Calendar({date(2024, 9, day): Day(DayKind.HOLIDAY) for day in (12, 11)})
    known = Rhythms(default, {UNIT: replace(default, realtime_quiet=4.5)}, outage=5, recovery=1, calendar=closed)
    text = rhythms_toml(known, {(OTHER_UNIT, Feed.REALTIME): whole_week(1.24)})
    assert text.startswith(EXPORTED)
    assert text.count("\n") == EXPORTED.count("\n") + 6
