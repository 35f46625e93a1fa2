"""What stands in a ledger, table by table; and an empty one again."""

from typing import Any

from sqlalchemy import Engine, Table, delete, select
from sqlmodel import SQLModel

from monitor.counting.receipt_hash import split_hashes
from monitor.counting.streams import StreamKey
from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.statements import table_of
from schemas.topics import KINDS, Topic
from tests.unit.monitor.merging import MEASURES, MemoryLedger, Sums

Model = type[SQLModel] | Topic
"""A table of its own, or that of a kind of event."""
EVERY_TABLE: tuple[Model, ...] = (
    tables.SourceOffset,
    tables.ActiveHour,
    *KINDS,
    tables.FeedState,
    tables.FeedHour,
    tables.SentDay,
    tables.UnknownSenderRow,
    tables.CanaryRow,
    tables.StreamState,
    tables.OpenGap,
    tables.StoredReceipts,
    tables.DeadLetterRow,
    tables.DeadLetterCount,
    tables.Incident,
    tables.Delivery,
)


def table(model: Model) -> Table:
    return tables.TABLE_OF[model] if isinstance(model, Topic) else table_of(model)


def rows(engine: Engine, model: Model) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    found = table(model)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(found).order_by(*found.primary_key.columns)).mappings()]


def only_row(engine: Engine, model: Model) -> dict[str, Any]:
    (row,) = rows(engine, model)
    return row


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Everything, to be compared with everything at another time; in which runs receipts lie is no matter."""
    found = {table(model).name: rows(engine, model) for model in EVERY_TABLE if model is not tables.StoredReceipts}
    return found | {"clock": rows(engine, tables.PlatformClock), "receipts": receipts(engine)}


def receipts(engine: Engine) -> list[dict[str, Any]]:
    """Every receipt, one by one."""
    return [
        {"stream": StreamKey(row["unit_id"], Topic(row["topic"]), row["series"]), "sequence": row["first"] + place, "hash": found}
        for row in rows(engine, tables.StoredReceipts)
        for place, found in enumerate(split_hashes(row["hashes"]))
    ]


def empty(engine: Engine) -> None:
    """Forget everything: for tests that try many histories on one database."""
    with writing(engine) as connection:
        for model in EVERY_TABLE:
            connection.execute(delete(table(model)))
        connection.execute(table_of(tables.PlatformClock).update().values(greatest_event_at=None, complete_until=None))


def sums_in(engine: Engine) -> dict[str, Any]:
    """The ledger's sums in the shape of `Sums`."""
    missing: dict[StreamKey, set[int]] = {}
    accepted = {}
    for row in rows(engine, tables.StreamState):
        key = StreamKey(row["unit_id"], Topic(row["topic"]), row["series"])
        missing[key], accepted[key] = set(), row["accepted"]
    for row in rows(engine, tables.OpenGap):
        key = StreamKey(row["unit_id"], Topic(row["topic"]), row["series"])
        missing[key] |= set(range(row["first_missing"], row["last_missing"] + 1))
    return {
        "uploads": {
            (row["unit_id"], row["table_code"], row["business_date"]): {
                name: row[name] for name in ("events", "records", *MEASURES)
            }
            for row in rows(engine, Topic.CDA_DOCUMENTS)
        },
        "forms": {
            (row["unit_id"], row["form_code"], row["business_date"]): {name: row[name] for name in ("events", "records")}
            for row in rows(engine, Topic.REALTIME_FORMS)
        },
        "declarations": sorted(row["event_id"] for row in rows(engine, Topic.DECLARATIONS)),
        "missing": missing,
        "accepted": accepted,
    }


def expected_of(sums: Sums | MemoryLedger) -> dict[str, Any]:
    return {
        "uploads": sums.uploads,
        "forms": sums.forms,
        "declarations": sorted(sums.declarations),
        "missing": sums.missing(),
        "accepted": sums.accepted(),
    }
