"""A worker whose compare-and-set is disabled: proof that a chaos run can fail. Never part of the product."""

from sqlalchemy import Connection, update

from hipwatch.__main__ import main
from monitor import tables
from monitor.database import table_of
from monitor.ledger import Ledger, Position


def _always_move(self: Ledger, connection: Connection, start: Position, next_offset: int) -> bool:
    offset = table_of(tables.SourceOffset)
    here = (offset.c.topic_id == start.topic_id, offset.c.partition == start.partition)
    connection.execute(update(offset).where(*here).values(next_offset=next_offset))
    return True


if __name__ == "__main__":
    Ledger._move = _always_move  # type: ignore[method-assign]
    main()
