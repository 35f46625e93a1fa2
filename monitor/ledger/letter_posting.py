"""Keep a batch's dead letters in the ledger. Shell: runs inside the transaction of `Ledger.append`, never alone."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from monitor.counting.changes import Row
from monitor.ledger import tables
from monitor.ledger.bulk import adding, read, write
from monitor.ledger.statements import table_of
from monitor.ledger.tables.dead_letters import LetterState
from monitor.ledger.unknown_senders import post_unknown_senders
from schemas.events import DeadLetter
from schemas.topics import Topic

_LETTER: Final = table_of(tables.DeadLetterRow)
_LETTER_COUNT: Final = table_of(tables.DeadLetterCount)
_PLACE: Final = ("topic_id", "partition", "position", "recurrence", "topic")
_COLUMNS: Final = (*_PLACE, "received_at", "reason", "detail", "unit_id", "key", "value", "state")
_VALUE_AT: Final = _COLUMNS.index("value")
_PART_BYTES: Final = 1 << 20
"""Values that are written at once: meanwhile they are in memory several times over, and a letter may have megabytes."""


def post_dead_letters(
    connection: Connection, topic_id: str, topic: Topic, dead_letters: Sequence[DeadLetter], units: Container[str]
) -> None:
    """Keep dead letters, each under the unit that its key names, and count them by topic and reason."""
    if not dead_letters:
        return
    before = _standing(connection, topic_id, dead_letters)
    rows = [
        (
            topic_id,
            letter.partition,
            letter.offset,
            before.get((letter.partition, letter.offset), 0),
            letter.topic,
            letter.received_at,
            letter.reason,
            letter.detail,
            _unit_in(letter.key, units),
            letter.key,
            letter.value,
            LetterState.KEPT,
        )
        for letter in dead_letters
    ]
    for part in _in_parts(rows):
        write(connection, _LETTER, _COLUMNS, part)
    reasons = [letter.reason for letter in dead_letters]
    totals = [(topic, reason, reasons.count(reason)) for reason in sorted(set(reasons))]
    write(connection, _LETTER_COUNT, ("topic", "reason", "total"), totals, adding(connection, _LETTER_COUNT, ("total",)))
    post_unknown_senders(connection, topic, dead_letters)


def _in_parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The rows of letters, in parts of about a megabyte, and of one letter at least."""
    begin, held = 0, 0
    for place, row in enumerate(rows):
        size = len(row[_VALUE_AT] or b"")
        if held and held + size > _PART_BYTES:
            yield rows[begin:place]
            begin, held = place, 0
        held += size
    yield rows[begin:]


def _standing(connection: Connection, topic_id: str, dead_letters: Sequence[DeadLetter]) -> Mapping[tuple[int, int], int]:
    """How many dead letters stand already where one of these stood: a broker that lost messages gives their places again."""
    statement = (
        "SELECT given.partition, given.position, count(*) FROM given JOIN dead_letter AS found ON found.topic_id = given.topic_id"
        " AND found.partition = given.partition AND found.position = given.position GROUP BY given.partition, given.position"
    )
    given = [(topic_id, letter.partition, letter.offset) for letter in dead_letters]
    rows = read(connection, {"topic_id": str, "partition": int, "position": int}, given, statement)
    return {(row[0], row[1]): row[2] for row in rows}


def _unit_in(key: bytes | None, units: Container[str]) -> str | None:
    """The unit that a message's key names; None when it names none of ours, for it may hold anything."""
    unit_id = (key or b"").decode("utf-8", "replace")
    return unit_id if unit_id in units else None
