"""Columns of decoded fields: what many messages of one topic say, field by field. Core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from schemas.codec.packed import Marks, Numbers, Packed, same_text

_ROUNDS: Final = 32
"""So many different texts are looked for one after the other before each row is looked at by itself."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """Numbers. `present` says which rows have one (None: all); the others hold 0 here and mean "not carried"."""

    values: Numbers
    present: Marks | None = None

    def take(self, rows: Numbers | Marks) -> "NumberColumn":
        return NumberColumn(self.values[rows], None if self.present is None else self.present[rows])


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Texts, as places in the bytes of the messages."""

    packed: Packed
    starts: Numbers
    lengths: Numbers

    def take(self, rows: Numbers | Marks) -> "TextColumn":
        return TextColumn(self.packed, self.starts[rows], self.lengths[rows])


@dataclass(frozen=True, slots=True)
class CodeColumn:
    """Texts of which many are alike, as places in `codes`."""

    places: Numbers
    codes: Sequence[str]

    def take(self, rows: Numbers | Marks) -> "CodeColumn":
        return CodeColumn(self.places[rows], self.codes)


Column = NumberColumn | TextColumn | CodeColumn
Sort = TypeVar("Sort", NumberColumn, TextColumn, CodeColumn)


@dataclass(frozen=True, slots=True)
class DecodedColumns:
    """The messages that could be read in columns, and those that have to be read one by one.

    `rows` says, in ascending order, which of the messages each column's rows are; `odd` has all the others.
    """

    rows: Numbers
    columns: Mapping[str, Column]
    odd: Numbers


def joined(parts: Sequence[Column], order: Numbers) -> Column:
    """The rows of all `parts`, which are of one kind (numbers or texts), in another order."""
    first = parts[0]
    if isinstance(first, NumberColumn):
        numbers = [part for part in parts if isinstance(part, NumberColumn)]
        values = np.concatenate([part.values for part in numbers])
        if all(part.present is None for part in numbers):
            return NumberColumn(values).take(order)
        present = [np.ones(len(part.values), bool) if part.present is None else part.present for part in numbers]
        return NumberColumn(values, np.concatenate(present)).take(order)
    texts = [part for part in parts if isinstance(part, TextColumn)]
    starts, lengths = (np.concatenate(found) for found in zip(*((part.starts, part.lengths) for part in texts), strict=True))
    return TextColumn(texts[0].packed, starts, lengths).take(order)


def with_codes(texts: TextColumn, odd: Marks) -> CodeColumn:
    """The same texts as a list of the different ones and places in it. Marks as odd what is no text or holds a NUL."""
    packed, starts, lengths = texts.packed, texts.starts, texts.lengths
    found: dict[bytes, int] = {}
    places = np.zeros(len(starts), np.int64)
    left = np.arange(len(starts))
    while left.size and len(found) < _ROUNDS:
        text = packed.slice(int(starts[left[0]]), int(lengths[left[0]]))
        same = same_text(packed, starts[left], lengths[left], text)
        places[left[same]] = found[text] = len(found)
        left = left[~same]
    for row in left.tolist():
        places[row] = found.setdefault(packed.slice(int(starts[row]), int(lengths[row])), len(found))
    codes = [_text_or_none(text) for text in found]
    if None in codes:
        odd |= np.array([code is None for code in codes])[places]
    return CodeColumn(places, [code or "" for code in codes])


def _text_or_none(text: bytes) -> str | None:
    try:
        return None if b"\0" in text else text.decode()
    except UnicodeDecodeError:
        return None


def column_of(columns: Mapping[str, Column], name: str, kind: type[Sort]) -> Sort:
    """The column of a field that is of this kind. Raises TypeError when it is of another."""
    column = columns[name]
    if not isinstance(column, kind):
        raise TypeError(f"{name} is no {kind.__name__}")
    return column
