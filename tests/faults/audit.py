"""Who moved which partition from where to where, and when: written by the database itself."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Engine, text

_INSTALL: Final = (
    """
    CREATE TABLE audit (
        id bigserial PRIMARY KEY, who text, topic_id text, partition int, before bigint, after bigint,
        at timestamptz DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO audit (who, topic_id, partition, before, after)
        VALUES (current_setting('application_name'), new.topic_id, new.partition, old.next_offset, new.next_offset);
        RETURN new;
    END $$
    """,
    """
    CREATE TRIGGER note_move AFTER UPDATE ON source_offset
    FOR EACH ROW WHEN (old.next_offset <> new.next_offset) EXECUTE FUNCTION note_move()
    """,
)


class Move(NamedTuple):
    """One change of a partition's offset that was committed."""

    who: str
    topic_id: str
    partition: int
    before: int
    after: int
    at: datetime


def install_audit(engine: Engine) -> None:
    with engine.begin() as connection:
        for statement in _INSTALL:
            connection.execute(text(statement))


def moves(engine: Engine) -> list[Move]:
    """Every move, in the order in which they were made."""
    with engine.connect() as connection:
        return [Move(*row[1:]) for row in connection.execute(text("SELECT * FROM audit ORDER BY id"))]


def now(engine: Engine) -> datetime:
    """By the clock that the audit is written with."""
    with engine.connect() as connection:
        moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return moment


def broken_links(found: Sequence[Move]) -> list[tuple[Move | None, Move]]:
    """Moves that do not go on where the one before, of the same partition, ended; none if nothing was written twice."""
    chains: dict[tuple[str, int], list[Move]] = defaultdict(list)
    broken: list[tuple[Move | None, Move]] = []
    for move in found:
        chain = chains[move.topic_id, move.partition]
        before = chain[-1] if chain else None
        if move.before != (before.after if before else 0) or move.after <= move.before:
            broken.append((before, move))
        chain.append(move)
    return broken
