"""Look into a ledger file with nothing but sqlite3: what the tests hold against the truth is not read by the code under test."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Counters:
    """What a ledger says it has counted. `open_numbers`: sequence numbers that are missing."""

    accepted: int
    duplicates: int
    skipped: int
    filled: int
    open_numbers: int
    dead_letters: Mapping[str, int]


def query(ledger: Path, statement: str, *values: object) -> list[Sequence[Any]]:
    """All rows; an empty list while the ledger is not there yet."""
    try:
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(statement, values).fetchall()
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error) or "no such table" in str(error):
            return []
        raise


def counters(ledger: Path) -> Counters:
    streams = (
        "SELECT coalesce(sum(accepted), 0), coalesce(sum(duplicates), 0), coalesce(sum(skipped), 0), coalesce(sum(filled), 0)"
    )
    rows = query(ledger, f"{streams} FROM stream_state") or [(0, 0, 0, 0)]
    accepted, duplicates, skipped, filled = rows[0]
    missing = query(ledger, "SELECT coalesce(sum(last_missing - first_missing + 1), 0) FROM open_gap") or [(0,)]
    letters: Counter[str] = Counter()
    for reason, total in query(ledger, "SELECT reason, total FROM dead_letter_count"):
        letters[reason] += total
    return Counters(accepted, duplicates, skipped, filled, missing[0][0], dict(letters))


def counted(ledger: Path) -> int:
    """Messages that the ledger has passed, whatever became of them."""
    rows = query(ledger, "SELECT coalesce(sum(next_offset), 0) FROM source_offset")
    return int(rows[0][0]) if rows else 0


def is_locked(ledger: Path) -> bool:
    """Whether somebody is in the midst of a write."""
    with closing(sqlite3.connect(ledger, timeout=0.5, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
        return False
