"""Receipts in the ledger: appended in runs, merged when they are cold. Shell: inside the caller's transaction.

A row is one run of numbers in a batch. Rows are not rewritten while their stream grows: to PostgreSQL a rewritten row is a dead
one. Once a stream has passed a block of numbers, the short runs in it become one. Invariant: runs of a stream never overlap.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from monitor.counting.receipt_hash import HASH_BYTES
from monitor.counting.receipts import ReceiptRun
from monitor.counting.streams import StreamKey
from monitor.ledger import tables
from monitor.ledger.bulk import erase, read, write
from monitor.ledger.statements import table_of
from schemas.clock import from_days, to_days
from schemas.topics import Topic

_RUN: Final = table_of(tables.StoredReceipts)
_KEY: Final = ("unit_id", "topic", "series", "first")
_COLUMNS: Final = (*_KEY, "oldest_day", "newest_day", "hashes")
BLOCK: Final = 1024
"""Numbers of a stream whose runs are merged: 8 KiB, of which a re-sent number reads all."""
WORTH_MERGING: Final = 8
"""Fewer runs in a block take hardly more room than one."""
_GIVEN: Final[Mapping[str, type[str] | type[int]]] = {"unit_id": str, "topic": str, "series": str, "lower": int, "upper": int}
_IN_BLOCK: Final = (
    "FROM given JOIN receipt_run AS found ON found.unit_id = given.unit_id AND found.topic = given.topic"
    " AND found.series = given.series AND found.first >= given.lower AND found.first < given.upper"
)


def append_runs(connection: Connection, runs: Sequence[ReceiptRun]) -> None:
    """Add runs of numbers that had no receipts."""
    write(connection, _RUN, _COLUMNS, [_row(run) for run in runs])


def merge_passed(connection: Connection, passed: Mapping[StreamKey, tuple[int, int]]) -> None:
    """Merge the runs of blocks that streams have just passed: `passed` has the number awaited before and the one awaited now."""
    blocks = [(*key, *_block(before)) for key, (before, now) in sorted(passed.items()) if before // BLOCK != now // BLOCK]
    counted = f"SELECT given.unit_id, given.topic, given.series, given.lower, given.upper {_IN_BLOCK}"
    grouped = "GROUP BY given.unit_id, given.topic, given.series, given.lower, given.upper"
    many = read(connection, _GIVEN, blocks, f"{counted} {grouped} HAVING count(*) >= {WORTH_MERGING}")
    found = read(connection, _GIVEN, many, f"SELECT {', '.join(f'found.{name}' for name in _COLUMNS)} {_IN_BLOCK}")
    short = sorted((_run(row) for row in found), key=lambda run: (run.stream, run.first))
    long = merged(short)
    erase(connection, _RUN, _KEY, [(*run.stream, run.first) for run in short])
    append_runs(connection, long)


def merged(runs: Sequence[ReceiptRun]) -> list[ReceiptRun]:
    """The same receipts in as few runs as can be; `runs` are in order of stream and number."""
    found: list[ReceiptRun] = []
    parts: list[bytes] = []
    for run in runs:
        if found and found[-1].stream == run.stream and found[-1].first + sum(map(len, parts)) // HASH_BYTES == run.first:
            oldest, newest = min(found[-1].oldest, run.oldest), max(found[-1].newest, run.newest)
            found[-1] = found[-1]._replace(oldest=oldest, newest=newest)
            parts.append(run.hashes)
            continue
        if found:
            found[-1] = found[-1]._replace(hashes=b"".join(parts))
        found.append(run)
        parts = [run.hashes]
    if found:
        found[-1] = found[-1]._replace(hashes=b"".join(parts))
    return found


def _block(number: int) -> tuple[int, int]:
    return number // BLOCK * BLOCK, (number // BLOCK + 1) * BLOCK


def _row(run: ReceiptRun) -> tuple[Any, ...]:
    return (*run.stream, run.first, to_days(run.oldest), to_days(run.newest), run.hashes)


def _run(row: Sequence[Any]) -> ReceiptRun:
    key = StreamKey(row[0], Topic(row[1]), row[2])
    return ReceiptRun(key, row[3], from_days(row[4]), from_days(row[5]), bytes(row[6]))
