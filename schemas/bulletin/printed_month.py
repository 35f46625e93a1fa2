"""A printed month: the two `collection_*` tables of a bulletin, read from CSV. Shell: reads files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from schemas.bulletin.columns import CENTS_PER_KCNY, Absent, Cell, Column, Form
from schemas.csv_file import csv_lines, did_you_mean, read_bytes
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Register, UnitKind

_MAX_DIGITS: Final = 12
"""Before the decimal point. No count or amount comes near it; more is a slip, and cents must fit 64 bits."""


def file_of(kind: UnitKind) -> str:
    """The name of the file that holds the table of a kind: `collection_hospitals.csv` that of hospitals."""
    return f"collection_{kind}s.csv"


FILES: Final[Mapping[UnitKind, str]] = {kind: file_of(kind) for kind in (UnitKind.DISTRICT, UnitKind.HOSPITAL)}
"""Those of the bulletin as it is printed."""
_FORM_COLUMN: Final[Mapping[str, Form]] = {"tables_declared": Form.Y2020, "scheduled_records": Form.Y2024}


@dataclass(frozen=True)
class PrintedRow:
    """One unit's line. `line` is where it stands in its file (the heading is line 1)."""

    unit_id: UnitId
    line: int
    cells: Mapping[str, Cell]

    def count(self, column: str) -> int | None:
        """The number in `column`, or None where the form lacks the column or prints no number there."""
        value = self.cells.get(column)
        return value if isinstance(value, int) else None

    def cents(self, column: str) -> int | None:
        """The amount in `column` in cents, or None where none is printed."""
        value = self.cells.get(column)
        return None if value is None or isinstance(value, Absent) else int(value * CENTS_PER_KCNY)


@dataclass(frozen=True)
class PrintedTable:
    """The table of one kind of unit, rows in print order. `source` names the file in errors."""

    kind: UnitKind
    form: Form
    rows: Sequence[PrintedRow]
    source: str

    @property
    def columns(self) -> tuple[Column, ...]:
        """The printed columns."""
        return self.form.columns(self.kind)

    def fail(self, row: PrintedRow, column: str, problem: str) -> HipwatchError:
        """An error that names the file, line, unit and column."""
        return HipwatchError(f"{self.source}, line {row.line}, column {column} ({row.unit_id}): {problem}")


@dataclass(frozen=True)
class PrintedMonth:
    """The tables of a month, one for each kind of unit. `rounded`: its amounts were rounded when they were written."""

    tables: Mapping[UnitKind, PrintedTable]
    rounded: bool = False

    def cells(self) -> Iterator[tuple[UnitId, Column, Cell]]:
        """Every printed cell, in print order."""
        for table in self.tables.values():
            for row in table.rows:
                for column in table.columns:
                    yield row.unit_id, column, row.cells[column.name]


def read_printed_month(folder: Path, register: Register) -> PrintedMonth:
    """Read `collection_districts.csv` and `collection_hospitals.csv` of `folder`, or what the register's kinds are called.

    UTF-8 or GB18030, LF or CRLF. Raises HipwatchError naming file, line and column: a missing file, unknown columns, a name
    that the register does not have, a unit twice, a cell that is no number, a flag that contradicts its cell.
    """
    if not folder.is_dir():
        raise HipwatchError(f"there is no folder {folder}")
    names = {kind: file_of(kind) for kind in register.kinds}
    for path in sorted(folder.glob("collection_*s.csv")):
        if path.name not in names.values():
            raise HipwatchError(f"{path}: the register has no unit of that kind{did_you_mean(path.name, names.values())}")
    tables = {kind: _read_table(folder / name, kind, register) for kind, name in names.items()}
    if not any(table.rows for table in tables.values()):
        raise HipwatchError(f"{folder} lists no unit")
    return PrintedMonth(tables)


