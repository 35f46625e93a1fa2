"""Render a bulletin as text, CSV, Markdown or JSON, with the printed headings. Core: returns text."""

import csv
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from rich.cells import cell_len

from monitor.bulletin.rows import Bulletin, BulletinRow
from schemas.bulletin.columns import Absent, Cell, Column, Form, format_cell
from schemas.register import Register, UnitKind


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    MARKDOWN = "markdown"
    JSON = "json"


class Language(StrEnum):
    """The language of headings and names."""

    ZH = "zh"
    EN = "en"


_HEAD_ZH = {UnitKind.DISTRICT: "区"}
"""What heads the names where it is not the kind's own name."""
_FORMS, _REQUIRED = "realtime_forms_uploaded", "realtime_forms_required"
_ABSENT_EN = {Absent.NOT_DECLARED: "not declared"}


def render(bulletin: Bulletin, form: Form, output: Format, language: Language, register: Register) -> str:
    """The bulletin in the printed form `form`. Amounts are thousand yuan; 未反馈, `/` and forms as `x/11` stand as in print."""
    if output is Format.JSON:
        return _json(bulletin, form, register)
    parts = []
    for kind, rows in bulletin.rows.items():
        of_kind = register.kinds[kind]
        title = (
            f"{of_kind.name_zh}数据采集情况（{bulletin.period}）"
            if language is Language.ZH
            else f"Data collection, {of_kind.name_en.lower()}, {bulletin.period}"
        )
        grid = _grid(kind, rows, form, language, register)
        parts.append({Format.TABLE: _text, Format.CSV: _csv, Format.MARKDOWN: _markdown}[output](title, grid))
    return "\n".join(parts)


def _grid(kind: UnitKind, rows: Sequence[BulletinRow], form: Form, language: Language, register: Register) -> list[list[str]]:
    """Heading and rows as printed: `x/11` takes the place of two columns."""
    columns = [column for column in form.columns(kind) if column.name != _REQUIRED]
    if language is Language.ZH:
        head = ["序号", _HEAD_ZH.get(kind, register.kinds[kind].name_zh), *(column.heading_zh for column in columns)]
    else:
        head = ["No.", "Unit", *(column.heading_en for column in columns)]
    grid = [head]
    for rank, row in enumerate(rows, 1):
        unit = register.units[row.unit_id]
        name = unit.name_zh if language is Language.ZH else unit.name_en
        grid.append([str(rank), name, *(_cell(row, column, language) for column in columns)])
    return grid


def _cell(row: BulletinRow, column: Column, language: Language) -> str:
    value = row.cells[column.name]
    if column.name == _FORMS:
        return f"{format_cell(value)}/{format_cell(row.cells[_REQUIRED])}"
    if language is Language.EN and isinstance(value, Absent):
        return _ABSENT_EN.get(value, value.value)
    return format_cell(value)


def _text(title: str, grid: list[list[str]]) -> str:
    widths = [max(cell_len(row[index]) for row in grid) for index in range(len(grid[0]))]

    def line(row: list[str]) -> str:
        padded = []
        for index, (text, width) in enumerate(zip(row, widths, strict=True)):
            fill = " " * (width - cell_len(text))  # a Chinese character takes two columns of a terminal
            padded.append(text + fill if index == 1 else fill + text)
        return "  ".join(padded).rstrip()

    return "\n".join([title, line(grid[0]), "  ".join("-" * width for width in widths), *(line(row) for row in grid[1:])]) + "\n"


def _csv(title: str, grid: list[list[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([title])
    writer.writerows(grid)
    return buffer.getvalue()


def _markdown(title: str, grid: list[list[str]]) -> str:
    def line(row: list[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in row) + " |"

    rule = "|" + "|".join(" --- " if index == 1 else " ---: " for index in range(len(grid[0]))) + "|"
    return "\n".join([f"### {title}", "", line(grid[0]), rule, *(line(row) for row in grid[1:])]) + "\n"


def _json(bulletin: Bulletin, form: Form, register: Register) -> str:
    """Machine-readable: counts are numbers, amounts are strings (exact), an absent cell is an object that says why."""

    def row(found: BulletinRow, kind: UnitKind) -> dict[str, object]:
        unit = register.units[found.unit_id]
        cells = {column.name: _plain(found.cells[column.name]) for column in form.columns(kind)}
        return {"unit_id": unit.unit_id, "name_zh": unit.name_zh, "name_en": unit.name_en, **cells}

    tables = {f"{kind}s": [row(found, kind) for found in rows] for kind, rows in bulletin.rows.items()}
    return json.dumps({"period": str(bulletin.period), "form": form.value, **tables}, ensure_ascii=False, indent=2) + "\n"


def _plain(value: Cell) -> object:
    if isinstance(value, Absent):
        return {"absent": value.name.lower(), "printed": value.value}
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value  # to the cent: print rounds, and this must add up
