"""How the figures of a month grew from day to day. Shell, read-only.

Days are business dates: what came late for a day is in that day, and not in the one on which it came.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate
from typing import Final

from sqlalchemy import Connection, Engine, Table, func, select

from monitor.ledger import tables
from monitor.ledger.database import reading
from monitor.ledger.errors import friendly_errors
from monitor.ledger.month import joined, length_of, parts_of
from schemas.clock import local_date, start_of_day
from schemas.events import UnitId
from schemas.kinds.kind import Days, Distinct, Each, Figure, Kind, Newest, Total
from schemas.period import Period
from schemas.topics import KINDS, Topic

_Step = tuple[str, date, int | None]
"""What a unit adds on a day, or what it said on it."""
_FIGURES: Final[Mapping[str, tuple[Topic, Kind, Figure]]] = {
    name: (topic, kind, figure) for topic, kind in KINDS.items() for name, figure in kind.chapter.items()
}


def read_month_days(engine: Engine, period: Period, name: str) -> Mapping[UnitId, Sequence[int | None]]:
    """One figure of each unit as it stands at the end of every day of `period`; on the last day it is `read_month`'s.

    None on the days before anything was carried or said; a unit that never did is missing. Read in one transaction, and
    held: so many numbers as units times days. Raises LedgerUnavailable; KeyError for a name of no chapter.
    """
    topic, kind, figure = _FIGURES[name]
    table = tables.TABLE_OF[topic]
    with friendly_errors(engine), reading(engine) as connection:
        match figure:
            case Newest():
                return _last_said(_said(connection, table, kind, figure, period), period)
            case Distinct():
                return _added_up(_new_codes(connection, table, figure, period), period)
            case Total() | Days():
                return _added_up(_daily(connection, table, figure, period), period)


def _daily(connection: Connection, table: Table, figure: Total | Days, period: Period) -> Iterator[_Step]:
    """By day its sum, or 1 if it counts."""
    day = table.c.business_date
    in_month = day.between(period.first, period.last)
    statement = select(table.c.unit_id, day, *parts_of(table, figure)).where(in_month).group_by(table.c.unit_id, day)
    for unit_id, found, high, low in connection.execute(statement):
        yield unit_id, found, joined(high, low)


def _new_codes(connection: Connection, table: Table, figure: Distinct, period: Period) -> Iterator[_Step]:
    """By day how many codes it was the first of; whatever came before the month came before its first day."""
    code, day = table.c[figure.code], table.c.business_date
    since = day <= period.last if figure.ever else day.between(period.first, period.last)
    first = func.min(day).label("first")
    firsts = select(table.c.unit_id, first).where(since, table.c[figure.column] > 0).group_by(table.c.unit_id, code).subquery()
    statement = select(firsts.c.unit_id, firsts.c.first, func.count()).group_by(firsts.c.unit_id, firsts.c.first)
    for unit_id, found, count in connection.execute(statement):
        yield unit_id, found, int(count)


def _said(connection: Connection, table: Table, kind: Kind, figure: Newest, period: Period) -> Iterator[_Step]:
    """What was said when, in order of time."""
    said = table.c[figure.column]
    if isinstance(kind.kept, Each):
        moment = table.c[kind.kept.moment]
        until = moment < start_of_day(period.next().first)
        for unit_id, at, value in connection.execute(
            select(table.c.unit_id, moment, said).where(until).order_by(moment, table.c.event_id)
        ):
            yield unit_id, local_date(at), length_of(value)
        return
    day = table.c.business_date
    in_month = day.between(period.first, period.last)
    for unit_id, found, value in connection.execute(select(table.c.unit_id, day, said).where(in_month).order_by(day)):
        yield unit_id, found, length_of(value)


def _added_up(steps: Iterable[_Step], period: Period) -> Mapping[UnitId, Sequence[int | None]]:
    added: dict[UnitId, list[int | None]] = defaultdict(lambda: [None] * len(period.days))
    for unit_id, day, value in steps:
        of_unit, place = added[UnitId(unit_id)], _place(day, period)
        of_unit[place] = _sum(of_unit[place], value)
    return {unit_id: list(accumulate(days, _sum)) for unit_id, days in added.items()}


def _last_said(steps: Iterable[_Step], period: Period) -> Mapping[UnitId, Sequence[int | None]]:
    said: dict[UnitId, list[int | None]] = defaultdict(lambda: [None] * len(period.days))
    for unit_id, day, value in steps:
        of_unit, place = said[UnitId(unit_id)], _place(day, period)
        of_unit[place:] = [value] * (len(of_unit) - place)
    return said


def _place(day: date, period: Period) -> int:
    return (max(day, period.first) - period.first).days


def _sum(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other
