"""Which business date should be here as a whole, by the unit's own habit."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals
from monitor.judgement.facts import complete_until, usual_lags

DAY = timedelta(days=1)
MONDAY = date(2024, 9, 30)


def sent(lag: Callable[[date], int | None], days: int = 56) -> list[Arrivals]:
    """One upload for each of the last days, so many days after it; None: nothing is sent for it."""
    dates: Iterable[date] = (MONDAY - DAY * n for n in range(days))
    return [Arrivals(day + DAY * after, day, 1, 100) for day in dates if (after := lag(day)) is not None]


def on_workdays(day: date) -> int | None:
    """Each workday's date on the next workday."""
    return None if day.weekday() >= 5 else 3 if day.weekday() == 4 else 1


CRAMMED = [Arrivals(date(2024, 9, 20), date(2024, 8, 1) + DAY * n, 10, 100) for n in range(31)]


@pytest.mark.parametrize(
    ("what", "arrivals", "today", "until"),
    [
        ("nothing is known: the next day", [], MONDAY, date(2024, 9, 28)),
        ("every day the day after", sent(lambda day: 1), MONDAY, date(2024, 9, 28)),
        ("three days later", sent(lambda day: 3), MONDAY, date(2024, 9, 26)),
        ("weeks later is a backfill", sent(lambda day: 20), MONDAY, date(2024, 9, 22)),
        ("Friday's comes on Monday: on Monday morning it is not here", sent(on_workdays), MONDAY, date(2024, 9, 26)),
        ("on Tuesday morning it is", sent(on_workdays), MONDAY + DAY, date(2024, 9, 29)),
        ("on Wednesday Monday's is", sent(on_workdays), MONDAY + DAY * 2, MONDAY),
        ("of few weeks all weekdays are one habit", sent(on_workdays, 28), MONDAY + DAY, date(2024, 9, 29)),
        ("a month sent on one day is a backfill", sent(lambda day: 1, 20) + CRAMMED, MONDAY, date(2024, 9, 28)),
        ("one late Friday of five is no habit", sent(lambda day: 4 if day == date(2024, 9, 6) else 1), MONDAY, date(2024, 9, 28)),
    ],
)
def test_complete_until(what: str, arrivals: list[Arrivals], today: date, until: date) -> None:
    assert complete_until(usual_lags(Feed.SCHEDULED, today, arrivals), today) == until, what


def test_what_waited_for_the_end_of_a_feast_is_no_habit() -> None:
    feasts = frozenset(
        {date(2024, 9, 15), date(2024, 9, 16), date(2024, 9, 17), date(2024, 8, 31), date(2024, 9, 1), date(2024, 9, 2)}
    )
    fridays = sent(lambda day: 5 if day in {date(2024, 9, 13), date(2024, 8, 30)} else 1)
    assert complete_until(usual_lags(Feed.SCHEDULED, MONDAY, fridays, feasts), MONDAY) == date(2024, 9, 28)
    assert complete_until(usual_lags(Feed.SCHEDULED, MONDAY, fridays), MONDAY) == date(2024, 9, 26)


def test_a_realtime_date_is_here_at_its_end() -> None:
    assert complete_until(usual_lags(Feed.REALTIME, MONDAY, []), MONDAY) == MONDAY - DAY
