"""What the ledger knows of one month, for its bulletin. Shell, read-only: every figure is a query over counted events.

The kinds of event say which figures there are; a figure of their chapters is read here by what it is, not by its name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, assert_never

from sqlalchemy import ColumnElement, Connection, Engine, Table, distinct, func, select

from monitor.ledger import tables
from monitor.ledger.database import reading
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import table_of
from schemas.clock import local_date, start_of_day
from schemas.events import UnitId
from schemas.kinds.kind import Days, Distinct, Each, Figure, Kind, Newest, Total
from schemas.period import Period
from schemas.topics import KINDS

_CLOCK: Final = table_of(tables.PlatformClock)
_HALF: Final = 2**31
_Rows = Mapping[UnitId, Sequence[int | None]]


@dataclass(frozen=True)
class MonthFacts:
    """One month: the figures of every kind's chapter, by name and unit. What was never carried, or not sent, is missing there.

    `senders` are the units that sent anything for a day of the month.
    """

    period: Period
    figures: Mapping[str, Mapping[UnitId, int]]
    senders: frozenset[UnitId]

    def figure(self, name: str, unit_id: UnitId) -> int | None:
        """One figure of a unit; None when there is none, which is not 0. Raises KeyError for a name of no chapter."""
        return self.figures[name].get(unit_id)


def read_month(engine: Engine, period: Period) -> MonthFacts:
    """Read `period` from the ledger, in one read transaction. Raises LedgerUnavailable."""
    figures: dict[str, Mapping[UnitId, int]] = {}
    senders: set[UnitId] = set()
    with friendly_errors(engine), reading(engine) as connection:
        for topic, kind in KINDS.items():
            table = tables.TABLE_OF[topic]
            ever = {name: figure for name, figure in kind.chapter.items() if isinstance(figure, Distinct) and figure.ever}
            month = {name: figure for name, figure in kind.chapter.items() if name not in ever}
            rows = _read(connection, kind, table, month, period)
            figures |= _by_name(month, rows)
            if kind.has_business_date:
                senders |= rows.keys()
            if ever:
                figures |= _by_name(ever, _aggregates(connection, table, ever, table.c.business_date <= period.last))
    return MonthFacts(period, figures, frozenset(senders))


def read_running_month(engine: Engine) -> MonthFacts | None:
    """The month that the platform clock is in; None before the first event. Raises LedgerUnavailable."""
    with friendly_errors(engine), reading(engine) as connection:
        clock = connection.execute(select(_CLOCK.c.complete_until)).scalar()
    if clock is None:
        return None
    today = local_date(clock)
    return read_month(engine, Period(today.year, today.month))


def months_of_events(engine: Engine) -> list[Period]:
    """The months for whose days anything was sent, the latest first. Raises LedgerUnavailable."""
    dated = [tables.TABLE_OF[topic].c.business_date for topic, kind in KINDS.items() if kind.has_business_date]
    with friendly_errors(engine), reading(engine) as connection:
        days = [day for column in dated for day in connection.execute(select(column).distinct()).scalars()]
    return sorted({Period(day.year, day.month) for day in days}, reverse=True)


def _by_name(chapter: Iterable[str], rows: _Rows) -> Mapping[str, Mapping[UnitId, int]]:
    columns = {name: [(unit_id, row[number]) for unit_id, row in rows.items()] for number, name in enumerate(chapter)}
    return {name: {unit_id: value for unit_id, value in column if value is not None} for name, column in columns.items()}


def _read(connection: Connection, kind: Kind, table: Table, chapter: Mapping[str, Figure], period: Period) -> _Rows:
    if isinstance(kind.kept, Each):
        moment = table.c[kind.kept.moment]
        return _newest(connection, table, chapter, moment < start_of_day(period.next().first), [moment, table.c.event_id])
    in_month = table.c.business_date.between(period.first, period.last)
    if any(isinstance(figure, Newest) for figure in chapter.values()):
        return _newest(connection, table, chapter, in_month, [table.c.business_date])
    return _aggregates(connection, table, chapter, in_month)


def _newest(
    connection: Connection,
    table: Table,
    chapter: Mapping[str, Figure],
    when: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
) -> _Rows:
    """What each unit said last."""
    columns = [table.c[figure.column] for figure in chapter.values()]
    statement = select(table.c.unit_id, *columns).where(when).order_by(*order)
    return {UnitId(unit_id): [length_of(value) for value in values] for unit_id, *values in connection.execute(statement)}


def length_of(value: str | int | None) -> int | None:
    """Of a list, which is kept as words, how long it is."""
    return len(value.split()) if isinstance(value, str) else value


def _aggregates(connection: Connection, table: Table, chapter: Mapping[str, Figure], when: ColumnElement[bool]) -> _Rows:
    """Two columns for each figure."""
    columns = [column for figure in chapter.values() for column in parts_of(table, figure)]
    statement = select(table.c.unit_id, *columns).where(when).group_by(table.c.unit_id)
    return {
        UnitId(unit_id): [joined(high, low) for high, low in zip(parts[::2], parts[1::2], strict=True)]
        for unit_id, *parts in connection.execute(statement)
    }


def parts_of(table: Table, figure: Figure) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """A figure as high and low half: the sum of many that fit 64 bits may not, and SQLite refuses such a sum."""
    column = table.c[figure.column]
    match figure:
        case Total():
            return func.sum(column.op("/")(_HALF)), func.sum(column.op("%")(_HALF))
        case Days():
            counted = table.c.business_date
        case Distinct():
            counted = table.c[figure.code]
        case Newest():
            raise AssertionError(f"{figure} is not added up: a kind refuses such a chapter when it is made")
        case _:
            assert_never(figure)
    return func.count() * 0, func.count(distinct(counted)).filter(column > 0)


def joined(high: int | None, low: int | None) -> int | None:
    return None if high is None or low is None else int(high) * _HALF + int(low)
