"""Identifiers in columns against their oracle, `is_identifier`."""

from collections.abc import Sequence

import numpy as np
import pytest

from schemas.codec import packed_identifiers
from schemas.codec.identifiers import is_identifier
from schemas.codec.packed import Packed
from schemas.codec.packed_identifiers import mark_no_identifiers

SOMEBODY = b"11010519491231002X"
"""The example of GB 11643-1999."""


def refused(texts: Sequence[bytes], between: bytes = b"_") -> list[bool]:
    lengths = np.array([len(text) for text in texts], np.int64)
    starts = np.cumsum(lengths + len(between)) - lengths
    odd = np.zeros(len(texts), bool)
    mark_no_identifiers(Packed(found for text in texts for found in (between, text)), starts, lengths, odd)
    return odd.tolist()


def alone(texts: Sequence[bytes]) -> list[bool]:
    return [not (text.isascii() and is_identifier(text.decode("ascii"))) for text in texts]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 17])
@pytest.mark.parametrize("between", [b"", b"0", b"\xff"])
def test_each_byte_at_each_place_is_judged_as_alone(size: int, between: bytes) -> None:
    texts = [b"a" * place + bytes([byte]) + b"Z" * (size - place - 1) for place in range(size) for byte in range(256)]
    assert refused(texts, between) == alone(texts)


@pytest.mark.parametrize("between", [b"", b"7" * 9, b"x"])
def test_somebodys_number_is_seen_at_each_place_beside_texts_of_any_length(between: bytes) -> None:
    texts = [b"x" * before + SOMEBODY + b"y" * after for before in range(26) for after in (0, 1, 7, 8, 9)]
    texts += [b"x" * size for size in range(60)] + [b"7" * size for size in range(60)] + [b""]
    assert refused(texts, between) == alone(texts)
    for text in texts:
        assert refused([text], between) == alone([text])


def test_what_is_odd_already_stays_odd() -> None:
    odd = np.array([True, True, False])
    mark_no_identifiers(Packed([b"ab;"]), np.array([0, 2, 2]), np.array([2, 1, 1]), odd)
    assert odd.tolist() == [True, True, True]


def test_moments_and_counters_in_an_id_need_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [b"x" * before + b"2024090112000123" + b"-x" * after for before in range(9) for after in range(9)]
    lengths = np.array([len(text) for text in texts], np.int64)
    looked_at: list[str] = []
    monkeypatch.setattr(packed_identifiers, "is_identifier", looked_at.append)
    apart = Packed(part for text in texts for part in (text, b"_"))
    mark_no_identifiers(apart, np.cumsum(lengths + 1) - lengths - 1, lengths, np.zeros(len(texts), bool))
    assert looked_at == []
