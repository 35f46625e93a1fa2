"""Many rows in one statement, as tuples, alike on SQLite and PostgreSQL. Shell: inside the caller's transaction.

Rows go to PostgreSQL as one array for each column, and to SQLite one by one in a prepared statement. psycopg's own way with
many rows is a pipeline, and a worker that is frozen in the midst of one is not idle in its transaction as PostgreSQL sees it:
no time limit applies, and its locks stay until it wakes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Date, Integer, LargeBinary, Table
from sqlalchemy.exc import DataError, OperationalError

from monitor.counting.kept import MAX_SUM
from monitor.ledger.tables.moment import Moment
from schemas.clock import to_millis

Row = tuple[Any, ...]
NOTHING: Final = "DO NOTHING"
_POSTGRESQL_TYPES: Final = {"str": "text", "int": "bigint"}


class SumOverflow(Exception):
    """A sum would not fit its column. Nothing was written, and the transaction is of no use any more."""


def write(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row], on_conflict: str = "") -> None:
    """Insert `rows`, whose values stand in the order of `columns`. `on_conflict` says what becomes of a key that exists.

    A column in which no row has a value is not written. Raises SumOverflow.
    """
    if not rows:
        return
    on_postgresql = connection.dialect.name == "postgresql"
    values = zip(columns, zip(*rows, strict=True), strict=True)
    carried = {name: found for name, found in values if found.count(None) < len(found)}
    statement = _insert(table, tuple(carried), on_conflict, on_postgresql)
    converted = _converted(table, carried, on_postgresql)
    try:
        if on_postgresql:
            connection.exec_driver_sql(statement, tuple(converted))
        else:
            connection.exec_driver_sql(statement, list(zip(*converted, strict=True)))
    except (DataError, OperationalError) as error:
        if getattr(error.orig, "sqlstate", None) == "22003" or "integer overflow" in str(error.orig):
            raise SumOverflow from None
        raise


def erase(connection: Connection, table: Table, key: Sequence[str], rows: Sequence[Row]) -> None:
    """Delete the rows of these keys: texts and numbers."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        kinds = {name: int if isinstance(table.c[name].type, Integer) else str for name in key}
        same = " AND ".join(f"{table.name}.{name} = given.{name}" for name in key)
        statement = f"{_given(tuple(kinds.items()), True)} DELETE FROM {table.name} USING given WHERE {same}"
        connection.exec_driver_sql(statement, _arrays(rows))
    else:
        same = " AND ".join(f"{name} = ?" for name in key)
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {same}", list(rows))


def read(
    connection: Connection, given: Mapping[str, type[str] | type[int]], rows: Iterable[Row], statement: str
) -> Sequence[Row]:
    """The rows that `statement` selects from `given`, a table of `rows` with the given columns.

    `{lock}` in the statement locks the rows of the table named `found`, where the database has such a thing.
    """
    rows = list(rows)
    if not rows:
        return []
    on_postgresql = connection.dialect.name == "postgresql"
    statement = _given(tuple(given.items()), on_postgresql) + statement.format(
        lock="FOR UPDATE OF found" if on_postgresql else ""
    )
    parameters = _arrays(rows) if on_postgresql else (json.dumps(rows),)
    return [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]


def replacing(columns: Sequence[str], where: str = "") -> str:
    """On conflict: take the new values of `columns`."""
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f"DO UPDATE SET {changed}" + (f" WHERE {where}" if where else "")


def adding(connection: Connection, table: Table, columns: Sequence[str]) -> str:
    """On conflict: add the new values of `columns` to the old ones; NULL says nothing. What does not fit is SumOverflow."""
    add = _plus if connection.dialect.name == "postgresql" else _plus_or_refuse
    return "DO UPDATE SET " + ", ".join(
        f"{name} = CASE WHEN excluded.{name} IS NULL THEN {table.name}.{name} ELSE {add(table.name, name)} END"
        for name in columns
    )


