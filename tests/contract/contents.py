"""What stands in a ledger, table by table; and an empty one again."""

from typing import Any

from sqlalchemy import Engine, delete, select
from sqlmodel import SQLModel

from monitor import tables
from monitor.database import table_of, writing
from monitor.fold import StreamKey
from schemas.topics import Topic
from tests.unit.monitor.merging import MEASURES, MemoryLedger, Sums

EVERY_TABLE: tuple[type[SQLModel], ...] = (
    tables.SourceOffset,
    tables.ActiveHour,
    tables.UploadDay,
    tables.FormDay,
    tables.DeclaredTables,
    tables.HealthRecordDay,
    tables.FeedState,
    tables.StreamState,
    tables.OpenGap,
    tables.CountedEvent,
    tables.DeadLetterRow,
    tables.DeadLetterCount,
    tables.Incident,
    tables.Delivery,
)


def rows(engine: Engine, model: type[SQLModel]) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    table = table_of(model)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()]


def only_row(engine: Engine, model: type[SQLModel]) -> dict[str, Any]:
    (row,) = rows(engine, model)
    return row


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Everything, to be compared with everything at another time."""
    return {table_of(model).name: rows(engine, model) for model in EVERY_TABLE} | {"clock": rows(engine, tables.PlatformClock)}


def empty(engine: Engine) -> None:
    """Forget everything: for tests that try many histories on one database."""
    with writing(engine) as connection:
        for model in EVERY_TABLE:
            connection.execute(delete(table_of(model)))
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
            for row in rows(engine, tables.UploadDay)
        },
        "forms": {
            (row["unit_id"], row["form_code"], row["business_date"]): (row["events"], row["records"])
            for row in rows(engine, tables.FormDay)
        },
        "declarations": sorted(row["event_id"] for row in rows(engine, tables.DeclaredTables)),
        "missing": missing,
        "accepted": accepted,
    }


def expected_of(sums: Sums | MemoryLedger) -> dict[str, Any]:
    return {
        "uploads": sums.uploads,
        "forms": sums.forms,
        "declarations": sorted(declaration.event_id for declaration in sums.declarations),
        "missing": sums.missing(),
        "accepted": sums.accepted(),
    }
