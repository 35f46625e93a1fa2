"""Dead letters in the ledger: find, publish, replay after a fix, discard. Shell; every method is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, or_, select, true, update

from monitor import tables
from monitor.counting import count
from monitor.database import sentences, table_of, writing
from monitor.fold import Arrival
from monitor.ledger import Position
from monitor.tables import LetterState
from schemas.codec import DecodeError, Reason, decode
from schemas.errors import HipwatchError
from schemas.events import DeadLetter
from schemas.register import Register
from schemas.topics import Topic, topic_named

_LETTER: Final = table_of(tables.DeadLetterRow)


@dataclass(frozen=True)
class Filter:
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
class Kept:
    """A letter in the ledger, and what has become of it."""

    position: Position
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
    """What a replay did: letters that count now, that were counted already, and that still fail, each with the reason why."""

    counted: int
    duplicates: int
    failed: Sequence[tuple[Kept, str]]


class Letters:
    """The dead letters of a ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, wanted: Filter, most: int = 1_000) -> list[Kept]:
        """Letters in order of receipt."""
        statement = select(_LETTER).where(wanted.condition()).order_by(_LETTER.c.received_at, _LETTER.c.position).limit(most)
        with sentences(self._engine), self._engine.connect() as connection:
            return [_kept(row) for row in connection.execute(statement)]

    def at(self, place: str) -> Kept:
        """The letter that stood at `topic-partition@offset`. Raises HipwatchError when there is none."""
        head, _, offset = place.rpartition("@")
        topic, _, partition = head.rpartition("-")
        if topic and partition.isdigit() and offset.isdigit():
            here = and_(_LETTER.c.topic == topic, _LETTER.c.partition == int(partition), _LETTER.c.position == int(offset))
            statement = select(_LETTER).where(here).order_by(_LETTER.c.received_at.desc())
            with sentences(self._engine), self._engine.connect() as connection:
                if (row := connection.execute(statement).first()) is not None:
                    return _kept(row)
        raise HipwatchError(f"there is no dead letter {place}; 'hipwatch dead-letters list' names them as TOPIC-PARTITION@OFFSET")

    def replay(self, letters: Sequence[Kept], register: Register) -> Replayed:
        """Try to count letters again, each in a transaction of its own; what counts, or had counted, is settled.

        Whatever a letter's state was, its event counts once: the receipt of its sequence number decides.
        """
        counted = duplicates = 0
        failed = []
        for kept in letters:
            if kept.state is LetterState.DISCARDED:
                failed.append((kept, "it was discarded, and its bytes are gone"))
                continue
            try:
                event = decode(kept.letter.value, _topic_of(kept), register, kept.letter.received_at)
            except DecodeError as error:
                failed.append((kept, str(error)))
                continue
            with sentences(self._engine), writing(self._engine) as connection:
                if not _settle(connection, kept, LetterState.REPLAYED):
                    continue  # somebody else has settled it
                result = count(connection, [Arrival(kept.letter.offset, event, kept.letter.received_at)])
                if result.changes.conflicts:
                    connection.rollback()
                    failed.append((kept, f"{Reason.SEQUENCE_CONFLICT}: this sequence number was counted as another event"))
                    continue
            counted += len(result.changes.receipts)
            duplicates += result.duplicates
        return Replayed(counted, duplicates, failed)

    def discard(self, letters: Sequence[Kept]) -> int:
        """Give letters up: their bytes are erased, the fact that they were here stays. Returns how many."""
        with sentences(self._engine), writing(self._engine) as connection:
            return sum(_settle(connection, kept, LetterState.DISCARDED, key=None, value=None) for kept in letters)

    def unpublished(self, most: int = 100) -> list[Kept]:
        """Letters that are not yet on the dead-letter topic, oldest first."""
        wanted = and_(_LETTER.c.published_at.is_(None), _LETTER.c.state != LetterState.DISCARDED)
        statement = select(_LETTER).where(wanted).order_by(_LETTER.c.received_at).limit(most)
        with sentences(self._engine), self._engine.connect() as connection:
            return [_kept(row) for row in connection.execute(statement)]

    def mark_published(self, letters: Sequence[Kept]) -> None:
        """These letters are on the dead-letter topic now."""
        with sentences(self._engine), writing(self._engine) as connection:
            for kept in letters:
                connection.execute(update(_LETTER).where(_at(kept.position)).values(published_at=datetime.now(UTC)))


def _topic_of(kept: Kept) -> Topic:
    topic = topic_named(kept.letter.topic)
    if topic is None:
        raise HipwatchError(f"the dead letter {kept.place} stood on a topic that is not ours")
    return topic


def _settle(connection: Connection, kept: Kept, state: LetterState, **values: None) -> bool:
    """By compare-and-set: False when the letter is not in the state any more in which it was found."""
    here = and_(_at(kept.position), _LETTER.c.state == kept.state)
    settled = connection.execute(update(_LETTER).where(here).values(state=state, settled_at=datetime.now(UTC), **values))
    return settled.rowcount == 1


def _at(position: Position) -> ColumnElement[bool]:
    return and_(
        _LETTER.c.topic_id == position.topic_id,
        _LETTER.c.partition == position.partition,
        _LETTER.c.position == position.offset,
    )


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    letter = DeadLetter(row.topic, row.partition, row.position, row.received_at, row.reason, row.detail, row.key, row.value)
    position = Position(row.topic_id, row.partition, row.position)
    return Kept(position, letter, row.unit_id, LetterState(row.state), row.settled_at)
