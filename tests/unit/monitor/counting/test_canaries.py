"""The canary's numbers: each counts once, what comes again is a duplicate, what was passed is missing."""

from datetime import timedelta
from functools import reduce

from monitor.counting.canaries import CanaryCounts, count_canary
from schemas.codec.canary import Canary
from tests.factories import NOON

MINUTE = timedelta(minutes=1)


def counted(*found: Canary) -> CanaryCounts | None:
    return reduce(count_canary, found, None)


def run(*numbers: int, series: str = "run") -> list[Canary]:
    return [Canary(NOON + number * MINUTE, series, number) for number in numbers]


def test_each_number_counts_once_and_the_latest_is_known() -> None:
    assert counted(*run(1, 2, 3)) == CanaryCounts("run", 3, NOON + 3 * MINUTE, events=3)


def test_what_comes_again_is_a_duplicate_and_changes_nothing_else() -> None:
    assert counted(*run(1, 2, 2, 1)) == CanaryCounts("run", 2, NOON + 2 * MINUTE, events=2, duplicates=2)


def test_numbers_that_were_passed_are_missing() -> None:
    assert counted(*run(1, 4, 5)) == CanaryCounts("run", 5, NOON + 5 * MINUTE, events=3, missing=2)


def test_another_run_begins_anew_wherever_it_is_first_heard_and_time_never_goes_back() -> None:
    assert counted(*run(1, 9), *run(3, 4, series="next")) == CanaryCounts("next", 4, NOON + 9 * MINUTE, events=4, missing=7)
