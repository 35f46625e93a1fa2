"""Dead letters in the ledger: find, publish, replay after a fix, discard. Shell; every method is one transaction."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate, islice
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, func, literal, or_, select, true, tuple_, update

from monitor.counting.batch import Position, Rows
from monitor.counting.changes import Arrival
from monitor.ledger import tables
from monitor.ledger.append import WHY_REFUSED
from monitor.ledger.count import count, read_key
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import table_of
from monitor.ledger.tables.dead_letters import LetterState
from schemas.codec.decode import decode
from schemas.codec.message_key import require_key
from schemas.codec.reasons import DecodeError, Reason
from schemas.codec.refusal import refuse_simulated
from schemas.errors import HipwatchError
from schemas.events import DeadLetter
from schemas.register import Register
from schemas.topics import Topic, topic_named
from schemas.visible import visible

_LETTER: Final = table_of(tables.DeadLetterRow)
_IN_ORDER: Final = (_LETTER.c.received_at, _LETTER.c.position, _LETTER.c.partition, _LETTER.c.topic_id)
_PAGE: Final = 200
_PAGE_BYTES: Final = 8 << 20
"""Letters that are in memory at once: each may have a megabyte."""
_PLACE: Final = re.compile(r"(?P<topic>.+)-(?P<partition>[0-9]{1,9})@(?P<offset>[0-9]{1,18})")


@dataclass(frozen=True)
class DeadLetterFilter:
    """Which letters; None means any. `since` and `until` bound the time of receipt (until: not included).

    A unit's letters are also those that it sent before the register knew it.
    """

    reason: Reason | None = None
    unit_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: LetterState | None = LetterState.KEPT

    def condition(self) -> ColumnElement[bool]:
        """As SQL."""
        column = _LETTER.c
        wanted: list[ColumnElement[bool]] = [true()]
        wanted += [column.reason == self.reason] if self.reason else []
        if self.unit_id:
            unknown_then = and_(column.unit_id.is_(None), column.key == self.unit_id.encode())
            wanted.append(or_(column.unit_id == self.unit_id, unknown_then))
        wanted += [column.received_at >= self.since] if self.since else []
        wanted += [column.received_at < self.until] if self.until else []
        wanted += [column.state == self.state] if self.state else []
        return and_(*wanted)


@dataclass(frozen=True)
class StoredDeadLetter:
    """A letter in the ledger, and what has become of it."""

    position: Position
    recurrence: int
    letter: DeadLetter
    unit_id: str | None
    state: LetterState
    settled_at: datetime | None

    @property
    def place(self) -> str:
        """`topic-partition@offset`: how commands name it."""
        return f"{self.letter.topic}-{self.letter.partition}@{self.letter.offset}"


@dataclass(frozen=True)
class Replayed:
    """What a replay did: how many letters count now, were counted already, and still fail."""

    counted: int = 0
    duplicates: int = 0
    failed: int = 0


class _StillFails(Exception):
    """Why a letter cannot be counted yet."""


class DeadLetters:
    """The dead letters of a ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, wanted: DeadLetterFilter, most: int = 1_000) -> list[StoredDeadLetter]:
        """Letters in order of receipt."""
        return list(islice(self.each(wanted), most))

    def each(self, wanted: DeadLetterFilter) -> Iterator[StoredDeadLetter]:
        """Letters in order of receipt, however many, a page at a time; what is done to a letter does not disturb the order."""
        yield from self._pages(wanted.condition())

    def at(self, place: str) -> StoredDeadLetter:
        """The letter that stood last at `topic-partition@offset`. Raises HipwatchError when there is none."""
        if (found := _PLACE.fullmatch(place)) is not None:
            column = _LETTER.c
            here = and_(column.topic == found["topic"], column.partition == int(found["partition"]))
            statement = select(_LETTER).where(here, column.position == int(found["offset"])).order_by(column.recurrence.desc())
            with friendly_errors(self._engine), self._engine.connect() as connection:
                if (row := connection.execute(statement).first()) is not None:
                    return _kept(row)
        raise HipwatchError(
            f"there is no dead letter {visible(place)}; 'hipwatch dead-letters list' names them as TOPIC-PARTITION@OFFSET"
        )

    def replay(
        self,
        letters: Iterable[StoredDeadLetter],
        register: Register,
        failing: Callable[[StoredDeadLetter, str], None] = lambda kept, why: None,
        *,
        simulated: bool = False,
    ) -> Replayed:
        """Try to count letters again, each in a transaction of its own; what counts, or had counted, is settled.

        Whatever a letter's state was, its event counts once: the receipt of its sequence number decides. `failing` is told
        of each that still fails, and why. `simulated`: whether what the simulator made is counted.
        """
        done = Replayed()
        for kept in letters:
            try:
                counted, duplicates = self._replay_one(kept, register, simulated=simulated)
            except _StillFails as failure:
                failing(kept, str(failure))
                done = replace(done, failed=done.failed + 1)
            else:
                done = replace(done, counted=done.counted + counted, duplicates=done.duplicates + duplicates)
        return done

    def _replay_one(self, kept: StoredDeadLetter, register: Register, *, simulated: bool) -> tuple[int, int]:
        """How many events now count, and how many had counted."""
        if kept.state is LetterState.DISCARDED:
            raise _StillFails("it was discarded, and its bytes are gone")
        try:
            event = decode(kept.letter.value, _topic_of(kept), register, kept.letter.received_at)
            if not simulated:
                refuse_simulated(event)
            require_key(kept.letter.key, event, null_keys=True)  # whoever replays has seen that it has none
        except DecodeError as error:
            raise _StillFails(str(error)) from None
        with friendly_errors(self._engine), writing(self._engine) as connection:
            if not _settle(connection, kept, LetterState.REPLAYED):
                return 0, 0  # somebody else has settled it
            arrival = Rows([Arrival(kept.letter.offset, event, kept.letter.received_at)])
            (result,) = count(connection, [arrival], read_key(connection), near_limit=True)
            for _, reason in result.refused:  # leaving the block by an error rolls back
                raise _StillFails(f"{reason}: {WHY_REFUSED[reason]}")
        return result.accepted, result.duplicates

    def discard(self, letters: Iterable[StoredDeadLetter]) -> int:
        """Give letters up: their bytes are erased, the fact that they were here stays. Returns how many."""
        gone = 0
        remaining = iter(letters)
        while page := list(islice(remaining, _PAGE)):
            with friendly_errors(self._engine), writing(self._engine) as connection:
                gone += sum(_settle(connection, kept, LetterState.DISCARDED, key=None, value=None) for kept in page)
        return gone

    def unpublished(self, most: int = 100, after: StoredDeadLetter | None = None) -> list[StoredDeadLetter]:
        """Letters that are not yet on the dead-letter topic, oldest first; those behind `after` only.

        At most `most`, and about as many bytes as fit into memory beside all else: a letter may hold megabytes.
        """
        wanted = and_(_LETTER.c.published_at.is_(None), _LETTER.c.state != LetterState.DISCARDED)
        fitting = self._how_many_fit(wanted, most, after)
        return list(islice(self._pages(wanted, fitting, after), fitting))

    def _how_many_fit(self, wanted: ColumnElement[bool], most: int, after: StoredDeadLetter | None) -> int:
        """How many letters may be read at once, one at least."""
        behind = true() if after is None else _behind(after)
        lengths = select(func.coalesce(func.length(_LETTER.c.value), 0)).where(wanted, behind).order_by(*_IN_ORDER).limit(most)
        with friendly_errors(self._engine), self._engine.connect() as connection:
            sums = list(accumulate(connection.execute(lengths).scalars()))
        return max(1, len([total for total in sums if total <= _PAGE_BYTES]))

    def _pages(
        self, wanted: ColumnElement[bool], page: int = _PAGE, after: StoredDeadLetter | None = None
    ) -> Iterator[StoredDeadLetter]:
        while True:
            behind = true() if after is None else _behind(after)
            statement = select(_LETTER).where(wanted, behind).order_by(*_IN_ORDER).limit(page)
            with friendly_errors(self._engine), self._engine.connect() as connection:
                found = [_kept(row) for row in connection.execute(statement)]
            yield from found
            if len(found) < page:
                return
            after = found[-1]

    def set_published(self, letters: Sequence[StoredDeadLetter]) -> None:
        """These letters are on the dead-letter topic now."""
        with friendly_errors(self._engine), writing(self._engine) as connection:
            for kept in letters:
                connection.execute(update(_LETTER).where(_at(kept)).values(published_at=datetime.now(UTC)))