def _read_table(path: Path, kind: UnitKind, register: Register) -> PrintedTable:
    lines = csv_lines(read_bytes(path), str(path))
    header = lines[0].cells if lines else []
    form = _form_of(header, path)
    columns = form.columns(kind)
    _check_header(header, columns, path)
    rows: dict[UnitId, PrintedRow] = {}
    for number, fields in lines[1:]:
        place = f"{path}, line {number}"
        if len(fields) != len(header):
            raise HipwatchError(f"{place}: {len(fields)} columns where the heading has {len(header)}")
        row = _read_row(dict(zip(header, fields, strict=True)), kind, columns, register, place, number)
        if row.unit_id in rows:
            raise HipwatchError(f"{place}, column unit: {row.unit_id} stands on line {rows[row.unit_id].line} already")
        rows[row.unit_id] = row
    return PrintedTable(kind, form, list(rows.values()), str(path))


def _form_of(header: Sequence[str], path: Path) -> Form:
    for name, form in _FORM_COLUMN.items():
        if name in header:
            return form
    raise HipwatchError(
        f"{path}, line 1: neither tables_declared (form of 2020) nor scheduled_records (form of 2024) is among the columns"
    )


def _check_header(header: Sequence[str], columns: Sequence[Column], path: Path) -> None:
    wanted = ["rank", "unit", *(name for column in columns for name in (column.name, column.flag) if name)]
    for number, name in enumerate(header, 1):
        if name not in wanted:
            raise HipwatchError(f"{path}, line 1, column {number}: '{name}' is not a column of this form ({', '.join(wanted)})")
        if name in header[: number - 1]:
            raise HipwatchError(f"{path}, line 1, column {number}: '{name}' stands twice")
    for name in wanted:
        if name not in header and name != "rank":
            raise HipwatchError(f"{path}, line 1: the column {name} is missing")


def _read_row(
    fields: Mapping[str, str], kind: UnitKind, columns: Sequence[Column], register: Register, place: str, line: int
) -> PrintedRow:
    unit = register.unit_named(fields["unit"])
    if unit is None:
        raise HipwatchError(f"{place}, column unit: the register has no unit named '{fields['unit']}'")
    if unit.kind is not kind:
        raise HipwatchError(f"{place}, column unit: {fields['unit']} is a {unit.kind}, and this is the table of {kind}s")
    cells = {column.name: _read_cell(fields, column, f"{place}, column {column.name}") for column in columns}
    return PrintedRow(unit.unit_id, line, cells)


def _read_cell(fields: Mapping[str, str], column: Column, place: str) -> Cell:
    text = fields[column.name]
    present = True
    if column.flag is not None:
        flag = fields[column.flag]
        if flag not in ("yes", "no"):
            raise HipwatchError(f"{place}: {column.flag} is '{flag}', and must be yes or no")
        present = flag == "yes"
        if not present and text not in ("", column.absent.value):
            raise HipwatchError(f"{place}: '{text}' stands beside {column.flag}=no")
        if present and not text:
            raise HipwatchError(f"{place}: empty beside {column.flag}=yes")
    if not present or not text:
        return column.absent
    return read_amount(text, place) if column.money else read_count(text, place)


def read_count(text: str, place: str) -> int:
    """A count as printed. Raises HipwatchError naming `place`."""
    if not (text.isascii() and text.isdigit()):
        raise HipwatchError(f"{place}: '{text}' is not a whole number of 0 or more")
    _require_size(text, place)
    return int(text)


def read_amount(text: str, place: str) -> Decimal:
    """An amount in thousand yuan as printed. Raises HipwatchError naming `place`."""
    whole, _, decimals = text.partition(".")
    if (
        not (whole.isascii() and whole.isdigit())
        or (decimals and not (decimals.isascii() and decimals.isdigit()))
        or text.endswith(".")
    ):
        raise HipwatchError(f"{place}: '{text}' is not an amount in thousand yuan")
    if len(decimals) > 2:
        raise HipwatchError(f"{place}: '{text}' has more than the two decimals that the bulletin prints")
    _require_size(whole, place)
    return Decimal(text)


def _require_size(digits: str, place: str) -> None:
    if len(digits) > _MAX_DIGITS:
        raise HipwatchError(f"{place}: '{digits[:_MAX_DIGITS]}…' has {len(digits)} digits; at most {_MAX_DIGITS} are allowed")
