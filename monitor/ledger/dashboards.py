"""Write what dashboards read. Shell.

Invariant: readers see all of one writing or nothing of it; of several `serve` one writes at a time. A row that is as it was is
not written again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, delete, select, true, update

from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import insert, insert_rows, table_of

Rows = Sequence[Mapping[str, Any]]
"""Each a row by the names of its table's columns."""
_MOMENT: Final = table_of(tables.DashboardMoment)
_UNIT: Final = table_of(tables.RegisterUnit)
_TABLE: Final = table_of(tables.RegisterTable)
_FORM: Final = table_of(tables.RegisterForm)
_FEED: Final = table_of(tables.FeedStatusRow)
_MONTH: Final = table_of(tables.MonthRow)
_LADDER: Final = table_of(tables.LadderRow)


@dataclass(frozen=True)
class DashboardRows:
    """What is shown: all of it, but of the bulletins only the rows of `written_months` (first days)."""

    units: Rows
    tables: Rows
    forms: Rows
    feeds: Rows
    ladder: Rows
    months: Rows
    written_months: Collection[date]


def write_dashboards(engine: Engine, clock: datetime | None, rows: DashboardRows) -> None:
    """Make the tables hold `rows`, which are of the platform's moment `clock`. Raises LedgerUnavailable."""
    with friendly_errors(engine), writing(engine) as connection:
        connection.execute(update(_MOMENT).values(clock=clock, written_at=datetime.now(UTC)))  # another `serve` waits here
        for table, found in (
            (_UNIT, rows.units),
            (_TABLE, rows.tables),
            (_FORM, rows.forms),
            (_FEED, rows.feeds),
            (_LADDER, rows.ladder),
        ):
            _replace(connection, table, found, true())
        _replace(connection, _MONTH, rows.months, _MONTH.c.month.in_(rows.written_months))


def _replace(connection: Connection, table: Table, rows: Rows, held: ColumnElement[bool]) -> None:
    """Of the rows that are `held`, take away those that are gone, and write those that are new or have changed."""
    key = list(table.primary_key.columns)

    def place(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[column.name] for column in key)

    stored = (dict(row) for row in connection.execute(select(table).where(held)).mappings())
    before = {place(row): row for row in stored}
    for gone in before.keys() - {place(row) for row in rows}:
        connection.execute(delete(table).where(and_(*(column == value for column, value in zip(key, gone, strict=True)))))
    statement = insert(connection, table)
    written = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    changed = [row for row in rows if before.get(place(row)) != row]
    insert_rows(connection, statement.on_conflict_do_update(index_elements=key, set_=written), changed)
