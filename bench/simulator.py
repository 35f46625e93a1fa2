"""How fast the simulator makes and publishes a month at its finest grain, one event a document."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from bench.results import Rows, table
from bench.stage import Sizes, Stage
from broker.topics import ensure_topics
from hipwatch.replay import plan_of
from ingest.player import play
from ingest.producer import EventProducer
from ingest.scenario import SHIPPED, load_scenario
from ingest.simulator.events import events
from ingest.simulator.faults import inject
from ingest.simulator.message import Message
from ingest.simulator.plan import Plan
from schemas.register import load_register

TITLE = "The simulator"
NOTE = """The first events of September 2024, one for each document: as events, as messages (the bytes that are sent), and
published by `hipwatch simulate`'s own producer. CPU-seconds of this one process."""

_MONTH: Final = "2024-09"
_SHARE: Final = 5
"""A fifth of the events that are counted says enough."""


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """A row for each stage of an event."""
    scenario = replace(load_scenario(SHIPPED / _MONTH, load_register()), records_per_event=1)
    plan, kafka = plan_of(scenario, load_register()), stage.kafka("simulated")
    ensure_topics(kafka)
    count = sizes.events // _SHARE

    def messages() -> Iterator[Message]:
        return islice(inject(events(plan), scenario.faults, scenario.seed), count)

    def publish() -> None:
        with EventProducer(kafka) as producer:
            play(messages(), producer)

    ways: dict[str, Callable[[], object]] = {
        "made": lambda: _exhaust(plan, count),
        "made and encoded": lambda: sum(1 for _ in messages()),
        "made, encoded and published": publish,
    }
    return [{"what": what, "events": count, "cpu_seconds_per_million": _cpu(way) / count * 1e6} for what, way in ways.items()]


def _exhaust(plan: Plan, count: int) -> int:
    return sum(1 for _ in islice(events(plan), count))


def _cpu(way: Callable[[], object]) -> float:
    begun = time.process_time()
    way()
    return time.process_time() - begun


def lines(rows: Rows) -> list[str]:
    """Events a second and core."""
    return table(
        ["events", "CPU-s per million", "events/s and core"],
        [[row["what"], f"{row['cpu_seconds_per_million']:.1f}", f"{1e6 / row['cpu_seconds_per_million']:,.0f}"] for row in rows],
    )
