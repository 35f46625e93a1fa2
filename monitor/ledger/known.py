"""What the ledger knows of the streams of a batch, read and locked. Shell: inside the caller's transaction.

No more is read than the numbers of the batch touch, however many gaps are open and receipts stored.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from monitor.counting.fold import Known, Touched, old_numbers
from monitor.counting.receipt_hash import HASH_BYTES, split_hashes
from monitor.counting.receipts import OtherSeries, ReceiptRun, Receipts
from monitor.counting.streams import MAX_SERIES, Gap, Stream, StreamKey, ranges
from monitor.ledger import tables
from monitor.ledger.bulk import NOTHING, read, write
from monitor.ledger.statements import table_of
from schemas.clock import from_days, to_days
from schemas.topics import Topic

_STREAM: Final = table_of(tables.StreamState)
_KEY: Final[Mapping[str, type[str] | type[int]]] = {"unit_id": str, "topic": str, "series": str}
_RANGE: Final[Mapping[str, type[str] | type[int]]] = {**_KEY, "lower": int, "upper": int}
COUNTS: Final = ("next_sequence", "accepted", "duplicates", "skipped", "filled", "ahead", "behind")
DAYS: Final = ("last_day", "oldest_day", "newest_day")
_SAME: Final = "found.unit_id = given.unit_id AND found.topic = given.topic AND found.series = given.series"
MAX_HASHES: Final = 1_000_000
"""So many receipts of a unit's other series are held against a batch, the newest: some 100 MB of memory at the very most."""


def read_known(connection: Connection, found: Mapping[StreamKey, Touched], known: Known) -> None:
    """Read into `known` all that counting the streams `found` needs.

    1. lock the streams, in one order, so that two workers cannot wait for each other for ever; make those that are new
    2. read the gaps and receipts of numbers that were seen before
    3. read the receipts of the units' other series, for the days of the batch
    """
    known.streams = _locked(connection, list(found))  # 1
    old = [(*key, *span) for key, numbers in old_numbers(known.streams, found).items() for span in ranges(numbers)]
    for row in read(connection, _RANGE, old, _touching("open_gap", "first_missing", "last_missing, after_day, before_day")):  # 2
        known.streams[_key(row)].gaps.append(Gap(row[3], row[4], _day(row[5]), _day(row[6])))
    for stream in known.streams.values():
        stream.gaps = sorted(set(stream.gaps), key=lambda gap: gap.first)
    receipts = _touching("receipt_run", "first", "oldest_day, newest_day, hashes")
    known.receipts = Receipts(_run(row) for row in set(read(connection, _RANGE, old, receipts)))
    known.other_series = _other_series(connection, found)  # 3


def _locked(connection: Connection, keys: Sequence[StreamKey]) -> dict[StreamKey, Stream]:
    found = _lock(connection, keys)
    new = [key for key in keys if key not in found]
    if new:
        allowed = sorted(_allowed(connection, new))
        write(connection, _STREAM, (*_KEY, *COUNTS), [(*key, 1, *[0] * (len(COUNTS) - 1)) for key in allowed], NOTHING)
        found |= _lock(connection, allowed)
    return found


def _lock(connection: Connection, keys: Sequence[StreamKey]) -> dict[StreamKey, Stream]:
    columns = ", ".join(f"found.{name}" for name in (*_KEY, *COUNTS, *DAYS))
    order = "ORDER BY found.unit_id, found.topic, found.series"
    statement = f"SELECT {columns} FROM given JOIN stream_state AS found ON {_SAME} {order} {{lock}}"
    return {
        _key(row): Stream(row[3], [], *row[4:10], *map(_day, row[10:])) for row in read(connection, _KEY, sorted(keys), statement)
    }


def _allowed(connection: Connection, new: Sequence[StreamKey]) -> list[StreamKey]:
    """The new streams for which their unit and topic have room, in the order in which they came."""
    units = {(key.unit_id, key.topic) for key in new}
    statement = (
        "SELECT given.unit_id, given.topic, count(*) FROM given JOIN stream_state AS found"
        " ON found.unit_id = given.unit_id AND found.topic = given.topic GROUP BY given.unit_id, given.topic"
    )
    series = Counter({(row[0], row[1]): row[2] for row in read(connection, {"unit_id": str, "topic": str}, units, statement)})
    allowed = []
    for key in new:
        if series[key.unit_id, key.topic] < MAX_SERIES:
            series[key.unit_id, key.topic] += 1
            allowed.append(key)
    return allowed


def _touching(table: str, first: str, others: str) -> str:
    """The rows of `table` that touch the given ranges: the last that begins at or before the lower end, and all up to the upper.

    The rows of a stream do not overlap.
    """
    begins = f"(SELECT max(b.{first}) FROM {table} AS b WHERE {_SAME.replace('found.', 'b.')} AND b.{first} <= given.lower)"
    columns = ", ".join(f"found.{name}" for name in (*_KEY, first, *others.split(", ")))
    return (
        f"SELECT {columns} FROM given JOIN {table} AS found ON {_SAME}"
        f" AND found.{first} >= coalesce({begins}, given.lower) AND found.{first} <= given.upper"
    )


def _other_series(connection: Connection, found: Mapping[StreamKey, Touched]) -> OtherSeries:
    """What the units of a batch sent in other series, for the days of the batch; a re-sent event has the date that it had."""
    series = Counter((key.unit_id, key.topic) for key in found)
    other = OtherSeries({unit: {} for unit, count in series.items() if count > 1})
    given = [(*key, to_days(touched.oldest), to_days(touched.newest)) for key, touched in found.items()]
    statement = (
        "SELECT r.unit_id, r.topic, r.series, r.first, r.oldest_day, r.newest_day, r.hashes FROM given JOIN stream_state AS found"
        " ON found.unit_id = given.unit_id AND found.topic = given.topic AND found.series <> given.series"
        " AND found.newest_day >= given.lower AND found.oldest_day <= given.upper JOIN receipt_run AS r"
        " ON r.unit_id = found.unit_id AND r.topic = found.topic AND r.series = found.series"
        f" AND r.newest_day >= given.lower AND r.oldest_day <= given.upper ORDER BY r.newest_day DESC LIMIT {MAX_HASHES}"
    )
    taken = 0
    for row in read(connection, _RANGE, given, statement):
        run = _run(row)
        other.ids.setdefault((run.stream.unit_id, run.stream.topic), {})
        if taken < MAX_HASHES:
            other.add(run.stream, split_hashes(run.hashes))
        taken += len(run.hashes) // HASH_BYTES
    return other


def _run(row: Sequence[Any]) -> ReceiptRun:
    return ReceiptRun(_key(row), row[3], from_days(row[4]), from_days(row[5]), bytes(row[6]))


def _key(row: Sequence[Any]) -> StreamKey:
    return StreamKey(row[0], Topic(row[1]), row[2])


def _day(days: int | None) -> Any:
    return None if days is None else from_days(days)
