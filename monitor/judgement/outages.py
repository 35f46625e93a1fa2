"""Times in which nothing came from anybody. Core."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple


class Outage(NamedTuple):
    """A time in which nothing arrived from anybody: from `start` up to, not including, `end`."""

    start: datetime
    end: datetime


def after_outages(moment: datetime, outages: Sequence[Outage], recovery: timedelta) -> datetime:
    """A deadline that fell into an outage moves to its end plus the time to recover. `outages` are in order of time."""
    for outage in outages:
        if outage.start <= moment < outage.end + recovery:
            moment = outage.end + recovery
    return moment


def outages(active_hours: Sequence[int], until: datetime, least: timedelta) -> list[Outage]:
    """The times of at least `least` without any event between the first active hour and `until`.

    `active_hours` are hours since 1970 in order. An hour in which one event fell counts as active as a whole.
    """
    found = []
    for hour, following in pairwise([*active_hours, int(until.timestamp()) // 3600]):
        outage = Outage(_hour(hour + 1), _hour(following))
        if outage.end - outage.start >= least:
            found.append(outage)
    return found


def _hour(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
