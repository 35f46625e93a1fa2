"""Which business date should be here as a whole, by the unit's own habit."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import pytest

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals, Measures
from monitor.judgement.facts import DayKind, Sums, UnitMonth, complete_until, judged_month, usual_lags
from schemas.period import Period
from tests.unit.monitor.judgement.steady import city, feed, unit

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


def came(ago: int, lag: int, events: int = 1) -> Arrivals:
    """Uploads for the date so many days before Monday, so many days after it."""
    return Arrivals(MONDAY - DAY * (ago - lag), MONDAY - DAY * ago, events, 100)


WEEK_BEFORE = [came(ago, 1) for ago in range(8, 15)]
"""Seven dates, each sent the day after; Tuesday's is 13 days ago."""
FEW = [came(ago, 1) for ago in (3, 4, 5, 6, 9, 10, 11)]
"""Seven dates, three of which teach: one more that came late is a habit."""
TUESDAYS = range(13, 42, 7)
FIVE_WEEKS = [came(ago, 1) for ago in range(8, 43) if ago not in TUESDAYS]
SCHEDULED, REALTIME = Feed


@pytest.mark.parametrize(
    ("what", "which", "arrivals", "special", "lags"),
    [
        ("of six dates there is no habit", SCHEDULED, [came(ago, 3) for ago in range(8, 14)], [], [1] * 7),
        ("of seven there is", SCHEDULED, [came(ago, 3) for ago in range(8, 15)], [], [3] * 7),
        ("a date of a week ago teaches nothing yet", SCHEDULED, [*FEW, came(7, 4)], [], [1] * 7),
        ("nor do younger ones", SCHEDULED, [*FEW, came(6, 4, 1_000), came(2, 1)], [], [1] * 7),
        ("a day older it does", SCHEDULED, [*FEW, came(8, 4)], [], [4] * 7),
        ("a date says as much as any, however large", SCHEDULED, [*WEEK_BEFORE[1:], came(8, 4, 1_000)], [], [1] * 7),
        ("as the days on which it came", SCHEDULED, [*FEW, came(8, 1, 10), came(8, 4, 90)], [], [4] * 7),
        ("a date sent on its own day", REALTIME, [came(9, 2), *(came(ago, 0) for ago in range(8, 18))], [], [0] * 7),
        ("one sent before it is of a wrong clock", SCHEDULED, [came(12, -1), *FEW, came(8, 3)], [], [3] * 7),
        ("four dates on a day may be one", SCHEDULED, [*WEEK_BEFORE, *(came(22 + n, 2 + n) for n in range(4))], [], [3] * 7),
        ("five are a backfill", SCHEDULED, [*WEEK_BEFORE, *(came(22 + n, 2 + n) for n in range(5))], [], [1] * 7),
        ("a feast day's own uploads teach", SCHEDULED, [*FEW, came(20, 3)], [20, 17], [3] * 7),
        ("what waited for a feast's end does not", SCHEDULED, [*FEW, came(20, 2)], [19], [1] * 7),
        ("wherever the feast lies", SCHEDULED, [*FEW, came(20, 4)], [17], [1] * 7),
        ("five Tuesdays have a habit", SCHEDULED, [*FIVE_WEEKS, *(came(n, 3) for n in TUESDAYS)], [], [1, 3, *[1] * 5]),
        ("four have none", SCHEDULED, [*FIVE_WEEKS, *(came(n, 3) for n in TUESDAYS[:4])], [], [1] * 7),
        ("one of five that came late is none", SCHEDULED, [*FIVE_WEEKS, came(13, 3), *(came(n, 1) for n in TUESDAYS[1:])], [],
         [1] * 7),
        ("nor one that a job which stood still sent each night", SCHEDULED,
         [*FIVE_WEEKS, *(came(n, 1) for n in TUESDAYS), *(came(20, lag, 10) for lag in range(2, 7))], [], [1] * 7),
    ],
)  # fmt: skip
def test_usual_lags(what: str, which: Feed, arrivals: list[Arrivals], special: list[int], lags: list[int]) -> None:
    feasts = frozenset(MONDAY - DAY * ago for ago in special)
    assert usual_lags(which, MONDAY, arrivals, feasts) == lags, what


SEPTEMBER = Period(2024, 9)


def day(number: int, month: int = 9) -> date:
    return date(2024, month, number)


def test_a_month_counts_what_has_documents() -> None:
    scheduled = {
        day(31, 8): {"C0002": Sums(1, 1_000)},
        day(1): {"C0002": Sums(1, 10), "C0004": Sums(2, 0)},
        day(2): {"C0002": Sums(1, 0)},
        day(30): {"C0006": Sums(1, 5), "C0002": Sums(1, 7)},
        day(1, 10): {"C0008": Sums(1, 1_000)},
    }
    forms = {
        day(31, 8): {"RT09": Sums(1, 1)},
        day(1): {"RT01": Sums(1, 3), "RT02": Sums(1, 4)},
        day(2): {"RT03": Sums(1, 0)},
        day(30): {"RT01": Sums(1, 6)},
        day(1, 10): {"RT09": Sums(1, 1)},
    }
    carried = {
        day(31, 8): Measures(900, 900, 900, 900),
        day(1): Measures(3, None, 100, None),
        day(30): Measures(4, None, None, 0),
        day(1, 10): Measures(900, 900, 900, 900),
    }
    one = unit(scheduled=feed(scheduled), realtime=feed(forms, Feed.REALTIME), measures=carried)
    assert one.month(SEPTEMBER) == UnitMonth(
        22,
        frozenset({day(1), day(30)}),
        frozenset({"C0002", "C0006"}),
        Measures(7, None, 100, 0),
        frozenset({day(1), day(30)}),
        frozenset({"RT01", "RT02"}),
        3,
    )


def test_a_month_in_which_nothing_was_carried_has_no_measures() -> None:
    nothing = unit(scheduled=feed({day(1): {"C0002": Sums(1, 0)}}), realtime=feed({}, Feed.REALTIME), measures={})
    nothing_sent = UnitMonth(0, frozenset(), frozenset(), Measures(), frozenset(), frozenset(), 0)
    assert nothing.month(SEPTEMBER) == nothing_sent


@pytest.mark.parametrize(
    ("today", "month"), [(day(7), Period(2024, 8)), (day(8), SEPTEMBER), (day(30), SEPTEMBER), (day(7, 10), SEPTEMBER)]
)
def test_the_month_before_is_judged_until_its_last_dates_may_have_come(today: date, month: Period) -> None:
    assert judged_month(today) == month


def test_saturdays_and_sundays_are_kinds_of_their_own_and_a_special_day_is_like_no_other() -> None:
    week = city(special=frozenset({day(4)}))
    kinds = [week.kind(day(number)) for number in range(2, 9)]
    workday = DayKind.WORKDAY
    assert kinds == [workday, workday, None, workday, workday, DayKind.SATURDAY, DayKind.SUNDAY]
