"""When a unit's feed showed signs of life, hour by hour of platform time. Core.

A sign of life is not the upload's own event time: a unit whose clock is eight hours slow, or that sends yesterday's forms,
is alive now. Where receipts tell the platform's time they count; in a replayed month, where they say nothing, the platform
clock does.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from monitor.counting.changes import Arrival

LIVE_WITHIN: Final = timedelta(minutes=15)
"""An upload received so soon after its event time is of now: what the platform expects of realtime forms."""


def hour_and_minute(moment: datetime) -> tuple[int, int]:
    """The hour since 1970 (UTC) and the minute in it."""
    hour, seconds = divmod(int(moment.timestamp()), 3600)
    return hour, seconds // 60


def receipts_are_live(arrivals: Sequence[Arrival]) -> bool:
    """Whether the receipts tell the platform's time: at least half of the units in the batch say that it is just now.

    In a replayed month no receipt does; in a backlog of ours they do, as the broker wrote them down.
    """
    near = {event.unit_id for _, event, received_at in arrivals if abs(received_at - event.event_time) <= LIVE_WITHIN}
    return mostly_live(near, {event.unit_id for _, event, _ in arrivals})


def mostly_live(near: Collection[str], units: Collection[str]) -> bool:
    """Whether at least half of the units of a batch sent something that was received just after it happened."""
    return bool(near) and 2 * len(near) >= len(units)
