"""Codes are found byte for byte, however many there are and whatever stands beside them."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from schemas.codec import known_codes
from schemas.codec.known_codes import KnownCodes
from schemas.codec.packed import Packed

LONGEST = "x" * 200
FEW = ["a", "b", "ab", "abcdefgh", "abcdefghi", "abcdefgi", "区", "C0001", "x" * 16, "x" * 17]
MANY = [f"unit-{number * number}" for number in range(1_500)]


def found(codes: Sequence[str], texts: Sequence[bytes], between: bytes = b"") -> list[str | None]:
    """The code that each text was found to be."""
    known = KnownCodes(codes)
    lengths = np.array([len(text) for text in texts], np.int64)
    odd = np.zeros(len(texts), bool)
    packed = Packed(part for text in texts for part in (between, text))
    places = known.find(packed, np.cumsum(lengths + len(between)) - lengths, lengths, odd)
    return [None if wrong else known.codes[place] for place, wrong in zip(places.tolist(), odd.tolist(), strict=True)]


@pytest.mark.parametrize(
    "codes", [FEW, MANY, [LONGEST, "a"], [LONGEST[:8]], ["a"]], ids=["few", "many", "longest", "eight", "one"]
)
@pytest.mark.parametrize("between", [b"", b"abcdefgh", b"\xff"])
def test_every_code_is_found_among_texts_that_are_none(codes: list[str], between: bytes) -> None:
    texts = [code.encode() for code in codes]
    near = [text[:-1] + b"~" for text in texts] + [text + b"\0" for text in texts] + [text[:-1] for text in texts]
    near += [b"\0" + text for text in texts] + [text * 2 for text in texts] + [b"", bytes(8), b"nobody"]
    strangers = [text for text in near if text not in texts]
    assert found(codes, [*texts, *strangers, *texts], between) == [*codes, *(None for _ in strangers), *codes]


def test_codes_that_share_their_slots_are_found_each() -> None:
    """Two begin to look at the last slot, and go on at the first, where the first code is already."""
    homes = defaultdict(list)
    for code in map(str, range(4_000)):
        homes[int(KnownCodes([code])._slots.argmax())].append(code)
    first, last = homes[min(homes)], homes[max(homes)]
    assert (min(homes), max(homes)) == (0, len(KnownCodes([])._slots) - 1)
    known = [first[0], *last[:2], first[1]]
    texts = [*known, *first[2:], *last[2:]]
    assert found(known, [text.encode() for text in texts]) == [*known, *(None for _ in texts[4:])]


def test_a_text_that_shares_a_codes_hash_is_not_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_codes, "_hashed", lambda words, lengths: np.zeros(len(lengths), np.uint64))
    assert found(["ab", "x" * 9], [b"ab", b"xy", b"ab"]) == ["ab", None, "ab"]


def test_where_no_code_is_known_none_is_found() -> None:
    assert found([], [b"", b"a", bytes(8)]) == [None, None, None]


def test_a_code_that_is_longer_than_any_text_is_never_found() -> None:
    assert found([LONGEST + "y", "a"], [LONGEST.encode(), b"a"]) == [None, "a"]


def test_what_is_odd_already_stays_odd() -> None:
    odd = np.array([True, False])
    places = KnownCodes(["a", "b"]).find(Packed([b"ba"]), np.array([0, 1]), np.array([1, 1]), odd)
    assert (places.tolist(), odd.tolist()) == ([1, 0], [True, False])


def test_a_text_differs_from_a_code_in_any_byte_or_in_its_length() -> None:
    known = KnownCodes(["a", "b" * 17, "区"])
    texts = [b"a", b"b" * 17, b"b" * 16 + b"c", b"b" * 18, "区".encode(), b"ab", b""]
    lengths = np.array([len(text) for text in texts])
    places = np.array([0, 1, 1, 1, 2, 0, 0])
    different = known.differ(places, Packed(texts), np.cumsum(lengths) - lengths, lengths)
    assert different.tolist() == [False, False, True, True, False, True, True]
