"""Codes of the register found in texts, many at once and byte for byte. Core."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from schemas.codec.packed import FIRST_BYTES, LONGEST_TEXT, Marks, Numbers, Packed, Words

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: multiplied by it, neighbours are scattered (Knuth, 6.4)."""
_FOLD: Final = np.uint64(29)
_ROOM: Final = 4
"""Slots for each code: few share one."""
_LEAST_SLOTS: Final = 256
_NO_LENGTH: Final = -1


class KnownCodes:
    """A table of codes. What `find` finds is the code, byte for byte; that two share a hash only costs another look.

    `codes` are in the order of their texts: what is grouped by their places is in the order of a database's key.
    """

    def __init__(self, codes: Iterable[str]) -> None:
        self.codes = codes = sorted(codes)
        texts = [*(code.encode()[:LONGEST_TEXT] for code in codes), b""]
        width = max(1, -(-max(map(len, texts)) // 8))
        lengths = [len(code.encode()) for code in codes]
        self._lengths = np.array([*lengths, _NO_LENGTH])  # what is not found has the last place, -1
        padded = b"".join(text.ljust(8 * width, b"\0") for text in texts)
        self._words: Sequence[Words] = list(np.frombuffer(padded, "<u8").reshape(len(texts), width).T.copy())
        bits = max(_LEAST_SLOTS, _ROOM * len(texts)).bit_length()
        self._shift, self._last = np.uint64(64 - bits), (1 << bits) - 1
        self._slots = np.full(1 << bits, -1)
        packed = Packed(texts)
        starts = np.cumsum([0, *map(len, texts[:-1])])
        self._hashes = _hashed(_words(packed, starts, self._lengths, width), self._lengths)
        for index, slot in enumerate(self._slot_of(self._hashes[:-1]).tolist()):
            while self._slots[slot] >= 0:
                slot = (slot + 1) & self._last
            self._slots[slot] = index

    def find(self, packed: Packed, starts: Numbers, lengths: Numbers, odd: Marks) -> Numbers:
        """The place of each text among the codes; a text that is none of them is marked as odd."""
        words = _words(packed, starts, lengths, len(self._words))
        hashes = _hashed(words, lengths)
        slots = self._slot_of(hashes)
        found: Numbers = self._slots[slots]
        others = np.flatnonzero((found >= 0) & (self._hashes[found] != hashes))
        while others.size:
            slots[others] = (slots[others] + 1) & self._last
            found[others] = self._slots[slots[others]]
            others = others[(found[others] >= 0) & (self._hashes[found[others]] != hashes[others])]
        odd |= self._differ(found, words, lengths)
        return found

    def differ(self, places: Numbers, packed: Packed, starts: Numbers, lengths: Numbers) -> Marks:
        """Which texts are not the code whose place stands for them."""
        return self._differ(places, _words(packed, starts, lengths, len(self._words)), lengths)

    def _differ(self, places: Numbers, words: Sequence[Words], lengths: Numbers) -> Marks:
        different: Marks = self._lengths[places] != lengths
        for part, known in zip(words, self._words, strict=True):
            different |= part != known[places]
        return different

    def _slot_of(self, hashes: Words) -> Numbers:
        return (hashes * _STEP >> self._shift).astype(np.int64)


def _hashed(words: Sequence[Words], lengths: Numbers) -> Words:
    """A hash of each text's words and of its length."""
    hashes = lengths.astype(np.uint64) * _STEP
    for part in words:
        hashes ^= part
        hashes *= _STEP
        hashes ^= hashes >> _FOLD
    return hashes


def _words(packed: Packed, starts: Numbers, lengths: Numbers, count: int) -> Sequence[Words]:
    """The first `count` words of each text; zeros stand behind its end."""
    words = packed.words_from(starts, count)
    for begin, part in zip(range(0, 8 * count, 8), words, strict=True):
        part &= FIRST_BYTES[np.clip(lengths - begin, 0, 8)]
    return words
