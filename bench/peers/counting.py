"""What every peer does with a poll: decode with fastavro, drop what was counted before, add up, in one SQLite transaction.

Stands alone: it runs in an environment of its own, without hipwatch.
"""

import io
import sqlite3
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import fastavro

TABLES = """
CREATE TABLE seen (unit_id TEXT, series TEXT, sequence INTEGER, event_id TEXT, PRIMARY KEY (unit_id, series, sequence))
    WITHOUT ROWID;
CREATE TABLE upload_day (unit_id TEXT, table_code TEXT, business_date TEXT, events INTEGER, records INTEGER,
    outpatient_visits INTEGER, PRIMARY KEY (unit_id, table_code, business_date));
CREATE TABLE source_offset (partition INTEGER PRIMARY KEY, next_offset INTEGER);
"""
ADD = """
INSERT INTO upload_day VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    events = events + excluded.events, records = records + excluded.records,
    outpatient_visits = outpatient_visits + excluded.outpatient_visits
"""


class Counter:
    """Counts polls into a database of its own."""

    def __init__(self, database: str, schema: str) -> None:
        self.schema = fastavro.schema.load_schema(schema)
        self.database = sqlite3.connect(database, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=NORMAL")
        self.database.executescript(TABLES)

    def count(self, messages: list[tuple[int, int, bytes]]) -> None:
        """Messages as partition, offset and value, in order."""
        run, sums, offsets = self.database.execute, defaultdict(lambda: [0, 0, 0]), {}
        run("BEGIN IMMEDIATE")
        for partition, offset, value in messages:
            event = fastavro.schemaless_reader(io.BytesIO(value[10:]), self.schema, None)
            offsets[partition] = offset + 1
            key = (event["unit_id"], event["series"], event["sequence"], event["event_id"])
            if run("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", key).rowcount:
                day = (date(1970, 1, 1) + timedelta(days=event["business_date"])).isoformat()
                total = sums[event["unit_id"], event["table_code"], day]
                total[0] += 1
                total[1] += event["record_count"]
                total[2] += event["outpatient_visits"] or 0
        self.database.executemany(ADD, [(*key, *total) for key, total in sums.items()])
        self.database.executemany("INSERT OR REPLACE INTO source_offset VALUES (?, ?)", offsets.items())
        run("COMMIT")

    def close(self) -> None:
        self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()


def schema_beside() -> str:
    """The record's schema, as hipwatch ships it."""
    return str(Path(__file__).parents[2] / "schemas" / "avro" / "cda-documents.1.avsc")
