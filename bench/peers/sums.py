"""Sums that a stream processor keeps in its own state, and what of them goes out: the newest of each key, into SQLite.

A sum that is written twice is the same sum, so that a restart does no harm. Of the numbers of a series only the greatest is
kept: that is less than a receipt of each event, and enough for events that come again at once. Stands alone, without hipwatch.
"""

import io
import sqlite3
from datetime import date, timedelta

import fastavro
from counting import schema_beside

_TABLE = """
CREATE TABLE upload_day (unit_id TEXT, table_code TEXT, business_date TEXT, events INTEGER, records INTEGER,
    outpatient_visits INTEGER, PRIMARY KEY (unit_id, table_code, business_date))
"""
_SCHEMA = fastavro.schema.load_schema(schema_beside())


def decoded(value: bytes) -> dict:
    """The event in a message."""
    return fastavro.schemaless_reader(io.BytesIO(value[10:]), _SCHEMA, None)


def added(total: list[int] | None, event: dict) -> list[int]:
    """A sum of uploads, records and visits with one more upload."""
    events, records, visits = total or (0, 0, 0)
    return [events + 1, records + event["record_count"], visits + (event["outpatient_visits"] or 0)]


def place(event: dict) -> str:
    """Where a unit's event counts: table and business date."""
    return f"{event['table_code']}|{date(1970, 1, 1) + timedelta(days=event['business_date'])}"


class SumsTable:
    """The newest sums, in a database of its own."""

    def __init__(self, database: str) -> None:
        self.database = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=NORMAL")
        self.database.execute(_TABLE)

    def write(self, newest: dict[tuple[str, str], list[int]]) -> None:
        """By unit and place, in one transaction."""
        rows = [(unit, *where.split("|"), *total) for (unit, where), total in newest.items()]
        self.database.execute("BEGIN IMMEDIATE")
        self.database.executemany("INSERT OR REPLACE INTO upload_day VALUES (?, ?, ?, ?, ?, ?)", rows)
        self.database.execute("COMMIT")

    def close(self) -> None:
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()
