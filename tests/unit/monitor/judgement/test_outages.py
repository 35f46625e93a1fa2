from datetime import datetime, timedelta

import pytest

from monitor.judgement.outages import Outage, after_outages, outages
from schemas.clock import SHANGHAI


def local(day: int, hour: float = 0) -> datetime:
    """A moment of 2024 by the platform's wall clock; it has no daylight saving, hence hours simply add up."""
    return datetime(2024, 9, day, tzinfo=SHANGHAI) + timedelta(hours=hour)


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
