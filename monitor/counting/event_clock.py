"""When an event happened, as far as the clock of its sender can be believed. Core."""

from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from schemas.clock import DAY_MS, SHANGHAI_MS, start_of_day
from schemas.codec.packed import Numbers
from schemas.events import Event

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far a unit's clock may run ahead of ours before its event times stop moving the platform clock."""

_MILLISECOND: Final = timedelta(milliseconds=1)


def believed_moment(event: Event, received_at: datetime) -> datetime:
    """When the event happened, as far as a unit's clock can be believed: not after its receipt, nor before its business date."""
    if event.event_time > received_at + CLOCK_TOLERANCE:
        return received_at
    day: date | None = getattr(event, "business_date", None)
    return event.event_time if day is None else max(event.event_time, start_of_day(day))


def believed_moments(event_ms: Numbers, received_ms: Numbers, days: Numbers) -> Numbers:
    """`believed_moment` of many events that have a business date: milliseconds and days since 1970."""
    in_time = np.maximum(event_ms, days * DAY_MS - SHANGHAI_MS)
    moments: Numbers = np.where(event_ms > received_ms + CLOCK_TOLERANCE // _MILLISECOND, received_ms, in_time)
    return moments


def local_days(millis: Numbers) -> Numbers:
    """`local_date` of many moments, as days since 1970."""
    days: Numbers = (millis + SHANGHAI_MS) // DAY_MS
    return days
