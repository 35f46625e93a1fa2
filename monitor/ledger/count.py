"""Count decoded events: read what is known of their streams, fold, post. Shell: runs inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, select

from monitor.counting.batch import Arrivals, Rows
from monitor.counting.changes import Changes, Row
from monitor.counting.event_clock import believed_moment
from monitor.counting.fold import Known, Touched
from monitor.counting.kept import columns_of, keeper
from monitor.counting.receipt_hash import ReceiptHasher
from monitor.counting.streams import StreamKey
from monitor.ledger import tables
from monitor.ledger.bulk import read
from monitor.ledger.known import read_known
from monitor.ledger.platform_clock import read_clock
from monitor.ledger.posting import Before, post
from monitor.ledger.statements import table_of
from schemas.kinds.kind import Added
from schemas.topics import KINDS, TOPIC_OF, Topic

_LEDGER_KEY: Final = table_of(tables.LedgerKey)


def read_key(connection: Connection) -> bytes:
    """The key that the ledger's receipts are hashed with."""
    key: bytes = connection.execute(select(_LEDGER_KEY.c.key)).scalar_one()
    return key


def count(connection: Connection, batches: Sequence[Arrivals], key: bytes, *, near_limit: bool = False) -> list[Changes]:
    """Count the events of `batches`, each event once. Returns what each batch changed, and what of it was refused.

    Raises SumOverflow when a sum would not fit; asked again with `near_limit`, it refuses those events instead.

    1. lock and read the streams that they touch, and the receipts of numbers seen before
    2. fold
    3. post what is kept, feed progress, streams and receipts
    """
    if not batches:
        return []
    known = Known({}, ReceiptHasher(key), clock=read_clock(connection))
    found = _merged([batch.touched() for batch in batches])
    read_known(connection, found, known)  # 1
    if near_limit:
        batches = [Rows(batch.rows()) for batch in batches]
        known.room = _room(connection, batches)
    before = {stream: Before(state.next_sequence, frozenset(state.gaps)) for stream, state in known.streams.items()}
    changes = [batch.fold(known) for batch in batches]  # 2
    everything = Changes()
    for each in changes:
        everything.add(each)
    post(connection, everything, known, before)  # 3
    return changes


def _merged(found: Sequence[Mapping[StreamKey, Touched]]) -> Mapping[StreamKey, Touched]:
    merged: dict[StreamKey, Touched] = {}
    for streams in found:
        for key, touched in streams.items():
            before = merged.get(key)
            merged[key] = touched if before is None else before.joined(touched)
    return merged


def _room(connection: Connection, batches: Sequence[Arrivals]) -> dict[tuple[Topic, Row], Row]:
    """What stands in the sums to which the events of `batches` may add."""
    keys: dict[Topic, set[Row]] = {}
    for batch in batches:
        for _, event, received_at in batch.rows():
            topic = TOPIC_OF[type(event)]
            keys.setdefault(topic, set()).add(keeper(topic).row(event, believed_moment(event, received_at))[0])
    return {
        (topic, key): values
        for topic, rows in keys.items()
        if isinstance(KINDS[topic].kept, Added)
        for key, values in _standing(connection, topic, rows).items()
    }


def _standing(connection: Connection, topic: Topic, keys: set[Row]) -> dict[Row, Row]:
    columns = columns_of(KINDS[topic])
    table = tables.TABLE_OF[topic]
    same = " AND ".join(f"{table.name}.{name} = {_given(connection, name)}" for name in columns.key)
    chosen = ", ".join(f"{table.name}.{name}" for name in (*columns.key, *columns.values))
    given = [tuple(value.isoformat() if isinstance(value, date) else value for value in key) for key in keys]
    rows = read(connection, dict.fromkeys(columns.key, str), given, f"SELECT {chosen} FROM given JOIN {table.name} ON {same}")
    width = len(columns.key)
    texts = {tuple(map(str, key)): key for key in keys}
    return {texts[tuple(map(str, row[:width]))]: tuple(row[width:]) for row in rows}


def _given(connection: Connection, name: str) -> str:
    dated = name == "business_date" and connection.dialect.name == "postgresql"
    return f"CAST(given.{name} AS date)" if dated else f"given.{name}"
