"""A bulletin: the month's tables as rows of cells. Core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.bulletin.columns import Cell, Form
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import UnitKind


@dataclass(frozen=True)
class BulletinRow:
    """One unit. `cells` holds the columns of both printed forms by their names."""

    unit_id: UnitId
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Bulletin:
    """The tables of a month, every unit that belongs to it in them, most records first.

    `form` is the printed form that fits: that of 2024 once realtime forms or revenue are uploaded, that of 2020 before.
    """

    period: Period
    form: Form
    rows: Mapping[UnitKind, Sequence[BulletinRow]]

    def cell(self, unit_id: UnitId, column: str) -> Cell | None:
        """One cell, or None when the register has no such unit or the tables no such column."""
        for rows in self.rows.values():
            for row in rows:
                if row.unit_id == unit_id:
                    return row.cells.get(column)
        return None
