"""Many byte strings laid end to end, and how numpy reads Avro's numbers and texts in all of them at once. Core.

Invariant: a place only ever moves forward, and never beyond the padding. So a row that was misread cannot come back to where
it should have ended, which is how the decoder knows it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]
Marks = NDArray[np.bool_]
"""One truth per row."""

LONGEST_TEXT: Final = 200
"""In bytes. A longer text may still be one of 200 characters: its message is read the plain way."""
FIRST_BYTES: Final = np.array([(1 << (8 * count)) - 1 for count in range(8)] + [2**64 - 1], np.uint64)
"""Masks that keep the first 0 to 8 bytes of a word."""

_PADDING: Final = bytes(LONGEST_TEXT + 64)
"""What is read at the last place there is must be there."""
_TOP_BITS: Final = np.uint64(0x8080808080808080)
_ONES: Final = np.uint64(0x0101010101010101)
_SEVEN_BITS: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_ODD_SEVENS, _EVEN_SEVENS = np.uint64(0x7F007F007F007F00), np.uint64(0x007F007F007F007F)
_ODD_14, _EVEN_14 = np.uint64(0x3FFF00003FFF0000), np.uint64(0x00003FFF00003FFF)
_ODD_28, _EVEN_28 = np.uint64(0x0FFFFFFF00000000), np.uint64(0x000000000FFFFFFF)
_1, _2, _4, _7 = (np.uint64(bits) for bits in (1, 2, 4, 7))


class Packed:
    """Byte strings end to end. `octets[i]` is a byte; `words[i]` the 8 bytes from there on, little-endian."""

    def __init__(self, parts: Iterable[bytes | bytearray]) -> None:
        padded = b"".join([*parts, _PADDING])
        self.size = len(padded) - len(_PADDING)
        self.octets: NDArray[np.uint8] = np.frombuffer(padded, np.uint8)
        self.words: Words = np.ndarray((len(padded) - 7,), "<u8", padded, 0, (1,))
        self._bytes = padded

    def slice(self, start: int, length: int) -> bytes:
        """A copy of some bytes."""
        return self._bytes[start : start + length]

    def words_from(self, starts: Numbers, count: int) -> Sequence[Words]:
        """The first, second, … of `count` words that stand at each place: those of the longest text, and one more, at most.

        numpy moves the bytes of a row at once: many words cost little more than one of `words`.
        """
        if not count:
            return []
        rows = np.ndarray((len(self._bytes) - 8 * count + 1,), f"V{8 * count}", self._bytes, 0, (1,))[starts]
        return list(np.ascontiguousarray(rows.view("<u8").reshape(len(starts), count).T))

    def within(self, places: Numbers) -> Numbers:
        """`places`, in place, and none beyond the padding's second byte: no text ends there."""
        return np.minimum(places, self.size + 1, out=places)


def read_varints(packed: Packed, at: Numbers, odd: Marks) -> tuple[Numbers, Numbers]:
    """The zigzag numbers that stand at each place, and the places behind them.

    Marks as odd what has more than 8 bytes, or more than it needs: no writer writes that.
    """
    words = packed.words[at]
    stops = ~words & _TOP_BITS
    below = (stops & (~stops + _1)) - _1  # every bit below the first byte that ends a number
    lengths = (np.bitwise_count(below).astype(np.int64) + 1) >> 3
    odd |= stops == 0
    words &= below
    longest = int(lengths.max(initial=0))
    if longest > 1:
        odd |= (lengths > 1) & (words <= below >> _7)  # the last of its bytes says nothing
        words &= _SEVEN_BITS
        words = (words & _ODD_SEVENS) >> _1 | words & _EVEN_SEVENS
    if longest > 2:
        words = (words & _ODD_14) >> _2 | words & _EVEN_14
    if longest > 4:
        words = (words & _ODD_28) >> _4 | words & _EVEN_28
    numbers = (words >> _1 ^ (~(words & _1) + _1)).view(np.int64)
    return numbers, packed.within(at + lengths)


def read_texts(packed: Packed, at: Numbers, odd: Marks) -> tuple[Numbers, Numbers, Numbers]:
    """Where the texts that stand at each place begin, how many bytes they have, and the places behind them.

    Marks as odd what is longer than LONGEST_TEXT, and gives it no length.
    """
    first = packed.octets[at]
    lengths = (first >> 1).astype(np.int64)
    starts = at + 1
    long = first >= 0x80
    if long.any():
        rows = np.flatnonzero(long)
        second = packed.octets[at[rows] + 1].astype(np.int64)  # of three bytes or more it makes a length beyond LONGEST_TEXT
        odd[rows] |= second == 0
        lengths[rows] = (first[rows] & 0x7F).astype(np.int64) >> 1 | second << 6
        starts[rows] += 1
    wrong = (first & 1 != 0) | (lengths > LONGEST_TEXT)
    odd |= wrong
    lengths[wrong] = 0
    packed.within(starts)
    return starts, lengths, packed.within(starts + lengths)


def words_of_texts(packed: Packed, starts: Numbers, lengths: Numbers, fill: np.uint64) -> Iterator[tuple[slice | Numbers, Words]]:
    """The first, second, … word of the texts that have one, and which texts those are; bytes of `fill` end the last of each."""
    if not len(lengths):
        return
    everywhere, longest = int(lengths.min()) // 8, int(lengths.max())
    for words in packed.words_from(starts, everywhere):
        yield slice(None), words
    for begin in range(8 * everywhere, longest, 8):
        rows = np.flatnonzero(lengths > begin)
        kept = FIRST_BYTES[np.minimum(lengths[rows] - begin, 8)]
        yield rows, packed.words[starts[rows] + begin] & kept | ~kept & fill


def mark_not_plain(packed: Packed, starts: Numbers, lengths: Numbers, odd: Marks) -> None:
    """Mark as odd every text that holds a NUL or anything beyond ASCII."""
    for rows, words in words_of_texts(packed, starts, lengths, _ONES):
        odd[rows] |= _not_plain(words)


def _not_plain(words: Words) -> Marks:
    """Whether a byte is 0 or has its top bit set."""
    found: Marks = ((words | (words - _ONES & ~words)) & _TOP_BITS) != 0
    return found


def same_text(packed: Packed, starts: Numbers, lengths: Numbers, text: bytes) -> Marks:
    """Which of the texts are `text`, byte for byte."""
    same: Marks = lengths == len(text)
    for begin in range(0, len(text), 8):
        part = text[begin : begin + 8]
        same &= packed.words[starts + begin] & FIRST_BYTES[len(part)] == np.uint64(int.from_bytes(part, "little"))
    return same
