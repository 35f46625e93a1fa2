"""Which of many texts are identifiers, eight bytes at a time. Core; `identifiers` is what it has to agree with."""

from typing import Final

import numpy as np

from schemas.codec.identifiers import is_identifier
from schemas.codec.packed import Marks, Numbers, Packed, Words, words_of_texts

_BYTES: Final = 0x0101010101010101
_TOP_BITS: Final = np.uint64(0x80 * _BYTES)
_LOWER: Final = np.uint64(0x20 * _BYTES)
_UNDERSCORES: Final = np.uint64(ord("_") * _BYTES)
_SEVENS: Final = np.uint64(0x7F * _BYTES)
_FILL: Final = np.uint64(ord("a") * _BYTES)


def mark_no_identifiers(packed: Packed, starts: Numbers, lengths: Numbers, odd: Marks) -> None:
    """Mark as odd every text that `is_identifier` refuses."""
    unsure = lengths == 0
    digits = np.zeros(len(lengths), bool)
    for rows, words in words_of_texts(packed, starts, lengths, _FILL):
        unsure[rows] |= ~_plain(words)
        digits[rows] |= _all_digits(words)
    likely = np.flatnonzero(digits)  # of 17 digits side by side eight fill a word
    for begin in range(8, int(lengths[likely].max(initial=0)) - 8, 8):
        unsure[likely] |= _in_17_digits(packed, starts[likely] + begin, lengths[likely] > begin + 8)
    first = packed.octets[starts]
    unsure |= (first < ord("0")) | (first == ord("_")) | (first == ord(":"))
    for row in np.flatnonzero(unsure & ~odd).tolist():
        text = packed.slice(int(starts[row]), int(lengths[row]))
        odd[row] = not (text.isascii() and is_identifier(text.decode()))


def _plain(words: Words) -> Marks:
    """Whether all eight bytes are letters, digits or among `-./:_`, the most of what ids are made of."""
    raised = words | _TOP_BITS
    plain = _at_least(raised, "-") & ~_at_least(raised, ";")
    letters = raised | _LOWER
    plain |= _at_least(letters, "a") & ~_at_least(letters, "{")
    plain |= ~((words ^ _UNDERSCORES) + _SEVENS)
    found: Marks = (plain & ~words & _TOP_BITS) == _TOP_BITS
    return found


def _in_17_digits(packed: Packed, places: Numbers, long: Marks) -> Marks:
    """Whether 17 digits stand side by side, one to eight of them before the place. What follows a text may count as its own.

    Wherever a text has 17 digits side by side, one of its places that are multiples of eight is such a place.
    """
    rows = np.flatnonzero(long)
    rows = rows[_all_digits(packed.words[places[rows] - 1])]
    rows = rows[_all_digits(packed.words[places[rows] + 1])]
    found = np.zeros(len(places), bool)
    for before in range(1, 9) if rows.size else ():
        first = places[rows] - before
        found[rows] |= _all_digits(packed.words[first]) & _all_digits(packed.words[first + 9])
    return found


def _all_digits(words: Words) -> Marks:
    raised = words | _TOP_BITS
    found: Marks = (_at_least(raised, "0") & ~_at_least(raised, ":") & ~words & _TOP_BITS) == _TOP_BITS
    return found


def _at_least(raised: Words, least: str) -> Words:
    """The top bit of each byte says whether what is below it in `raised`, whose top bits are set, is `least` or more."""
    return raised - np.uint64(ord(least) * _BYTES)