def extending(table: Table, least: Sequence[str], greatest: Sequence[str]) -> str:
    """On conflict: keep the lesser of `least` and the greater of `greatest`."""
    ways = [(name, "<") for name in least] + [(name, ">") for name in greatest]
    changed = [
        f"{name} = CASE WHEN excluded.{name} {way} {table.name}.{name} THEN excluded.{name} ELSE {table.name}.{name} END"
        for name, way in ways
    ]
    return "DO UPDATE SET " + ", ".join(changed)


def _plus(table: str, name: str) -> str:
    return f"coalesce({table}.{name}, 0) + excluded.{name}"


def _plus_or_refuse(table: str, name: str) -> str:
    """SQLite would make a float of a sum that does not fit; `abs` of the least number is the one thing that it refuses."""
    least = f"0 * excluded.{name} - {MAX_SUM} - 1"
    too_great = f"coalesce({table}.{name}, 0) > {MAX_SUM} - excluded.{name}"
    return f"CASE WHEN {too_great} THEN abs({least}) ELSE {_plus(table, name)} END"


@cache
def _insert(table: Table, columns: tuple[str, ...], on_conflict: str, on_postgresql: bool) -> str:
    names = ", ".join(columns)
    key = ", ".join(column.name for column in table.primary_key.columns)
    conflict = f" ON CONFLICT ({key}) {on_conflict}" if on_conflict else ""
    if not on_postgresql:
        return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(columns))}){conflict}"
    arrays = ", ".join(_array(table.c[name].type) for name in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}) AS given{conflict}"


@cache
def _given(columns: tuple[tuple[str, type], ...], on_postgresql: bool) -> str:
    names = ", ".join(name for name, _ in columns)
    if on_postgresql:
        arrays = ", ".join(f"%s::{_POSTGRESQL_TYPES[kind.__name__]}[]" for _, kind in columns)
        return f"WITH given({names}) AS (SELECT * FROM unnest({arrays})) "
    values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
    return f"WITH given({names}) AS MATERIALIZED (SELECT {values} FROM json_each(?)) "


def _array(column_type: Any) -> str:
    """A parameter for a column's values. Bytes go as they are: as text they would be in memory several times over."""
    name = _type(column_type)
    return f"%b::{name}[]" if name == "bytea" else f"%s::{name}[]"


def _type(column_type: Any) -> str:
    if isinstance(column_type, Moment | BigInteger):
        return "bigint"
    if isinstance(column_type, Integer):
        return "integer"
    if isinstance(column_type, Date):
        return "date"
    return "bytea" if isinstance(column_type, LargeBinary) else "text"


def _converted(table: Table, columns: Mapping[str, Row], on_postgresql: bool) -> Iterator[Any]:
    """Each column's values as the driver takes them."""
    for name, values in columns.items():
        converter = _converter(table.c[name].type, on_postgresql)
        found = values if converter is None else [None if value is None else converter(value) for value in values]
        yield _array_of(found) if on_postgresql else found


def _arrays(rows: Iterable[Row]) -> tuple[Any, ...]:
    return tuple(_array_of(column) for column in zip(*rows, strict=True))


def _array_of(values: Sequence[Any]) -> Any:
    """An array as PostgreSQL reads it: psycopg would look at each value's type. Bytes stay a list, which it sends as they are."""
    if isinstance(next((value for value in values if value is not None), None), bytes):
        return list(values)
    return "{" + ",".join(["NULL" if value is None else _element(value) for value in values]) + "}"


def _element(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else str(value)


@lru_cache(maxsize=16_384)
def _quoted(text: str) -> str:
    """Codes of units and tables come again and again."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _converter(column_type: Any, on_postgresql: bool) -> Callable[[Any], Any] | None:
    if isinstance(column_type, Moment):
        return to_millis
    if isinstance(column_type, Date) and not on_postgresql:
        return _iso_text
    return None


_iso_text: Final = cache(date.isoformat)
"""A century has fewer than 40,000 days."""