def _topic_of(kept: StoredDeadLetter) -> Topic:
    topic = topic_named(kept.letter.topic)
    if topic is None:
        raise HipwatchError(f"the dead letter {kept.place} stood on a topic that is not ours")
    return topic


def _settle(connection: Connection, kept: StoredDeadLetter, state: LetterState, **values: None) -> bool:
    """By compare-and-set: False when the letter is not in the state any more in which it was found."""
    here = and_(_at(kept), _LETTER.c.state == kept.state)
    settled = connection.execute(update(_LETTER).where(here).values(state=state, settled_at=datetime.now(UTC), **values))
    return settled.rowcount == 1


def _behind(kept: StoredDeadLetter) -> ColumnElement[bool]:
    place = kept.position
    values = (kept.letter.received_at, place.offset, place.partition, place.topic_id)
    return tuple_(*_IN_ORDER) > tuple_(*(literal(value, column.type) for value, column in zip(values, _IN_ORDER, strict=True)))


def _at(kept: StoredDeadLetter) -> ColumnElement[bool]:
    return and_(
        _LETTER.c.topic_id == kept.position.topic_id,
        _LETTER.c.partition == kept.position.partition,
        _LETTER.c.position == kept.position.offset,
        _LETTER.c.recurrence == kept.recurrence,
    )


def _kept(row: Row[tuple[object, ...]]) -> StoredDeadLetter:
    letter = DeadLetter(row.topic, row.partition, row.position, row.received_at, row.reason, row.detail, row.key, row.value)
    position = Position(row.topic_id, row.partition, row.position)
    return StoredDeadLetter(position, row.recurrence, letter, row.unit_id, LetterState(row.state), row.settled_at)
