"""A steady stream of events of every unit, published beside the test."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from broker.connection import KafkaConnection
from ingest.producer import EventProducer
from schemas.codec.encode import encode
from schemas.events import UnitId
from schemas.register import load_register
from schemas.topics import Topic
from tests.factories import make_event

UNITS: Final = tuple(load_register().units)
_TURN_SECONDS: Final = 0.05


def message(unit: UnitId, sequence: int) -> bytes:
    """The unit's event of that number: one document."""
    return encode(make_event(unit_id=unit, event_id=f"{unit}-{sequence}", sequence=sequence, record_count=1))


def publish(connection: KafkaConnection, numbers: Sequence[int], units: Sequence[UnitId] = UNITS) -> int:
    """The events of these numbers, of every unit, all acknowledged; how many that was."""
    with EventProducer(connection) as producer:
        for number in numbers:
            for unit in units:
                producer.send(Topic.CDA_DOCUMENTS, unit.encode(), message(unit, number))
    return len(numbers) * len(units)


class Stream:
    """Publishes until the block ends, `rate` events a second, spread over the units. `sent` is whole when the block has ended."""

    def __init__(self, connection: KafkaConnection, *, rate: int) -> None:
        self.sent = 0
        self._connection = connection
        self._rate = rate
        self._done = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="stream")

    def _run(self) -> None:
        try:
            with EventProducer(self._connection) as producer:
                begun = time.monotonic()
                while not self._done.wait(_TURN_SECONDS):
                    for number in range(self.sent, int((time.monotonic() - begun) * self._rate)):
                        unit = UNITS[number % len(UNITS)]
                        producer.send(Topic.CDA_DOCUMENTS, unit.encode(), message(unit, number // len(UNITS) + 1))
                        self.sent += 1
        except Exception as error:
            self._error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        if self._error and kind is None:
            raise self._error
