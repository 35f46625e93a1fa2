"""Faults on the way from the units to the broker: repetition, disorder, delay, wrong clocks, broken messages. Core, seeded.

Invariant: every event is delivered, and the counts say exactly what a reader of the messages will find.
"""

import heapq
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Final

from ingest.simulator.message import Message
from ingest.simulator.poison import POISONS
from schemas.codec.encode import encode
from schemas.codec.reasons import Reason
from schemas.events import CdaDocuments, Event, RealtimeForms, UnitId
from schemas.topics import TOPIC_OF, Topic

LONGEST_DELAY: Final = 500
"""Events after which a withheld one is delivered at the latest."""
_DUPLICATE_DELAY: Final = 50
LONGEST_LATENESS: Final = timedelta(days=10)
"""After which a late event arrives at the latest: units have seven days to deliver, and not all of them heed it."""
_WRONG_BY: Final = (
    timedelta(days=-10 * 365),
    timedelta(days=-3),
    timedelta(minutes=-20),
    timedelta(hours=-5),
    timedelta(minutes=4),
    timedelta(days=2),
    timedelta(days=40 * 365),
)


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares of events, 0 to 1; of `wrong_clocks`, of units.

    `duplicates`, `gaps`, `reordered` and `late` befall different events: together at most 1. A unit whose clock is wrong
    stamps its uploads and forms too early, even before their business date, or too late, by up to forty years.
    """

    duplicates: float = 0.0
    reordered: float = 0.0
    gaps: float = 0.0
    late: float = 0.0
    poison: float = 0.0
    wrong_clocks: float = 0.0


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
        self._seed = seed
        self._random = Random(f"{seed}|faults")
        self._poisons = count()
        self._delayed: list[tuple[int, int, Event, bool]] = []  # heap: due, order, event, whether it is a duplicate
        self._late: list[tuple[datetime, int, Event]] = []  # heap: due, order, event
        self._order = count()
        self._waiting: dict[_Stream, tuple[int, Event]] = {}  # until the stream's next event: due, event
        self._clocks: dict[UnitId, timedelta] = {}
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
            yield from self._release(position, event.event_time) if ahead is not None else self._release_all()
            yield from self._pass_on(event, position) if ahead is not None else self._deliver(event)
            position += 1

    def _release_all(self) -> Iterator[Message]:
        """Deliver everything that is still held back."""
        yield from self._release(sys.maxsize, datetime.max.replace(tzinfo=UTC))

    def _release(self, position: int, moment: datetime) -> Iterator[Message]:
        """Deliver what is due at `position`, and what is late and due at `moment`."""
        while self._delayed and self._delayed[0][0] <= position:
            _, _, event, again = heapq.heappop(self._delayed)
            yield from self._repeat(event) if again else self._deliver(event)
        while self._late and self._late[0][0] <= moment:
            yield from self._deliver(heapq.heappop(self._late)[2])
        for stream in [stream for stream, (due, _) in self._waiting.items() if due <= position]:
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
        elif drawn < faults.duplicates + faults.gaps:
            self._delay(event, position + self._random.randint(1, LONGEST_DELAY), again=False)
        elif drawn < faults.duplicates + faults.gaps + faults.reordered:
            self._waiting[stream] = position + LONGEST_DELAY, event
        elif drawn < faults.duplicates + faults.gaps + faults.reordered + faults.late:
            due = event.event_time + self._random.random() * LONGEST_LATENESS
            heapq.heappush(self._late, (due, next(self._order), event))
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
        yield self._message(event)

    def _repeat(self, event: Event) -> Iterator[Message]:
        self.counts.duplicates += 1
        yield self._message(event)

    def _poison(self, event: Event) -> Message:
        reason, value = POISONS[next(self._poisons) % len(POISONS)](event, self._random)
        self.counts.dead_letters[reason] += 1
        return Message(TOPIC_OF[type(event)], event.unit_id.encode(), value, event.event_time)

    def _message(self, event: Event) -> Message:
        return Message(TOPIC_OF[type(event)], event.unit_id.encode(), encode(self._stamped(event)), event.event_time)

    def _stamped(self, event: Event) -> Event:
        """The event as the unit's clock dates it."""
        wrong_by = self._wrong_by(event.unit_id)
        if not wrong_by or not isinstance(event, CdaDocuments | RealtimeForms):
            return event
        return replace(event, event_time=event.event_time + wrong_by)

    def _wrong_by(self, unit_id: UnitId) -> timedelta:
        if unit_id not in self._clocks:
            random = Random(f"{self._seed}|clock|{unit_id}")
            self._clocks[unit_id] = random.choice(_WRONG_BY) if random.random() < self._faults.wrong_clocks else timedelta()
        return self._clocks[unit_id]


def _stream_of(event: Event) -> _Stream:
    return event.unit_id, TOPIC_OF[type(event)], event.series
