"""What was counted of the canary: written in the transaction that moves the offset, read for the metrics. Shell."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import reduce
from typing import Final

from sqlalchemy import Connection, and_, select

from monitor.counting.batch import Batch
from monitor.counting.canaries import CanaryCounts, count_canary
from monitor.ledger import tables
from monitor.ledger.statements import insert, table_of

_CANARY: Final = table_of(tables.CanaryRow)
_OFFSET: Final = table_of(tables.SourceOffset)
_COUNTS: Final = [_CANARY.c[field.name] for field in fields(CanaryCounts)]


@dataclass(frozen=True)
class CanaryArrival:
    """How far the canary has come in one partition of a topic, and when its latest event was counted (wall time)."""

    topic: str
    partition: int
    counts: CanaryCounts
    counted_at: datetime


def post_canaries(connection: Connection, batches: Sequence[Batch]) -> None:
    """Count the canary's events of these batches, whose offsets this transaction has moved: nobody else writes their rows."""
    for batch in batches:
        if batch.canaries:
            _post(connection, batch)


def _post(connection: Connection, batch: Batch) -> None:
    topic_id, partition, _ = batch.raw.start
    here = _CANARY.c.topic_id == topic_id, _CANARY.c.partition == partition
    row = connection.execute(select(*_COUNTS).where(*here)).one_or_none()
    first, *others = batch.canaries
    counts = reduce(count_canary, others, count_canary(None if row is None else CanaryCounts(*row), first))
    values = {**asdict(counts), "topic": str(batch.raw.topic), "counted_at": datetime.now(UTC)}
    statement = insert(connection, _CANARY).values(topic_id=topic_id, partition=partition, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["topic_id", "partition"], set_=values))


def read_canaries(connection: Connection) -> list[CanaryArrival]:
    """Every partition that is there and in which the canary was ever counted, in order; rows of a gone topic stay unread."""
    same = and_(_OFFSET.c.topic_id == _CANARY.c.topic_id, _OFFSET.c.partition == _CANARY.c.partition)
    found = select(_CANARY.c.topic, _CANARY.c.partition, _CANARY.c.counted_at, *_COUNTS).join(_OFFSET, same)
    rows = connection.execute(found.order_by(_CANARY.c.topic, _CANARY.c.partition))
    return [CanaryArrival(topic, partition, CanaryCounts(*counts), at) for topic, partition, at, *counts in rows]
