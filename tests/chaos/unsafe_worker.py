"""A worker whose compare-and-set is disabled: proof that a chaos run can fail. Never part of the product."""

from collections.abc import Sequence

from sqlalchemy import Connection, update

from hipwatch.__main__ import main
from monitor.counting.batch import Position, RawBatch
from monitor.ledger import append, tables
from monitor.ledger.statements import table_of


def _always_move(connection: Connection, raws: Sequence[RawBatch]) -> set[Position]:
    offset = table_of(tables.SourceOffset)
    for raw in raws:
        here = (offset.c.topic_id == raw.start.topic_id, offset.c.partition == raw.start.partition)
        connection.execute(update(offset).where(*here).values(next_offset=raw.next_offset))
    return {raw.start for raw in raws}


if __name__ == "__main__":
    append._move = _always_move
    main()
