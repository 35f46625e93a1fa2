"""When an event happened, as far as the clock of its sender can be believed."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from monitor.counting.event_clock import CLOCK_TOLERANCE, believed_moment, believed_moments, local_days
from schemas.clock import local_date, to_days, to_millis
from tests.factories import NOON, make_declaration, make_event

DAY = date(2024, 9, 9)
EARLY = datetime(2024, 9, 8, 15, 59, tzinfo=UTC)
"""A minute before the business date of `make_event` begins in Shanghai."""


@pytest.mark.parametrize("make", [make_event, make_declaration])
@pytest.mark.parametrize(
    ("ahead", "believed"),
    [
        (-timedelta(hours=1), True),
        (timedelta(0), True),
        (CLOCK_TOLERANCE, True),
        (CLOCK_TOLERANCE + timedelta(seconds=1), False),
        (timedelta(days=400), False),
    ],
)
def test_a_clock_is_believed_up_to_five_minutes_after_the_receipt(make: type, ahead: timedelta, believed: bool) -> None:
    event = make(event_time=NOON + ahead)
    assert believed_moment(event, NOON) == (event.event_time if believed else NOON)


def test_an_event_has_not_happened_before_its_business_date_began() -> None:
    begins = EARLY + timedelta(minutes=1)
    assert believed_moment(make_event(event_time=EARLY), NOON) == begins
    assert believed_moment(make_event(event_time=begins), NOON) == begins
    assert believed_moment(make_event(event_time=begins + timedelta(seconds=1)), NOON) == begins + timedelta(seconds=1)


def test_what_has_no_business_date_happened_when_it_says() -> None:
    assert believed_moment(make_declaration(event_time=EARLY - timedelta(days=700)), NOON) == EARLY - timedelta(days=700)


def test_many_events_in_columns_happened_when_each_would_alone() -> None:
    wait = timedelta(minutes=5)
    times = [EARLY, NOON, NOON + wait, NOON + wait + timedelta(milliseconds=1), NOON + timedelta(days=3)]
    events = [make_event(event_time=moment, business_date=day) for moment in times for day in (DAY, DAY + timedelta(days=1))]
    found = believed_moments(
        np.array([to_millis(event.event_time) for event in events]),
        np.full(len(events), to_millis(NOON)),
        np.array([to_days(event.business_date) for event in events]),
    )
    assert found.tolist() == [to_millis(believed_moment(event, NOON)) for event in events]


def test_the_local_day_of_many_moments_is_that_of_each() -> None:
    moments = [EARLY, EARLY + timedelta(minutes=1), NOON]
    assert local_days(np.array([to_millis(moment) for moment in moments])).tolist() == [
        to_days(local_date(moment)) for moment in moments
    ]
