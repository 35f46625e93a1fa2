"""The sums of a month one by one: by unit, what was sent, business date and column. Shell, read-only."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import Engine, select

from monitor.counting.kept import columns_of
from monitor.ledger import tables
from monitor.ledger.errors import friendly_errors
from schemas.events import UnitId
from schemas.kinds.kind import Each
from schemas.period import Period
from schemas.topics import KINDS


class Sum(NamedTuple):
    """Which sum. `code` is a table's or a form's, or names a kind that has none."""

    unit_id: UnitId
    code: str
    business_date: date
    column: str

    def __str__(self) -> str:
        return f"{self.code} of {self.business_date}, {self.column}"


def daily_sums(engine: Engine, period: Period) -> dict[Sum, int]:
    """Every sum and every last snapshot of the month that is not NULL, of every kind of event that has business dates."""
    found = {}
    with friendly_errors(engine), engine.connect() as connection:
        for topic, kind in KINDS.items():
            if isinstance(kind.kept, Each):
                continue
            table, columns = tables.TABLE_OF[topic], columns_of(kind)
            in_month = table.c.business_date.between(period.first, period.last)
            for row in connection.execute(select(table).where(in_month)).mappings():
                codes = [row[name] for name in columns.key if name not in ("unit_id", "business_date")]
                what = " ".join(codes) or topic.replace("-", " ")
                for column in columns.values:
                    if column != "event_time" and row[column] is not None:
                        found[Sum(UnitId(row["unit_id"]), what, row["business_date"], column)] = int(row[column])
    return found
