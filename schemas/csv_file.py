"""CSV files as people and Excel write them. Shell: reads files.

UTF-8 with or without BOM or GB18030, LF or CRLF, spaces around cells, empty lines: all are read alike. What is wrong is a
`CsvProblem` that names file, line and column.
"""

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from schemas.errors import HipwatchError
from schemas.visible import visible


class CsvLine(NamedTuple):
    """The cells of one line, stripped. `number` is the line at which it ends; the first line of a file is 1."""

    number: int
    cells: list[str]


class CsvProblem(NamedTuple):
    """What is wrong, and where. `line` and `column` are None where the whole file or the whole line is meant."""

    file: str
    line: int | None
    column: str | None
    sentence: str

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        column = "" if self.column is None else f", column {self.column}"
        return visible(f"{self.file}{line}{column}: {self.sentence}")


@dataclass(frozen=True)
class CsvTable:
    """The rows of a file by the columns of its heading, and everything that is wrong with its form."""

    rows: Sequence[tuple[int, Mapping[str, str]]]
    problems: Sequence[CsvProblem]


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises HipwatchError (one sentence) when there are none to be had."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise HipwatchError(f"{path.parent} has no {path.name}") from None
    except OSError as error:
        raise HipwatchError(f"{path} cannot be read: {error.strerror or error}") from None


def csv_lines(data: bytes, source: str) -> list[CsvLine]:
    """The lines of a CSV file that hold anything. Raises HipwatchError naming `source` and the line."""
    reader = csv.reader(io.StringIO(_text(data, source), newline=""), strict=True)
    try:
        lines = [CsvLine(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise HipwatchError(f"{source}, line {reader.line_num}: {error}") from None
    return [line for line in lines if any(line.cells)]


def csv_table(data: bytes, source: str, columns: Sequence[str], required: Collection[str]) -> CsvTable:
    """Rows whose heading has nothing but `columns`, and all of `required`; a column that is not there reads as empty.

    Raises nothing: a file that cannot be read at all is one problem and no rows.
    """
    try:
        lines = csv_lines(data, source)
    except HipwatchError as error:
        return CsvTable([], [CsvProblem(source, None, None, str(error).removeprefix(source).lstrip(",: "))])
    if not lines:
        sentence = f"the file is empty; its first line names the columns {', '.join(columns)}"
        return CsvTable([], [CsvProblem(source, None, None, sentence)])
    number, heading = lines[0]
    problems = _heading_problems(heading, number, source, columns, required)
    rows = []
    for line in lines[1:]:
        if len(line.cells) != len(heading):
            sentence = f"{len(line.cells)} columns where the heading has {len(heading)}"
            problems.append(CsvProblem(source, line.number, None, sentence))
            continue
        rows.append((line.number, dict.fromkeys(columns, "") | dict(zip(heading, line.cells, strict=True))))
    return CsvTable(rows, problems)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?` for the known word that is nearest, or nothing when none is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def _heading_problems(
    heading: Sequence[str], number: int, source: str, columns: Sequence[str], required: Collection[str]
) -> list[CsvProblem]:
    problems = []
    for place, name in enumerate(heading, 1):
        if name in heading[: place - 1]:
            problems.append(CsvProblem(source, number, name or str(place), "the column stands twice"))
        elif name not in columns:
            hint = did_you_mean(name, columns) or f"; the columns are {', '.join(columns)}"
            problems.append(CsvProblem(source, number, str(place), f"'{name}' is not a column of this file{hint}"))
    problems += [CsvProblem(source, number, name, "the column is missing") for name in required if name not in heading]
    return problems


def _text(data: bytes, source: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            continue
        if "\x00" in text:
            line = text[: text.index("\x00")].count("\n") + 1
            raise HipwatchError(f"{source}, line {line}: holds a NUL, so it is no CSV text")
        return text
    raise HipwatchError(f"{source}, line {line}: neither UTF-8 nor GB18030; save it as CSV UTF-8")
