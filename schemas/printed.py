"""A printed month: the two `collection_*` tables of a bulletin, as columns and cells. Core, read by both sides.

The columns of 2020 and of 2024 differ; a file may have either form. A cell is one unit × one printed column; a flag
column (`declared_feedback`, `*_reported`) belongs to the cell beside it, so that 未反馈 and `/` are values of that cell,
and neither equals 0.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from pathlib import Path
from typing import Final

from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Register, UnitKind

CENTS_PER_KCNY: Final = 100_000
"""Thousand yuan are printed, cents are stored."""
_MAX_DIGITS: Final = 12
"""Before the decimal point. No count or amount comes near it; more is a slip, and cents must fit 64 bits."""


class Absent(Enum):
    """What is printed where there is no number. Neither is 0."""

    NOT_DECLARED = "未反馈"
    NOT_REPORTED = "/"
    EMPTY = ""


Cell = int | Decimal | Absent
"""A count, an amount in thousand yuan, or why there is none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A printed column. `flag` names the column that says `no` where the cell is `absent`; `money` is in thousand yuan."""

    name: str
    heading_zh: str
    heading_en: str
    money: bool = False
    flag: str | None = None
    absent: Absent = Absent.EMPTY


_DECLARED: Final = Column(
    "tables_declared", "申明上传表", "Tables declared", flag="declared_feedback", absent=Absent.NOT_DECLARED
)
_VISITS: Final = Column("outpatient_visits", "门急诊人次", "Outpatient visits")
_DISCHARGES: Final = Column("discharges", "出院人次", "Discharges")
_HOSPITAL_2020: Final = (
    _DECLARED,
    Column("tables_required", "规定上传表", "Tables required"),
    Column("tables_uploaded", "已上传表（CDA文档）", "Tables uploaded (CDA documents)"),
    Column("records_uploaded", "数据上传量", "Records uploaded"),
    Column("upload_days", "数据上传天数", "Upload days"),
    _VISITS,
    _DISCHARGES,
)
_DISTRICT_2020: Final = (
    *_HOSPITAL_2020,
    Column("health_records_base", "健康档案累计（基本档案）", "Health records, base"),
    Column("health_records_hypertension", "健康档案累计（高血压）", "Health records, hypertension"),
    Column("health_records_diabetes", "健康档案累计（糖尿病）", "Health records, diabetes"),
)
_BOTH_2024: Final = (
    Column("scheduled_records", "定时数据上传量", "Scheduled records"),
    Column("realtime_days", "实时数据上传天数", "Realtime days"),
    Column("realtime_forms_uploaded", "实时数据表单上传情况", "Realtime forms uploaded"),
    Column("realtime_forms_required", "实时数据表单规定数", "Realtime forms required"),
    _VISITS,
    Column(
        "outpatient_revenue_kcny",
        "门急诊收入（千元）",
        "Outpatient revenue (thousand yuan)",
        True,
        "outpatient_revenue_reported",
        Absent.NOT_REPORTED,
    ),
    _DISCHARGES,
    Column(
        "inpatient_revenue_kcny",
        "住院收入（千元）",
        "Inpatient revenue (thousand yuan)",
        True,
        "inpatient_revenue_reported",
        Absent.NOT_REPORTED,
    ),
)


class Form(Enum):
    """The two forms in which the bulletin has been printed, named after the years in which they were seen."""

    Y2020 = "2020"
    Y2024 = "2024"

    def columns(self, kind: UnitKind) -> tuple[Column, ...]:
        """The printed columns for units of `kind`, in print order, without rank and name."""
        if self is Form.Y2024:
            return _BOTH_2024
        return _DISTRICT_2020 if kind is UnitKind.DISTRICT else _HOSPITAL_2020


FILES: Final[Mapping[UnitKind, str]] = {
    UnitKind.DISTRICT: "collection_districts.csv",
    UnitKind.HOSPITAL: "collection_hospitals.csv",
}
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
    """Both tables of a month."""

    tables: Mapping[UnitKind, PrintedTable]

    def cells(self) -> Iterator[tuple[UnitId, Column, Cell]]:
        """Every printed cell, in print order."""
        for table in self.tables.values():
            for row in table.rows:
                for column in table.columns:
                    yield row.unit_id, column, row.cells[column.name]


def read_printed_month(folder: Path, register: Register) -> PrintedMonth:
    """Read `collection_districts.csv` and `collection_hospitals.csv` of `folder`.

    Raises HipwatchError naming file, line and column: a missing file, unknown columns, a name that the register does not
    have, a unit twice, a cell that is no number, a flag that contradicts its cell.
    """
    if not folder.is_dir():
        raise HipwatchError(f"there is no folder {folder}")
    tables = {kind: _read_table(folder / name, kind, register) for kind, name in FILES.items()}
    if not any(table.rows for table in tables.values()):
        raise HipwatchError(f"{folder} lists no unit")
    return PrintedMonth(tables)


def format_cell(value: Cell) -> str:
    """The cell as printed: plain digits, amounts with up to two decimals, 未反馈 or `/`."""
    if isinstance(value, Absent):
        return value.value
    if isinstance(value, int):
        return str(value)
    text = f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")


def _read_table(path: Path, kind: UnitKind, register: Register) -> PrintedTable:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise HipwatchError(f"{path.parent} has no {path.name}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise HipwatchError(f"{path} cannot be read: {error}") from None
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        form = _form_of(header, path)
        columns = form.columns(kind)
        _check_header(header, columns, path)
        rows: dict[UnitId, PrintedRow] = {}
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            place = f"{path}, line {reader.line_num}"
            if len(fields) != len(header):
                raise HipwatchError(f"{place}: {len(fields)} columns where the heading has {len(header)}")
            row = _read_row(
                dict(zip(header, (field.strip() for field in fields), strict=True)),
                kind,
                columns,
                register,
                place,
                reader.line_num,
            )
            if row.unit_id in rows:
                raise HipwatchError(f"{place}, column unit: {row.unit_id} stands on line {rows[row.unit_id].line} already")
            rows[row.unit_id] = row
    except csv.Error as error:
        raise HipwatchError(f"{path}, line {reader.line_num}: {error}") from None
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
    return _amount(text, place) if column.money else _count(text, place)


def _count(text: str, place: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise HipwatchError(f"{place}: '{text}' is not a whole number of 0 or more")
    _require_size(text, place)
    return int(text)


def _amount(text: str, place: str) -> Decimal:
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
