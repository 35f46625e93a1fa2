from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import SHANGHAI, from_days, from_millis, local_date, start_of_day, to_days, to_millis
from schemas.errors import HipwatchError
from schemas.period import Period

aware = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
days = st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 1, 1))


@given(st.integers(-(10**13), 10**13))
def test_milliseconds_survive_the_round_trip(millis: int) -> None:
    assert to_millis(from_millis(millis)) == millis


@given(aware)
def test_a_moment_is_rounded_down_to_its_millisecond(moment: datetime) -> None:
    assert timedelta(0) <= moment - from_millis(to_millis(moment)) < timedelta(milliseconds=1)


@given(days)
def test_days_survive_the_round_trip(day: date) -> None:
    assert from_days(to_days(day)) == day


def test_both_count_from_1970() -> None:
    assert to_days(date(1970, 1, 2)) == 1
    assert to_millis(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1000
    assert to_millis(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_a_moment_is_the_same_in_every_zone() -> None:
    noon = datetime(2024, 9, 10, 12, 0, tzinfo=SHANGHAI)
    assert to_millis(noon) == to_millis(datetime(2024, 9, 10, 4, 0, tzinfo=UTC))
    assert from_millis(to_millis(noon)).tzinfo is UTC


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(TypeError):
        to_millis(datetime(2024, 9, 10))  # noqa: DTZ001 - a naive time is the case


@given(aware)
def test_a_moment_lies_within_its_local_day(moment: datetime) -> None:
    day = local_date(moment)
    assert start_of_day(day) <= moment < start_of_day(day + timedelta(days=1))


def test_the_local_day_begins_at_four_in_the_afternoon_utc_of_the_day_before() -> None:
    assert start_of_day(date(2024, 9, 10)) == datetime(2024, 9, 9, 16, 0, tzinfo=UTC)
    assert local_date(datetime(2024, 9, 9, 16, 0, tzinfo=UTC)) == date(2024, 9, 10)
    assert local_date(datetime(2024, 9, 9, 15, 59, 59, tzinfo=UTC)) == date(2024, 9, 9)
    assert local_date(datetime(2024, 9, 9, 23, 0, tzinfo=timezone(timedelta(hours=-5)))) == date(2024, 9, 10)


def test_a_period_is_a_month() -> None:
    period = Period.parse(" 2024-02 ")
    assert period == Period(2024, 2)
    assert str(period) == "2024-02"
    assert (period.first, period.last) == (date(2024, 2, 1), date(2024, 2, 29))
    assert len(period.days) == 29
    assert period.days[0] == period.first
    assert period.days[-1] == period.last


def test_after_december_comes_january() -> None:
    assert Period(2023, 12).next() == Period(2024, 1)
    assert Period(2024, 1).next() == Period(2024, 2)


@given(st.integers(2000, 2098), st.integers(1, 12))
def test_the_next_month_begins_where_this_one_ends(year: int, month: int) -> None:
    period = Period(year, month)
    assert period.next().first == period.last + timedelta(days=1)
    assert period < period.next()
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024",
        "2024-13",
        "2024-00",
        "2024-9",
        "24-09",
        "2024/09",
        "1999-12",
        "2100-01",
        "2024-09-01",
        "２０２４-09",
        "20２４-09",
    ],
)
def test_what_is_no_month_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(HipwatchError, match=r"YYYY-MM, for example 2024-09") as caught:
        Period.parse(text)
    assert f"'{text}'" in str(caught.value)
