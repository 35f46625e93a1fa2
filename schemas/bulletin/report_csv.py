"""A month as `hipwatch report --format csv` writes it, read back: a table for each kind of unit. Shell: reads a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from schemas.bulletin.columns import Absent, Cell, Column, Form
from schemas.bulletin.printed_month import PrintedMonth, PrintedRow, PrintedTable, read_amount, read_count
from schemas.csv_file import CsvLine, csv_lines, read_bytes
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Register, UnitKind

_FORMS: Final = "realtime_forms_uploaded"
_REQUIRED: Final = "realtime_forms_required"
_ABSENT_EN: Final = {"not declared": Absent.NOT_DECLARED}
_BEFORE_CELLS: Final = 2
"""Number and name."""


def read_report_csv(path: Path, register: Register) -> PrintedMonth:
    """The month in `path`, in either language, also as Excel saves it. Amounts are those of print, to two decimals.

    Raises HipwatchError naming file, line and column.
    """
    tables: dict[UnitKind, PrintedTable] = {}
    for head, lines in _tables(csv_lines(read_bytes(path), str(path))):
        if not lines:
            continue
        kind = _unit_id(lines[0], register, path)[1]
        form, columns = _form_of(head, kind, path)
        rows: dict[UnitId, PrintedRow] = {}
        for line in lines:
            unit_id, of_kind = _unit_id(line, register, path)
            if of_kind is not kind or unit_id in rows:
                raise HipwatchError(f"{path}, line {line.number}: {line.cells[1]} stands there twice, or in another kind's table")
            rows[unit_id] = PrintedRow(unit_id, line.number, _cells(line, columns, head, path))
        tables[kind] = PrintedTable(kind, form, list(rows.values()), str(path))
    if not tables:
        raise HipwatchError(f"{path} holds no table of a report: write one with hipwatch report --format csv")
    return PrintedMonth(tables, rounded=True)


def _tables(lines: Sequence[CsvLine]) -> list[tuple[CsvLine, list[CsvLine]]]:
    """Each table's heading and rows; its title, a line of one cell, stands before it."""
    found: list[tuple[CsvLine, list[CsvLine]]] = []
    after_title = False
    for line in lines:
        if not any(line.cells[1:]):
            after_title = True
        elif after_title:
            found.append((line, []))
            after_title = False
        elif found:
            found[-1][1].append(line)
    return found


def _unit_id(line: CsvLine, register: Register, path: Path) -> tuple[UnitId, UnitKind]:
    unit = register.unit_named(line.cells[1])
    if unit is None:
        raise HipwatchError(f"{path}, line {line.number}: the register has no unit named '{line.cells[1]}'")
    return unit.unit_id, unit.kind


def _form_of(head: CsvLine, kind: UnitKind, path: Path) -> tuple[Form, Sequence[Column]]:
    """The form that has these headings, and its columns but the one that is printed within another."""
    titles = head.cells[_BEFORE_CELLS:]
    for form in Form:
        columns = [column for column in form.columns(kind) if column.name != _REQUIRED]
        for headings in ([column.heading_zh for column in columns], [column.heading_en for column in columns]):
            if titles[: len(headings)] == headings and not any(titles[len(headings) :]):
                return form, columns
    raise HipwatchError(f"{path}, line {head.number}: these are not the headings of a report of {kind}s")


def _cells(line: CsvLine, columns: Sequence[Column], head: CsvLine, path: Path) -> Mapping[str, Cell]:
    cells: dict[str, Cell] = {}
    texts = [*line.cells[_BEFORE_CELLS:], *[""] * len(columns)]
    for number, (column, text) in enumerate(zip(columns, texts, strict=False)):
        place = f"{path}, line {line.number}, column {head.cells[_BEFORE_CELLS + number]}"
        if column.name == _FORMS:
            uploaded, slash, required = text.partition("/")
            if not slash:
                raise HipwatchError(f"{place}: '{text}' is not like 3/11 (Excel makes dates of these: save the column as text)")
            cells |= {_FORMS: read_count(uploaded, place), _REQUIRED: read_count(required, place)}
        elif text == column.absent.value or _ABSENT_EN.get(text) is column.absent:
            cells[column.name] = column.absent
        else:
            cells[column.name] = read_amount(text, place) if column.money else read_count(text, place)
    return cells
