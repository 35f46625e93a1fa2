"""Compare a bulletin with a print, cell by cell. Core."""

from dataclasses import dataclass
from decimal import Decimal

from monitor.bulletin.rows import Bulletin
from schemas.bulletin.columns import Cell, Column, format_cell
from schemas.bulletin.printed_month import PrintedMonth
from schemas.events import UnitId


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell in which ledger and print differ."""

    unit_id: UnitId
    column: Column
    printed: Cell
    counted: Cell | None


@dataclass(frozen=True)
class Comparison:
    """How many printed cells there are, and those that differ, in print order."""

    cells: int
    differences: list[Difference]

    @property
    def matched(self) -> int:
        """The cells that are equal."""
        return self.cells - len(self.differences)


def compare(bulletin: Bulletin, printed: PrintedMonth) -> Comparison:
    """Hold every printed cell against the ledger's. Absent cells are equal only to the same absence, never to 0.

    A print holds exact amounts; one that was rounded when it was written is compared as the ledger's would be rounded.
    """
    cells = list(printed.cells())
    differences = []
    for unit_id, column, value in cells:
        counted = bulletin.cell(unit_id, column.name)
        if printed.rounded and isinstance(counted, Decimal):
            counted = Decimal(format_cell(counted))
        if counted != value:
            differences.append(Difference(unit_id, column, value, counted))
    return Comparison(len(cells), differences)
