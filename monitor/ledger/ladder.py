"""Which tables each unit has declared and uploaded by the end of a month. Shell, read-only."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, func, select

from monitor.ledger import tables
from monitor.ledger.database import reading
from monitor.ledger.errors import friendly_errors
from schemas.clock import start_of_day
from schemas.events import TableCode, UnitId
from schemas.period import Period
from schemas.topics import Topic

_UPLOAD: Final = tables.TABLE_OF[Topic.CDA_DOCUMENTS]
_DECLARED: Final = tables.TABLE_OF[Topic.DECLARATIONS]


@dataclass(frozen=True)
class Ladders:
    """By unit: the tables of its last declaration, those it ever uploaded and those it uploaded in the month.

    A unit that never declared is missing in `declared`.
    """

    declared: Mapping[UnitId, frozenset[TableCode]]
    ever: Mapping[UnitId, frozenset[TableCode]]
    in_month: Mapping[UnitId, frozenset[TableCode]]


def read_ladders(engine: Engine, period: Period) -> Ladders:
    """As the bulletin of `period` counts them: a table is uploaded with its first record. Raises LedgerUnavailable."""
    newest = func.max(_UPLOAD.c.business_date)
    uploaded = (
        select(_UPLOAD.c.unit_id, _UPLOAD.c.table_code, newest.label("newest"))
        .where(_UPLOAD.c.records > 0, _UPLOAD.c.business_date <= period.last)
        .group_by(_UPLOAD.c.unit_id, _UPLOAD.c.table_code)
    )
    declared = (
        select(_DECLARED.c.unit_id, _DECLARED.c.table_codes)
        .where(_DECLARED.c.declared_at < start_of_day(period.next().first))
        .order_by(_DECLARED.c.declared_at, _DECLARED.c.event_id)
    )
    ever: dict[UnitId, set[TableCode]] = defaultdict(set)
    in_month: dict[UnitId, set[TableCode]] = defaultdict(set)
    with friendly_errors(engine), reading(engine) as connection:
        for unit_id, code, last in connection.execute(uploaded):
            ever[unit_id].add(code)
            if last >= period.first:
                in_month[unit_id].add(code)
        latest = {row.unit_id: frozenset(map(TableCode, row.table_codes.split())) for row in connection.execute(declared)}
    return Ladders(latest, _frozen(ever), _frozen(in_month))


def _frozen(found: Mapping[UnitId, set[TableCode]]) -> Mapping[UnitId, frozenset[TableCode]]:
    return {unit_id: frozenset(codes) for unit_id, codes in found.items()}
