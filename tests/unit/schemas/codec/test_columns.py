"""Columns of numbers, texts and codes: some of their rows, several as one, and texts of which many are alike."""

from collections.abc import Sequence
from unittest.mock import Mock

import numpy as np
import pytest

from schemas.codec import columns
from schemas.codec.columns import CodeColumn, Column, NumberColumn, TextColumn, column_of, joined, with_codes
from schemas.codec.packed import Packed, same_text


def texts_of(texts: Sequence[bytes], packed: Packed | None = None) -> TextColumn:
    lengths = np.array([len(text) for text in texts], np.int64)
    return TextColumn(packed or Packed(texts), np.cumsum(lengths) - lengths, lengths)


def numbers_of(*numbers: int | None, all_there: bool = False) -> NumberColumn:
    there = np.array([number is not None for number in numbers])
    return NumberColumn(np.array([number or 0 for number in numbers]), None if all_there else there)


def listed(column: Column) -> list[object]:
    """The rows of a column one by one; of numbers without None where all are there."""
    if isinstance(column, CodeColumn):
        return [column.codes[place] for place in column.places.tolist()]
    if isinstance(column, TextColumn):
        spans = zip(column.starts.tolist(), column.lengths.tolist(), strict=True)
        return [column.packed.slice(start, length) for start, length in spans]
    present = [True] * len(column.values) if column.present is None else column.present.tolist()
    return [value if there else None for value, there in zip(column.values.tolist(), present, strict=True)]


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        (numbers_of(5, 6, 7, all_there=True), [7, 5]),
        (numbers_of(5, None, None), [None, 5]),
        (texts_of([b"a", b"bc", b"def"]), [b"def", b"a"]),
        (CodeColumn(np.array([1, 0, 0]), ["x", "y"]), ["x", "y"]),
    ],
)
def test_some_rows_of_a_column_in_another_order(column: Column, rows: list[object]) -> None:
    taken = column.take(np.array([2, 0]))
    assert listed(taken) == rows
    assert type(taken) is type(column)
    if isinstance(column, NumberColumn) and isinstance(taken, NumberColumn):
        assert (taken.present is None) is (column.present is None)


PACKED = Packed([b"abcdef"])
ORDER = np.array([3, 0, 2, 1])


@pytest.mark.parametrize(
    ("parts", "rows"),
    [
        ([numbers_of(5, 6, 7, 8, all_there=True)], [8, 5, 7, 6]),
        ([numbers_of(5, all_there=True), numbers_of(6, 7, 8, all_there=True)], [8, 5, 7, 6]),
        ([numbers_of(5, None), numbers_of(7, 8, all_there=True)], [8, 5, 7, None]),
        ([numbers_of(5, 6, all_there=True), numbers_of(None, 8)], [8, 5, None, 6]),
        ([texts_of([b"a", b"bc", b"", b"def"], PACKED)], [b"def", b"a", b"", b"bc"]),
        ([texts_of([b"a", b"bc"], PACKED), texts_of([b"", b"abc"], PACKED)], [b"abc", b"a", b"", b"bc"]),
    ],
)
def test_columns_are_joined_in_another_order(parts: list[Column], rows: list[object]) -> None:
    found = joined(parts, ORDER)
    assert listed(found) == rows
    if isinstance(found, NumberColumn):
        assert (found.present is None) is all(isinstance(part, NumberColumn) and part.present is None for part in parts)
        assert found.present is None or found.present.dtype == bool
    if isinstance(found, TextColumn):
        assert found.packed is PACKED


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [b"a"],
        [b"", b"b", b"", "区".encode(), b"b"],
        [b"%d" % (number % 40) for number in range(100)],
        [b"%d" % (number // 3) for number in range(100)],
    ],
    ids=len,
)
def test_texts_are_told_by_those_that_differ(texts: list[bytes]) -> None:
    odd = np.zeros(len(texts), bool)
    found = with_codes(texts_of(texts), odd)
    assert listed(found) == [text.decode() for text in texts]
    assert found.codes == [text.decode() for text in dict.fromkeys(texts)]
    assert not odd.any()


@pytest.mark.parametrize("more", [0, 40])
@pytest.mark.parametrize("bad", [b"a\0", b"\0", b"\xff", b"\xe5\x8c"])
def test_what_is_no_text_or_holds_a_nul_is_odd(bad: bytes, more: int) -> None:
    odd = np.array([False, False, False, True, *[False] * more])
    found = with_codes(texts_of([b"a", bad, b"a", b"b", *(b"%d" % number for number in range(more))]), odd)
    assert np.flatnonzero(odd).tolist() == [1, 3], "and what was odd stays so"
    assert listed(found)[:4] == ["a", "", "a", "b"]


def test_few_different_texts_are_looked_for_in_all_rows_and_many_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Mock(wraps=same_text)
    monkeypatch.setattr(columns, "same_text", looking)
    with_codes(texts_of([b"a", b"b"] * 50), np.zeros(100, bool))
    assert [call.args[-1] for call in looking.call_args_list] == [b"a", b"b"]
    with_codes(texts_of([b"%d" % number for number in range(100)]), np.zeros(100, bool))
    assert looking.call_count == 2 + columns._ROUNDS


def test_a_column_of_another_kind_is_refused() -> None:
    column = numbers_of(1)
    assert column_of({"a": column}, "a", NumberColumn) is column
    with pytest.raises(TypeError, match=r"^a is no CodeColumn$"):
        column_of({"a": column}, "a", CodeColumn)
