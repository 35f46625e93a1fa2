"""One row of a register's file, cell by cell: each method returns a value and notes what is wrong with the cell. Core."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Final, TypeVar

from schemas.csv_file import CsvProblem, did_you_mean
from schemas.visible import visible

T = TypeVar("T", bound=str)

LONGEST_ID: Final = 40
"""Characters: ids are labels of metrics and keys of messages, not prose."""
_ID: Final = re.compile(rf"[A-Za-z][A-Za-z0-9._-]{{0,{LONGEST_ID - 1}}}")
_LONGEST_TEXT: Final = 200
_DATE: Final = re.compile(r"(20\d\d)([-/])(\d{1,2})\2(\d{1,2})")
"""Excel turns 2024-09-01 into 2024/9/1 when it saves CSV: both are read."""
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ()/-]{1,28}[0-9](?:(?:转|ext\.? ?|x)[0-9]{1,6})?")


def looks_like_id(text: str) -> bool:
    """Whether `text` is an identifier: a letter, then letters, digits, '.', '_' and '-', at most 40 characters in all."""
    return _ID.fullmatch(text) is not None


class Row:
    """Checked access to the cells of a row; what is wrong is added to `problems`."""

    def __init__(self, source: str, line: int, cells: Mapping[str, str], problems: list[CsvProblem]) -> None:
        self.line = line
        self._source = source
        self._cells = cells
        self._problems = problems

    def fail(self, column: str, sentence: str) -> None:
        """Note that something is wrong with a cell."""
        self._problems.append(CsvProblem(self._source, self.line, column, sentence))

    def __getitem__(self, column: str) -> str:
        """The cell as it stands."""
        return self._cells[column]

    def text(self, column: str, *, needed: bool = False) -> str:
        """A text of one line; may be empty unless it is needed."""
        value = self._cells[column]
        if needed and not value:
            self.fail(column, "is empty")
        if len(value) > _LONGEST_TEXT:
            self.fail(column, f"has {len(value)} characters; at most {_LONGEST_TEXT} are allowed")
        if visible(value) != value:
            self.fail(column, "holds a character that cannot be seen")
        return value

    def identifier(self, column: str, earlier: Mapping[str, int]) -> str:
        """An id that no earlier row has; `earlier` holds the lines of those."""
        value = self._cells[column]
        if not looks_like_id(value):
            rule = f"a letter, then letters, digits, '.', '_' or '-', at most {LONGEST_ID} characters"
            self.fail(column, f"'{value[:LONGEST_ID]}' is no identifier: {rule}" if value else "is empty")
        elif value in earlier:
            self.fail(column, f"'{value}' stands on line {earlier[value]} already")
        return value

    def day(self, column: str) -> date | None:
        """A date; None where the cell is empty."""
        value = self._cells[column]
        return self._day(column, value) if value else None

    def days(self, first: str, last: str) -> tuple[date | None, date | None]:
        """Two dates in order."""
        begins, ends = self.day(first), self.day(last)
        if begins is not None and ends is not None and ends < begins:
            self.fail(last, f"{ends} is before {first}, which is {begins}")
        return begins, ends

    def choice(self, column: str, known: Collection[T], default: T) -> T:
        """One of the known words; the default where the cell is empty."""
        value = self._cells[column]
        return self._known(column, value, known) or default if value else default

    def needed_choice(self, column: str, known: Collection[T]) -> T | None:
        """One of the known words; None, and a problem, where it is none of them or the cell is empty."""
        value = self._cells[column]
        if not value:
            self.fail(column, "is empty")
            return None
        return self._known(column, value, known)

    def choices(self, column: str, known: Collection[T]) -> list[T]:
        """Known words, separated by ';'."""
        found = (self._known(column, part, known) for part in self.parts(column))
        return [word for word in found if word is not None]

    def dated(self, column: str, known: Collection[T]) -> dict[T, date | None] | None:
        """Known words, separated by ';', each as WORD or WORD@FIRST-DAY. None where the cell is empty, and {} for `none`."""
        if not self._cells[column]:
            return None
        found: dict[T, date | None] = {}
        if self._cells[column] == "none":
            return found
        for part in self.parts(column):
            name, at, first = (piece.strip() for piece in part.partition("@"))
            word = self._known(column, name, known)
            if word is None:
                continue
            if word in found:
                self.fail(column, f"'{word}' stands twice")
            found[word] = self._day(column, first) if at else None
        return found

    def number(self, column: str) -> str:
        """A telephone number."""
        value = self._cells[column]
        if value and not _NUMBER.fullmatch(value):
            self.fail(column, "is no telephone number: digits, spaces, '-', '(' and ')', and 转 or ext before an extension")
        return value

    def parts(self, column: str) -> list[str]:
        """Texts separated by ';'."""
        return [part for part in (piece.strip() for piece in re.split("[;；]", self._cells[column])) if part]

    def unknown(self, column: str, value: str, known: Collection[str]) -> None:
        """Note that a word is none of those that are known."""
        hint = did_you_mean(value, known) or (f"; known are {', '.join(known)}" if known else "")
        self.fail(column, f"'{value[:LONGEST_ID]}' is not known{hint}")

    def _known(self, column: str, value: str, known: Collection[T]) -> T | None:
        for word in known:
            if word == value:
                return word
        self.unknown(column, value, known)
        return None

    def _day(self, column: str, value: str) -> date | None:
        match = _DATE.fullmatch(value)
        try:
            if match is not None:
                return date(int(match[1]), int(match[3]), int(match[4]))
        except ValueError:
            pass
        self.fail(column, f"'{value[:LONGEST_ID]}' is no date: write YYYY-MM-DD, for example 2024-09-01")
        return None
