"""A scenario's month in a ledger, without a broker: its events, batch by batch."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import groupby, islice
from types import MappingProxyType

from hipwatch.replay import plan_of
from ingest.scenario import Scenario
from ingest.simulator.events import events
from monitor.ledger.append import Ledger
from schemas.clock import start_of_day
from schemas.events import Event, UnitId
from schemas.register import Register
from schemas.topics import TOPIC_OF, Topic
from tests.contract.test_reading import advance
from tests.factories import make_batch

_AT_ONCE = 5_000


def play(
    ledger: Ledger,
    scenario: Scenario,
    register: Register,
    units: Collection[UnitId],
    stops: Mapping[UnitId, datetime] = MappingProxyType({}),
) -> None:
    """Count what `units` sent until the month's end: its last date is sent in the next month, which would be the running one.

    A unit in `stops` sends nothing from that moment on.
    """
    end = start_of_day(scenario.period.next().first)
    month_events = events(plan_of(scenario, register))
    chosen = (one for one in month_events if one.unit_id in units and one.event_time < stops.get(one.unit_id, end))
    offsets: dict[Topic, int] = {}
    greatest = None
    while some := list(islice(chosen, _AT_ONCE)):
        for topic, found in groupby(sorted(some, key=_topic_of), key=_topic_of):
            batch = list(found)
            first = offsets.get(topic, 0)
            ledger.append(make_batch(*batch, first=first, topic=topic, received_at=batch[-1].event_time))
            offsets[topic] = first + len(batch)
        greatest = some[-1].event_time
    assert greatest is not None
    advance(ledger, greatest)


def _topic_of(event: Event) -> Topic:
    return TOPIC_OF[type(event)]
