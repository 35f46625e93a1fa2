"""The keyed hash of an event's id that a receipt keeps in place of the id. Core.

SipHash-1-3 (Aumasson and Bernstein, 2012; what CPython and Rust hash texts with): 8 bytes, and nobody who does not know the
ledger's key can make two ids that are hashed alike. Invariant: `receipt_hash` and `receipt_hashes` agree on every text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from schemas.codec.columns import TextColumn
from schemas.codec.packed import FIRST_BYTES, Numbers, Packed, Words

KEY_BYTES: Final = 16
"""A ledger's key: so many random bytes, made with the ledger and never changed."""
HASH_BYTES: Final = 8
"""Another event under a number that has been counted is taken for the same with a chance of one in 2^64."""

_START: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_64_BITS: Final = 2**64 - 1
_FINAL_ROUNDS: Final = 3
_ROWS_AT_A_TIME: Final = 16_384
"""Fewer pay more for each call of numpy, more leave the second cache."""


class Hasher(Protocol):
    """Makes receipts of event ids."""

    def of_ids(self, event_ids: Sequence[str]) -> list[bytes]:
        """A receipt for each id."""

    def of_texts(self, ids: TextColumn) -> Words:
        """The same for ids in a column: 8 bytes each, little-endian."""


@dataclass(frozen=True)
class ReceiptHasher:
    """The hasher of the ledger that has this key."""

    key: bytes

    def of_ids(self, event_ids: Sequence[str]) -> list[bytes]:
        """A receipt for each id."""
        return split_hashes(receipt_hashes(self.key, event_ids).tobytes())

    def of_texts(self, ids: TextColumn) -> Words:
        """The same for ids in a column: 8 bytes each, little-endian."""
        return hash_texts(self.key, ids.packed, ids.starts, ids.lengths)


def split_hashes(hashes: bytes) -> list[bytes]:
    """Receipts that stand end to end, one by one."""
    return [hashes[place : place + HASH_BYTES] for place in range(0, len(hashes), HASH_BYTES)]


def receipt_hash(key: bytes, event_id: str) -> bytes:
    """The hash of one id. Slow, and easily compared with the paper; a batch is hashed by `receipt_hashes`."""
    text = event_id.encode()
    state = [number ^ start for number, start in zip(_key_words(key) * 2, _START, strict=True)]
    for word in _words(text):
        state[3] ^= word
        _mix(state)
        state[0] ^= word
    state[2] ^= 0xFF
    for _ in range(_FINAL_ROUNDS):
        _mix(state)
    return (state[0] ^ state[1] ^ state[2] ^ state[3]).to_bytes(HASH_BYTES, "little")


def receipt_hashes(key: bytes, event_ids: Sequence[str]) -> Words:
    """The hashes of many ids, in their order, as little-endian words: `.tobytes()` is the hashes one after the other."""
    texts = [event_id.encode() for event_id in event_ids]
    lengths = np.fromiter(map(len, texts), np.int64)
    return hash_texts(key, Packed(texts), np.cumsum(lengths) - lengths, lengths)


def hash_texts(key: bytes, packed: Packed, starts: Numbers, lengths: Numbers) -> Words:
    """The hashes of the texts that begin at `starts` in `packed` and have `lengths` bytes of UTF-8."""
    hashes = np.empty(len(starts), "<u8")
    whole = lengths >> 3
    for count in np.unique(whole).tolist():  # texts of as many whole words take the same steps
        alike = np.flatnonzero(whole == count)
        for begin in range(0, len(alike), _ROWS_AT_A_TIME):
            rows = alike[begin : begin + _ROWS_AT_A_TIME]
            hashes[rows] = _hash_alike(key, packed.words_from(starts[rows], count + 1), lengths[rows])
    return hashes


def _hash_alike(key: bytes, words: Sequence[Words], lengths: Numbers) -> Words:
    """`receipt_hash`, step for step, of texts that all have as many words, the last of which is not whole."""
    state = [np.full(len(lengths), number ^ start, np.uint64) for number, start in zip(_key_words(key) * 2, _START, strict=True)]
    spare = np.empty(len(lengths), np.uint64)
    words[-1][:] &= FIRST_BYTES[lengths & 7]
    words[-1][:] |= lengths.astype(np.uint64) << np.uint64(56)
    for word in words:
        state[3] ^= word
        _mix_all(state, spare)
        state[0] ^= word
    state[2] ^= np.uint64(0xFF)
    for _ in range(_FINAL_ROUNDS):
        _mix_all(state, spare)
    hashes: Words = state[0] ^ state[1] ^ state[2] ^ state[3]
    return hashes


def _key_words(key: bytes) -> tuple[int, int]:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, and this one {len(key)}")
    return int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")


def _words(text: bytes) -> Iterator[int]:
    """The words of a text; the last holds what is left and the length."""
    whole = len(text) & ~7
    for begin in range(0, whole, 8):
        yield int.from_bytes(text[begin : begin + 8], "little")
    yield int.from_bytes(text[whole:], "little") | (len(text) & 0xFF) << 56


_HALVES: Final = ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21))
"""A round of the paper: which four words of the state each half takes, and how far it turns two of them."""


def _mix(v: list[int]) -> None:
    for a, b, c, d, turn_b, turn_d in _HALVES:
        v[a] = v[a] + v[b] & _64_BITS
        v[c] = v[c] + v[d] & _64_BITS
        v[b] = _turned(v[b], turn_b) ^ v[a]
        v[d] = _turned(v[d], turn_d) ^ v[c]
        v[a] = _turned(v[a], 32)


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _64_BITS


def _mix_all(v: Sequence[Words], spare: Words) -> None:
    """`_mix` of many states, in place: numpy's words wrap around by themselves."""
    for a, b, c, d, turn_b, turn_d in _HALVES:
        v[a] += v[b]
        v[c] += v[d]
        _turn(v[b], turn_b, spare)
        _turn(v[d], turn_d, spare)
        v[b] ^= v[a]
        v[d] ^= v[c]
        _turn(v[a], 32, spare)


def _turn(words: Words, bits: int, spare: Words) -> None:
    np.right_shift(words, np.uint64(64 - bits), out=spare)
    words <<= np.uint64(bits)
    words |= spare
