"""A worker over two partitions in memory and a real ledger, with a clock of the test's: what the loop's tests stand on."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlmodel import select

from monitor.counting.batch import Appended, Batch, Position
from monitor.counting.dead_letter_limit import DeadLetterLimit
from monitor.ledger.append import Ledger
from monitor.ledger.database import Engine
from monitor.ledger.errors import LedgerUnavailable
from monitor.ledger.tables import PlatformClock
from monitor.worker.background_call import BackgroundCall
from monitor.worker.broker_topics import TopicInfo
from monitor.worker.loop import Worker
from monitor.worker.worker_metrics import WorkerMetrics
from schemas.codec.encode import encode
from schemas.register import load_register
from schemas.topics import Topic
from tests.factories import NOON, TOPIC_IDS, UNIT, make_event
from tests.memory_source import MemorySource, MemoryTopics

T = TypeVar("T")
ID: Final = TOPIC_IDS[Topic.CDA_DOCUMENTS]
REGISTER: Final = load_register()
TURN: Final = 0.25
"""Seconds: so often the loop asks how far it is complete."""


class Clock:
    """Seconds that pass when the test says so, or when somebody waits."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def rest(self, seconds: float) -> None:
        self.now += seconds


class AtOnce(BackgroundCall):
    """Calls end when they begin, or never: then waiting for one takes the clock's time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.hanging = 0
        self.while_waiting: Callable[[], None] = lambda: None
        self._hung: Future[Any] | None = None
        self._hung_action: Callable[[], Any] = lambda: None

    @property
    def busy(self) -> bool:
        return self._hung is not None and not self._hung.done()

    def begin(self, action: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        if self.hanging:
            self._hung, self._hung_action = future, action
        else:
            self._run(future, action)
        return future

    def done_within(self, future: Future[Any], seconds: float) -> bool:
        if not future.done():
            self.clock.now += max(seconds, TURN)
            self.while_waiting()
            self.hanging -= 1
            if not self.hanging:
                self._run(future, self._hung_action)
        return future.done()

    def _run(self, future: Future[Any], action: Callable[[], Any]) -> None:
        try:
            future.set_result(action())
        except Exception as error:
            future.set_exception(error)


class Recorded(MemorySource):
    """A source that notes how often it was held, released and polled; a poll while it is held has waited."""

    held = released = polled = 0
    clock = Clock()

    def hold(self) -> None:
        self.held += 1
        super().hold()

    def release(self) -> None:
        self.released += 1
        super().release()

    def poll(self) -> Any:
        self.polled += 1
        found = super().poll()
        self.clock.now += TURN if self._held else 0.0
        return found


class Stage:
    """A worker over two partitions in memory and a real ledger."""

    def __init__(self, engine: Engine) -> None:
        self.topics = MemoryTopics([TopicInfo(Topic.CDA_DOCUMENTS, ID, [0, 1])])
        self.ledger = Failing(engine)
        self.ledger.register_partitions(Topic.CDA_DOCUMENTS, ID, [0, 1])
        self.clock = Clock()
        self.call = AtOnce(self.clock)
        self.stopping = False
        self.published = 0
        self.told: list[tuple[list[Position], datetime]] = []
        self.metrics = WorkerMetrics(self.clock)
        self.source = Recorded(self.topics, most=3)
        self.source.clock = self.clock
        self.worker = self.make(self.source)
        self._sequence = 0

    def make(self, source: MemorySource, **options: Any) -> Worker:
        limit = DeadLetterLimit(0.5, REGISTER.units)
        return Worker(
            source,
            self.ledger,
            self.publish,
            lambda: REGISTER,
            limit,
            lambda: self.stopping,
            call=self.call,
            clock=self.clock,
            rest=self.clock.rest,
            metrics=self.metrics,
            **options,
        )

    def publish(self) -> None:
        self.published += 1

    def send(self, partition: int, *minutes: int) -> None:
        """One event for each, so many minutes after noon."""
        for minute in minutes:
            self._sequence += 1
            event = make_event(sequence=self._sequence, event_time=NOON + timedelta(minutes=minute))
            self.topics.send(ID, partition, UNIT.encode(), encode(event))

    def step(self, times: int = 1) -> None:
        for _ in range(times):
            self.clock.now += TURN
            self.worker.step()

    @property
    def offsets(self) -> list[int]:
        found = self.ledger.next_offsets()
        return [found[ID, 0], found[ID, 1]]

    @property
    def complete_until(self) -> datetime | None:
        return self.ledger.complete_until()


class Failing(Ledger):
    """A ledger that is away as often as the test says, and while it is `lost` does not say where it stands."""

    away = 0
    lost = False
    after_counting: Callable[[], None] = staticmethod(lambda: None)
    raised: list[tuple[list[Position], datetime]]

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, REGISTER.units)
        self.raised = []

    def append_all(self, batches: Sequence[Batch]) -> list[Appended]:
        if self.away:
            self.away -= 1
            raise LedgerUnavailable("away")
        answers = super().append_all(batches)
        self.after_counting()
        return answers

    def next_offsets(self) -> dict[tuple[str, int], int]:
        if self.lost:
            raise LedgerUnavailable("lost")
        return super().next_offsets()

    def raise_complete_until(self, positions: Sequence[Position], until: datetime) -> None:
        self.raised.append((list(positions), until))
        super().raise_complete_until(positions, until)

    def complete_until(self) -> datetime | None:
        with self._engine.connect() as connection:
            moment: datetime | None = connection.execute(select(PlatformClock.complete_until)).scalar()
        return moment
