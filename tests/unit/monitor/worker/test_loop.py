"""The worker's loop over a source in memory and a ledger in a real database."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event

from monitor.counting.batch import Position, RawBatch, RawMessage
from monitor.counting.dead_letter_limit import DeadLetterLimit
from monitor.ledger.append import Ledger
from monitor.ledger.database import Engine, open_database
from monitor.worker.loop import Worker
from monitor.worker.source import Behind, Source, Trouble
from schemas.codec.encode import encode
from schemas.register import load_register
from schemas.topics import Topic, topic_name
from tests.conftest import prepare
from tests.factories import RECEIVED, TOPIC_IDS, make_event

TOPIC_ID = TOPIC_IDS[Topic.CDA_DOCUMENTS]


class MemorySource(Source):
    """Two partitions that hand out, poll by poll, what the test has put there."""

    def __init__(self, *polls: Mapping[int, Sequence[bytes]]) -> None:
        self.polls = list(polls)
        self.stands = {0: 0, 1: 0}
        self.placed: set[int] = set()
        self.asked = 0
        self.committed: list[tuple[int, int]] = []

    def unplaced(self) -> list[Position]:
        return [Position(TOPIC_ID, partition, -1) for partition in self.stands if partition not in self.placed]

    def place(self, next_offsets: Mapping[tuple[str, int], int]) -> None:
        for position in self.unplaced():
            self.stands[position.partition] = next_offsets[TOPIC_ID, position.partition]
            self.placed.add(position.partition)

    def poll(self) -> list[RawBatch]:
        found = self.polls.pop(0) if self.polls else {}
        batches = []
        for partition, values in found.items():
            start = self.stands[partition]
            messages = [RawMessage(start + number, None, value, RECEIVED) for number, value in enumerate(values)]
            self.stands[partition] += len(values)
            place = Position(TOPIC_ID, partition, start)
            batches.append(RawBatch(Topic.CDA_DOCUMENTS, topic_name(Topic.CDA_DOCUMENTS), place, start + len(values), messages))
        return batches

    def at_end(self) -> list[Position]:
        self.asked += 1
        self.rested = dict(self.stands)
        return [Position(TOPIC_ID, partition, offset) for partition, offset in self.stands.items()]

    rested: dict[int, int] | None = None

    def at_rest(self) -> bool:
        return self.rested == self.stands

    def behind(self) -> list[Behind]:
        return []

    def troubles(self) -> list[Trouble]:
        return []

    def forget(self, position: Position) -> None:
        self.placed.discard(position.partition)

    def commit(self, batches: Sequence[RawBatch]) -> None:
        self.committed += [(batch.start.partition, batch.next_offset) for batch in batches]

    def owns(self, position: Position) -> bool:
        return position.partition in self.placed

    def hold(self) -> None: ...

    def release(self) -> None: ...


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'ledger.db'}", create=True)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return prepare(Ledger(engine, load_register().units))


def make_worker(source: Source, ledger: Ledger, rests: list[float], clock: Callable[[], float] = time.monotonic) -> Worker:
    return Worker(
        source,
        ledger,
        lambda: None,
        load_register,
        DeadLetterLimit(0.5, load_register().units),
        lambda: False,
        rest=rests.append,
        linger=0.5,
        clock=clock,
    )


def uploads(first: int, count: int) -> list[bytes]:
    return [encode(make_event(sequence=sequence)) for sequence in range(first, first + count)]


def test_few_events_are_followed_by_a_rest_and_many_are_not(ledger: Ledger) -> None:
    rests: list[float] = []
    worker = make_worker(MemorySource({0: uploads(1, 3)}, {0: uploads(4, 1_000)}, {}), ledger, rests)
    for rested in ([0.5], [0.5], [0.5]):
        worker.step()
        assert rests == rested


def test_the_batches_of_a_poll_are_one_transaction(ledger: Ledger, engine: Engine) -> None:
    source = MemorySource({0: uploads(1, 3), 1: [encode(make_event(unit_id="xuanwu"))]})
    begun: list[str] = []
    sqlalchemy_event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: begun.append(statement))
    make_worker(source, ledger, []).step()
    assert sum(statement.startswith("INSERT INTO upload_day") for statement in begun) == 1
    assert source.committed == [(0, 3), (1, 1)]
    assert {key[1]: offset for key, offset in ledger.next_offsets().items() if key[0] == TOPIC_ID} == {0: 3, 1: 1}


def test_a_batch_that_another_has_counted_is_dropped_and_the_others_stay(ledger: Ledger) -> None:
    source = MemorySource({}, {0: uploads(1, 2), 1: [encode(make_event(unit_id="xuanwu"))]})
    worker = make_worker(source, ledger, [])
    worker.step()
    thief = MemorySource({0: uploads(1, 1)})
    make_worker(thief, ledger, []).step()
    worker.step()
    assert source.committed == [(1, 1)]
    assert [position.partition for position in source.unplaced()] == [0]


def test_an_idle_worker_asks_for_the_ends_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.worker.loop._COMPLETE_EVERY_SECONDS", 0.0)
    source = MemorySource({0: uploads(1, 3)})
    worker = make_worker(source, ledger, [])
    for _ in range(6):
        worker.step()
    assert source.asked == 1
    source.polls.append({1: [encode(make_event(unit_id="xuanwu"))]})
    for _ in range(6):
        worker.step()
    assert source.asked == 2, "something has moved"


def test_an_idle_worker_asks_its_ledger_once_a_second_and_one_that_counts_at_once(ledger: Ledger, engine: Engine) -> None:
    now = 0.0
    source = MemorySource({0: uploads(1, 3)})
    worker = make_worker(source, ledger, [], lambda: now)
    connections: list[object] = []
    sqlalchemy_event.listen(engine, "checkout", lambda connection, *_: connections.append(connection))
    for _ in range(10):
        now += 0.5
        worker.step()
    connections.clear()
    for _ in range(20):
        now += 0.5
        worker.step()
    assert len(connections) == 10
    source.polls.append({1: [encode(make_event(unit_id="xuanwu"))]})
    worker.step()
    assert source.asked == 2, "it counts, and says so in the same turn"
