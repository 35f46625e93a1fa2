"""The few statements in which SQLite and PostgreSQL differ, and rows written many at a time. Shell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, case, column, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

_AT_ONCE: Final = 500
_Value = TypeVar("_Value")


def table_of(model: type[SQLModel]) -> Table:
    """The Core table of a model: the ORM goes row by row."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


def insert(connection: Connection, table: Table) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_rows(connection: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute `statement`, an `insert`, with many rows at once; each has the same columns.

    To PostgreSQL they go as one statement with an array for each column. psycopg's own way is a pipeline, and a worker that
    is frozen in the midst of one is not idle in its transaction as PostgreSQL sees it: no time limit applies, and its
    locks stay until it wakes.
    """
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(statement, rows)
        return
    columns = [statement.table.c[name] for name in rows[0]]
    arrays = [literal([row[c.name] for row in rows], postgresql.ARRAY(c.type)) for c in columns]
    given = func.unnest(*arrays).table_valued(*[column(c.name, c.type) for c in columns], name="given").render_derived()
    connection.execute(statement.from_select(columns, select(*given.c)))


def in_parts(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """The values in their order, a few hundred at a time: databases limit the parameters of a statement."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    add: Sequence[str] = (),
    least: Sequence[str] = (),
    greatest: Sequence[str] = (),
) -> None:
    """Insert `rows`; where a key exists, `add` columns grow (NULL says nothing), `least` and `greatest` keep the extreme."""
    statement = insert(connection, table)
    old, new = table.c, statement.excluded
    changed: dict[str, Any] = {
        name: case((new[name].is_(None), old[name]), else_=func.coalesce(old[name], 0) + new[name]) for name in add
    }
    changed |= {name: case((new[name] < old[name], new[name]), else_=old[name]) for name in least}
    changed |= {name: case((new[name] > old[name], new[name]), else_=old[name]) for name in greatest}
    key = list(table.primary_key.columns)
    insert_rows(connection, statement.on_conflict_do_update(index_elements=key, set_=changed), rows)
