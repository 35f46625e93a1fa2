"""When a feed was alive, and whether receipts say so."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.counting.activity import LIVE_WITHIN, hour_and_minute, receipts_are_live
from monitor.counting.changes import Arrival
from tests.factories import NOON, make_event

SECOND = timedelta(seconds=1)
LATE = LIVE_WITHIN + SECOND


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, (0, 0)), (59, (0, 0)), (60, (0, 1)), (3_599, (0, 59)), (3_600, (1, 0)), (7_260, (2, 1))],
)
def test_a_moment_is_an_hour_since_1970_and_a_minute_in_it(seconds: int, expected: tuple[int, int]) -> None:
    assert hour_and_minute(datetime.fromtimestamp(seconds, UTC)) == expected


def arrivals(*after: tuple[str, timedelta]) -> list[Arrival]:
    """Uploads by unit, and so long after their event time each was received."""
    return [Arrival(offset, make_event(unit_id=unit_id), NOON + wait) for offset, (unit_id, wait) in enumerate(after)]


@pytest.mark.parametrize(
    ("found", "live"),
    [
        pytest.param([], False, id="nothing came"),
        pytest.param([("gulou", LIVE_WITHIN)], True, id="just soon enough"),
        pytest.param([("gulou", LATE)], False, id="a second too late"),
        pytest.param([("gulou", -LIVE_WITHIN)], True, id="a clock as far ahead"),
        pytest.param([("gulou", -LATE)], False, id="a clock further ahead"),
        pytest.param([("gulou", SECOND), ("xuanwu", LATE)], True, id="half of the units"),
        pytest.param([("gulou", SECOND), ("xuanwu", LATE), ("lishui", LATE)], False, id="less than half of the units"),
        pytest.param([("gulou", SECOND), ("xuanwu", SECOND), ("lishui", LATE)], True, id="most units"),
        pytest.param([("gulou", SECOND)] * 5 + [("xuanwu", LATE), ("lishui", LATE)], False, id="one unit counts once"),
        pytest.param([("gulou", SECOND), ("gulou", LATE), ("xuanwu", LATE)], True, id="of a unit one upload is enough"),
    ],
)
def test_receipts_are_live_when_half_of_the_units_say_that_it_is_now(found: list[tuple[str, timedelta]], live: bool) -> None:
    assert receipts_are_live(arrivals(*found)) is live
