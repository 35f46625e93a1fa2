"""The sums of a month one by one: by unit, what was sent, business date and column. Shell, read-only."""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import Engine, Table, select

from monitor import tables
from monitor.database import sentences, table_of
from schemas.events import UnitId
from schemas.period import Period

_HEALTH_RECORDS: Final = "health records"
_DAILY: Final[Mapping[str, Table]] = {
    "table_code": table_of(tables.UploadDay),
    "form_code": table_of(tables.FormDay),
    _HEALTH_RECORDS: table_of(tables.HealthRecordDay),
}
"""By the column that says what was sent."""


class Sum(NamedTuple):
    """Which sum. `code` is a table's or a form's."""

    unit_id: UnitId
    code: str
    business_date: date
    column: str

    def __str__(self) -> str:
        return f"{self.code} of {self.business_date}, {self.column}"


def daily_sums(engine: Engine, period: Period) -> dict[Sum, int]:
    """Every sum of the month that is not NULL."""
    found = {}
    with sentences(engine), engine.connect() as connection:
        for what, table in _DAILY.items():
            columns = [column.name for column in table.c if not column.primary_key and column.name != "event_time"]
            for row in connection.execute(
                select(table).where(table.c.business_date.between(period.first, period.last))
            ).mappings():
                for column in columns:
                    if row[column] is not None:
                        key = Sum(UnitId(row["unit_id"]), str(row.get(what, what)), row["business_date"], column)
                        found[key] = int(row[column])
    return found
