from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Final

import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.facts import Sums
from monitor.judgement.forecast import Forecast, forecast
from schemas.clock import start_of_day
from schemas.period import Period
from tests.unit.monitor.judgement.steady import TODAY, city, feed, unit


def test_running_month_goes_on_as_the_unit_does() -> None:
    of_city = city(unit(), clock=start_of_day(TODAY))
    found = forecast(of_city.units[0], of_city, Period(2024, 9))
    assert (found.upload_days, found.upload_days_by_end) == (28, 30)
    assert (found.realtime_days, found.realtime_days_by_end) == (29, 30)
    assert (found.forms_by_end, found.tables_by_end) == (4, 5)
    assert found.records < found.records_by_end < found.records * 1.1


def test_a_unit_that_sends_nothing_is_expected_to_send_nothing() -> None:
    of_city = city(unit(scheduled=feed({}), realtime=feed({}, Feed.REALTIME)))
    found = forecast(of_city.units[0], of_city, Period(2024, 9))
    assert (found.upload_days_by_end, found.realtime_days_by_end, found.records_by_end) == (0, 0, 0)


OCTOBER: Final = Period(2024, 10)
LAST: Final = date(2024, 9, 28)
"""The newest date that should be here as a whole; it is a Saturday."""


def ahead(
    days: Iterable[date], period: Period = OCTOBER, codes: Callable[[date], str] = lambda day: "a", size: int = 100
) -> Forecast:
    """The forecast of a unit that sent so many documents for each of such dates."""
    of = {day: {code: Sums(1, size) for code in codes(day)} for day in days}
    facts = unit(scheduled=feed(of), realtime=feed({}, Feed.REALTIME))
    of_city = city(facts, clock=start_of_day(TODAY))
    return forecast(of_city.units[0], of_city, period)


def back(*ago: int) -> list[date]:
    return [LAST - timedelta(days=days) for days in sorted(ago, reverse=True)]


@pytest.mark.parametrize(
    ("what", "days", "to_come"),
    [
        ("every day", back(*range(60)), 31),
        ("every other day", back(*range(0, 60, 2)), 16),  # 14 of the last 28
        ("nothing of late", back(*range(28, 60)), 0),
        ("once, four weeks ago", back(27), 1),  # one of 4 Sundays, and October has 4
        ("the last week's workdays", back(1, 2, 3, 4, 5), 23),
        ("on workdays, and once on a Sunday", [day for day in back(*range(60)) if day.weekday() < 5 or day == back(6)[0]], 23),
        ("three of the last four days", back(0, 1, 3), 13),  # a Wednesday, a Friday, a Saturday, and no Thursday yet
        ("seven of the nine days that it has shown", back(0, 1, 2, 3, 4, 5, 9), 21),  # of 27 days that are no Sundays
    ],
)
def test_days_to_come(what: str, days: list[date], to_come: int) -> None:
    found = ahead(days)
    assert (found.upload_days, found.upload_days_by_end) == (0, to_come), what


def test_what_is_here_already_is_not_to_come() -> None:
    found = ahead([*back(*range(60)), date(2024, 9, 29), date(2024, 10, 2)])
    assert (found.upload_days, found.upload_days_by_end) == (1, 31)


def test_a_date_that_is_missing_is_not_to_come() -> None:
    found = ahead(back(*range(1, 60)), Period(2024, 9))
    assert (found.upload_days, found.upload_days_by_end) == (27, 29)


def test_documents_to_come_are_those_of_a_usual_day_of_late() -> None:
    assert ahead(back(*range(60))).records_by_end == 3_100
    assert ahead(back(*range(28, 70))).records_by_end == 0
    of = {day: {"a": Sums(1, 100 if day > back(28)[0] else 900)} for day in back(*range(120))}
    of_city = city(unit(scheduled=feed(of)), clock=start_of_day(TODAY))
    assert forecast(of_city.units[0], of_city, OCTOBER).records_by_end == 3_100


@pytest.mark.parametrize(("every", "regular"), [(1, True), (2, True), (3, False)])
def test_what_came_on_half_of_the_last_days_will_come(every: int, regular: bool) -> None:
    found = ahead(back(*range(60)), codes=lambda day: "ab" if (LAST - day).days % every == 0 else "a")
    assert (found.tables, found.tables_by_end) == (0, 2 if regular else 1)


def test_what_came_long_ago_will_not() -> None:
    found = ahead(back(*range(90)), codes=lambda day: "ab" if (LAST - day).days >= 28 else "a")
    assert found.tables_by_end == 1


def test_where_less_than_a_day_is_to_come_no_table_is() -> None:
    assert ahead(back(*range(60)), Period(2024, 9)).tables_by_end == 1
    assert ahead(back(27), OCTOBER).tables_by_end == 1
    assert ahead(back(*range(28, 60)), OCTOBER).tables_by_end == 0
