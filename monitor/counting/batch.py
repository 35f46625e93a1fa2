"""What travels from Kafka to the ledger: a place in a partition, a batch raw and decoded, and what became of it. Core."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from monitor.counting.changes import Arrival, Changes
from monitor.counting.fold import Known, Touched, fold, touched
from monitor.counting.streams import StreamKey
from schemas.codec.canary import Canary
from schemas.codec.reasons import Reason
from schemas.events import DeadLetter
from schemas.topics import Topic


class Position(NamedTuple):
    """A place in a partition: the next offset to be read."""

    topic_id: str
    partition: int
    offset: int


class RawMessage(NamedTuple):
    """A message as it came. `received_at` is when the broker took it, where the topic keeps that, or else when we read it."""

    offset: int
    key: bytes | None
    value: bytes | None
    received_at: datetime


class Unreadable(NamedTuple):
    """Messages from `offset` up to `next_offset` that came packed together and that nobody can read. `value` is how they came."""

    offset: int
    next_offset: int
    received_at: datetime
    detail: str
    value: bytes


@dataclass(frozen=True)
class RawBatch:
    """Messages of one partition in offset order. `start` is where the ledger stood; reading goes on at `next_offset`."""

    topic: Topic
    topic_name: str
    start: Position
    next_offset: int
    messages: Sequence[RawMessage]
    unreadable: Sequence[Unreadable] = ()

    def dead_letter(self, offset: int, reason: Reason, detail: str) -> DeadLetter:
        """The dead letter that the message at `offset` becomes."""
        message = self.messages[bisect_left(self.messages, offset, key=lambda found: found.offset)]
        place = (self.topic_name, self.start.partition, offset)
        return DeadLetter(*place, message.received_at, reason, detail, message.key, message.value)

    def unreadable_letters(self) -> list[DeadLetter]:
        """One dead letter for all messages that came packed together and cannot be read; it stands where the first would."""
        place = (self.topic_name, self.start.partition)
        return [
            DeadLetter(*place, found.offset, found.received_at, Reason.UNREADABLE_BATCH, found.detail, None, found.value)
            for found in self.unreadable
        ]


class Arrivals(Protocol):
    """The events of a batch, in offset order, as rows or in columns; the rows are the oracle of whatever else there is."""

    def touched(self) -> Mapping[StreamKey, Touched]:
        """The streams of the events, in the order in which they first appear."""

    def units(self) -> Counter[str]:
        """How many events each unit sent."""

    def fold(self, known: Known) -> Changes:
        """Count the events: see `fold`, whose promises hold."""

    def rows(self) -> Sequence[Arrival]:
        """The events one by one."""


@dataclass(frozen=True)
class Rows:
    """Events one by one."""

    arrivals: Sequence[Arrival] = ()

    def touched(self) -> Mapping[StreamKey, Touched]:
        """The streams of the events, in the order in which they first appear."""
        return touched(self.arrivals)

    def units(self) -> Counter[str]:
        """How many events each unit sent."""
        return Counter[str](event.unit_id for _, event, _ in self.arrivals)

    def fold(self, known: Known) -> Changes:
        """Count the events."""
        return fold(self.arrivals, known)

    def rows(self) -> Sequence[Arrival]:
        """The events one by one."""
        return self.arrivals


@dataclass(frozen=True)
class Batch:
    """A raw batch, decoded: what arrived, what could not be an event, and what the canary sent, which counts nowhere else."""

    raw: RawBatch
    arrivals: Arrivals
    dead_letters: Sequence[DeadLetter]
    canaries: Sequence[Canary] = ()


class Appended(NamedTuple):
    """What an append did. `moved` is False when another worker owns the partition: nothing was written then."""

    moved: bool
    accepted: int = 0
    duplicates: int = 0
    dead_letters: int = 0
