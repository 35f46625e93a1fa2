"""Faults on the way from the units to the broker: repetition, disorder, delay, broken messages. Core, seeded.

Invariant: every event is delivered, and the counts say exactly what a reader of the messages will find.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Final, NamedTuple

from ingest.simulator.poison import POISONS
from schemas.codec import TOPIC_OF, Reason, encode
from schemas.events import Event
from schemas.topics import Topic

LONGEST_DELAY: Final = 500
"""Events after which a withheld one is delivered at the latest."""
_DUPLICATE_DELAY: Final = 50


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares of events, 0 to 1. `duplicates`, `reordered` and `holes` befall different events: together at most 1."""

    duplicates: float = 0.0
    reordered: float = 0.0
    holes: float = 0.0
    poison: float = 0.0


class Message(NamedTuple):
    """What is published. `event_time` paces the player; it is not a part of the Kafka record."""

    topic: Topic
    key: bytes
    value: bytes
    event_time: datetime


@dataclass(slots=True)
class FaultCounts:
    """The truth about the messages given out so far.

    `gaps_opened` counts sequence numbers that were missing when a later one of their (unit, topic, series) came;
    `gaps_filled` those of them that came after all.
    """

    accepted: int = 0
    duplicates: int = 0
    reordered: int = 0
    gaps_opened: int = 0
    gaps_filled: int = 0
    dead_letters: Counter[Reason] = field(default_factory=Counter)

    @property
    def messages(self) -> int:
        """All messages given out."""
        return self.accepted + self.duplicates + self.dead_letters.total()


def inject(events: Iterable[Event], faults: Faults, seed: int) -> "FaultyStream":
    """The messages of `events` with `faults`, lazily; its `counts` tell the truth about what has been taken so far."""
    return FaultyStream(events, faults, seed)


_Stream = tuple[str, Topic, str]


class FaultyStream(Iterator[Message]):
    """An iterator of messages that keeps count of the faults it makes. Made by `inject`; can be run once."""

    def __init__(self, events: Iterable[Event], faults: Faults, seed: int) -> None:
        self.counts = FaultCounts()
        self._faults = faults
        self._random = Random(f"{seed}|faults")
        self._poisons = count()
        self._delayed: list[tuple[int, int, Event, bool]] = []  # heap: due, order, event, whether it is a duplicate
        self._order = count()
        self._waiting: dict[_Stream, tuple[int, Event]] = {}  # until the stream's next event: due, event
        self._newest: dict[_Stream, int] = {}
        self._missing: dict[_Stream, set[int]] = {}
        self._messages = self._run(iter(events))

    def __next__(self) -> Message:
        return next(self._messages)

    def _run(self, events: Iterator[Event]) -> Iterator[Message]:
        """One event is read ahead, so that the very last is delivered last and none is withheld for ever."""
        position, ahead = 0, next(events, None)
        while ahead is not None:
            event, ahead = ahead, next(events, None)
            yield from self._release(position if ahead is not None else None)
            yield from self._pass_on(event, position) if ahead is not None else self._deliver(event)
            position += 1

    def _release(self, position: int | None) -> Iterator[Message]:
        """Deliver what is due at `position`; everything that is still held back when it is None."""
        while self._delayed and (position is None or self._delayed[0][0] <= position):
            _, _, event, again = heapq.heappop(self._delayed)
            yield from self._repeat(event) if again else self._deliver(event)
        for stream in [stream for stream, (due, _) in self._waiting.items() if position is None or due <= position]:
            yield from self._deliver(self._waiting.pop(stream)[1])

    def _pass_on(self, event: Event, position: int) -> Iterator[Message]:
        """Deliver `event` now, or in one of the ways in which things go wrong."""
        stream, faults = _stream_of(event), self._faults
        if stream in self._waiting:  # the event that waits for this one swaps places with it
            yield from self._deliver(event)
            yield from self._deliver(self._waiting.pop(stream)[1])
            self.counts.reordered += 1
        elif (drawn := self._random.random()) < faults.duplicates:
            yield from self._deliver(event)
            self._delay(event, position + self._random.randint(1, _DUPLICATE_DELAY), again=True)
        elif drawn < faults.duplicates + faults.holes:
            self._delay(event, position + self._random.randint(1, LONGEST_DELAY), again=False)
        elif drawn < faults.duplicates + faults.holes + faults.reordered:
            self._waiting[stream] = position + LONGEST_DELAY, event
        else:
            yield from self._deliver(event)
        if faults.poison and self._random.random() < faults.poison:
            yield self._poison(event)

    def _delay(self, event: Event, due: int, *, again: bool) -> None:
        heapq.heappush(self._delayed, (due, next(self._order), event, again))

    def _deliver(self, event: Event) -> Iterator[Message]:
        stream, sequence = _stream_of(event), event.sequence
        newest, missing = self._newest.get(stream, 0), self._missing.setdefault(stream, set())
        if sequence > newest:
            missing.update(range(newest + 1, sequence))
            self.counts.gaps_opened += sequence - newest - 1
            self._newest[stream] = sequence
        elif sequence in missing:
            missing.remove(sequence)
            self.counts.gaps_filled += 1
        self.counts.accepted += 1
        yield _message(event, encode(event))

    def _repeat(self, event: Event) -> Iterator[Message]:
        self.counts.duplicates += 1
        yield _message(event, encode(event))

    def _poison(self, event: Event) -> Message:
        reason, value = POISONS[next(self._poisons) % len(POISONS)](event, self._random)
        self.counts.dead_letters[reason] += 1
        return _message(event, value)


def _stream_of(event: Event) -> _Stream:
    return event.unit_id, TOPIC_OF[type(event)], event.series


def _message(event: Event, value: bytes) -> Message:
    return Message(TOPIC_OF[type(event)], event.unit_id.encode(), value, event.event_time)
