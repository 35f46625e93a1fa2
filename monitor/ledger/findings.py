"""The findings that were made: read, and changed by whoever moves the moment of the last evaluation. Shell.

Invariant: an evaluation writes all its changes or none, and of two `serve` that judge the same moment only one writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, or_, select, update

from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import insert, insert_rows, table_of
from monitor.ledger.tables.findings import FindingRow
from monitor.ledger.unit_days import forget_sent_days, note_uploaded_tables
from schemas.clock import local_date, start_of_day

_FINDING: Final = table_of(tables.FindingRow)
_UNTIL: Final = table_of(tables.JudgedUntil)
_KEY: Final = ("rule", "unit_id", "feed", "opened_at")


@dataclass(frozen=True)
class FindingFilter:
    """Which findings: None stands for all. `on`: those that were open at the end of that platform day."""

    unit_id: str | None = None
    rule: str | None = None
    open_only: bool = False
    on: date | None = None


@dataclass(frozen=True)
class LastJudged:
    """The platform moment of the last evaluation and when it was made (wall time); None before the first."""

    clock: datetime | None
    judged_at: datetime | None


def last_judged(engine: Engine) -> LastJudged:
    """When the units were judged last. Raises LedgerUnavailable."""
    with friendly_errors(engine), engine.connect() as connection:
        row = connection.execute(select(_UNTIL.c.clock, _UNTIL.c.judged_at)).one()
        return LastJudged(row.clock, row.judged_at)


def read_findings(engine: Engine, wanted: FindingFilter) -> list[FindingRow]:
    """The findings, by opening, rule, unit and feed. Raises LedgerUnavailable."""
    statement = select(_FINDING).order_by(_FINDING.c.opened_at, _FINDING.c.rule, _FINDING.c.unit_id, _FINDING.c.feed)
    if wanted.unit_id is not None:
        statement = statement.where(_FINDING.c.unit_id == wanted.unit_id)
    if wanted.rule is not None:
        statement = statement.where(_FINDING.c.rule == wanted.rule)
    if wanted.open_only:
        statement = statement.where(_FINDING.c.closed_at.is_(None))
    if wanted.on is not None:
        ended = start_of_day(wanted.on + timedelta(days=1))
        statement = statement.where(
            _FINDING.c.opened_at < ended, or_(_FINDING.c.closed_at.is_(None), _FINDING.c.closed_at >= ended)
        )
    with friendly_errors(engine), engine.connect() as connection:
        return [FindingRow(**row) for row in connection.execute(statement).mappings()]


def count_findings(engine: Engine) -> dict[tuple[str, str, str], int]:
    """How often each finding (rule, unit, feed) was opened so far."""
    columns = [_FINDING.c[name] for name in _KEY[:3]]
    statement = select(*columns, func.count().label("times")).group_by(*columns)
    with friendly_errors(engine), engine.connect() as connection:
        return {(row.rule, row.unit_id, row.feed): int(row.times) for row in connection.execute(statement)}


def write_findings(
    engine: Engine,
    moments: tuple[datetime | None, datetime],
    opened: Sequence[FindingRow],
    changed: Sequence[FindingRow],
    look_back: timedelta,
) -> bool:
    """Write one evaluation, in one transaction. `changed` holds updated and closed findings as they are now.

    1. move the moment of the last evaluation from the first of `moments` to the second by compare-and-set; if it does not
       move, somebody else has judged meanwhile: write nothing, and return False
    2. the new findings, 3. the changed ones, 4. the tables uploaded since the last evaluation
    """
    before, clock = moments
    with friendly_errors(engine), writing(engine) as connection:
        held = _UNTIL.c.clock.is_(None) if before is None else _UNTIL.c.clock == before
        moved = connection.execute(update(_UNTIL).where(held).values(clock=clock, judged_at=datetime.now(UTC)))
        if moved.rowcount == 0:  # 1
            return False
        insert_rows(connection, insert(connection, _FINDING).on_conflict_do_nothing(), [_values(row) for row in opened])  # 2
        for row in changed:  # 3
            _change(connection, row)
        note_uploaded_tables(connection, before, look_back)  # 4
        forget_sent_days(connection, local_date(clock))
        return True


def _change(connection: Connection, row: FindingRow) -> None:
    values = _values(row)
    this = [_FINDING.c[name] == values.pop(name) for name in _KEY]
    connection.execute(update(_FINDING).where(*this, _FINDING.c.closed_at.is_(None)).values(**values))


def _values(row: FindingRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in _FINDING.columns}
