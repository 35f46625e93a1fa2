"""The units of the made-up city: a simulated month that is published in time-lapse, some of it withheld on demand."""

import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from broker.connection import KafkaConnection
from ingest.player import Progress, play
from ingest.producer import EventProducer
from ingest.scenario import Scenario
from ingest.simulator.events import events
from ingest.simulator.faults import Faults, inject
from ingest.simulator.plan import Plan, make_plan
from monitor.counting.feeds import Feed
from monitor.ledger.platform_clock import read_clock
from schemas.events import CdaDocuments, Event, RealtimeForms
from schemas.register import Register

_FEEDS: Final[dict[type[Event], Feed]] = {CdaDocuments: Feed.SCHEDULED, RealtimeForms: Feed.REALTIME}


class Units(threading.Thread):
    """Publishes a month: up to `lapse_from` at full speed, then one day in `day_seconds`.

    Who is `silenced` sends nothing, and numbers what it sends afterwards as if nothing had been: no gap is open. `sent`
    counts the events; `at` is the event time that has been reached.
    """

    def __init__(self, plan: Plan, kafka: KafkaConnection, lapse_from: datetime, day_seconds: float) -> None:
        super().__init__(name="units", daemon=True)
        self.sent = 0
        self.at: datetime | None = None
        self.failure: Exception | None = None
        self._plan = plan
        self._kafka = kafka
        self._lapse_from = lapse_from
        self._day_seconds = day_seconds
        self._silent: frozenset[tuple[str, Feed]] = frozenset()
        self._stopping = threading.Event()

    def silence(self, units: Collection[str], feed: Feed = Feed.REALTIME) -> None:
        """From now on they send nothing on this feed."""
        self._silent |= {(unit, feed) for unit in units}

    def resume(self, units: Collection[str], feed: Feed = Feed.REALTIME) -> None:
        """From now on they send again."""
        self._silent -= {(unit, feed) for unit in units}

    def stop(self) -> None:
        """End the play, and wait."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        try:
            with EventProducer(self._kafka) as producer:
                done = play(
                    inject(self._heard(), Faults(), 0),
                    producer,
                    day_seconds=self._day_seconds,
                    paced_from=self._lapse_from,
                    progress=self._note,
                    stop=self._stopping.is_set,
                )
                self.sent = done.sent
        except Exception as error:  # told by whoever waits for us
            self.failure = error

    def _heard(self) -> Iterator[Event]:
        numbers = Counter[tuple[str, type[Event]]]()
        for event in events(self._plan):
            if (event.unit_id, _FEEDS.get(type(event))) not in self._silent:
                numbers[event.unit_id, type(event)] += 1
                yield replace(event, sequence=numbers[event.unit_id, type(event)])

    def _note(self, progress: Progress) -> None:
        self.sent, self.at = progress.sent, progress.platform_time


class ClockWatch(threading.Thread):
    """Remembers when the platform clock passed which moment."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="clock", daemon=True)
        self._engine = engine
        self._seen: list[tuple[datetime, float]] = []
        self._stopping = threading.Event()

    @property
    def now(self) -> datetime | None:
        """The platform clock."""
        return self._seen[-1][0] if self._seen else None

    def passed(self, moment: datetime) -> float:
        """When the platform clock passed it, on the monotonic clock."""
        for clock, at in self._seen:
            if clock >= moment:
                return at
        raise AssertionError(f"the platform clock has not passed {moment}")

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        while not self._stopping.wait(0.2):
            try:
                with self._engine.connect() as connection:
                    clock = read_clock(connection)
            except SQLAlchemyError:  # the machine stood still, and we were taken for dead
                continue
            if clock is not None and clock != self.now:
                self._seen.append((clock, time.monotonic()))


def plan_of(scenario: Scenario, register: Register, seed: int) -> Plan:
    """The month's plan by this seed."""
    return make_plan(scenario.month, scenario.period, register, seed=seed, records_per_event=scenario.records_per_event)
