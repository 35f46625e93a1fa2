"""Numbers and texts in many byte strings at once, each read as it would be alone."""

from collections.abc import Sequence

import numpy as np
import pytest

from schemas.codec.packed import LONGEST_TEXT, Packed, mark_not_plain, read_texts, read_varints, same_text


def varint(number: int) -> bytes:
    """A zigzag number as Avro 1.11 writes it ("Binary encoding")."""
    left, found = number * 2 if number >= 0 else -2 * number - 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*found, left])


def laid_out(parts: Sequence[bytes], between: bytes = b"") -> tuple[Packed, np.ndarray]:
    """Parts one behind the other, and where each begins."""
    lengths = np.array([len(part) + len(between) for part in parts], np.int64)
    return Packed(found for part in parts for found in (between, part)), np.cumsum(lengths) - lengths + len(between)


def test_bytes_lie_end_to_end_and_what_lies_behind_them_may_be_read() -> None:
    packed = Packed([b"ab", bytearray(b"cdefgh"), b"", b"ij"])
    assert (packed.size, packed.slice(1, 3), packed.slice(8, 2)) == (10, b"bcd", b"ij")
    assert packed.octets[:11].tolist() == [*b"abcdefghij", 0]
    assert [int(packed.words[place]) for place in (0, 2, 10)] == [
        int.from_bytes(word, "little") for word in (b"abcdefgh", b"cdefghij", bytes(8))
    ]
    assert len(packed.octets) - packed.size == len(packed.words) + 7 - packed.size == LONGEST_TEXT + 64


def test_no_place_is_beyond_the_second_byte_behind_them() -> None:
    places = np.array([0, 2, 3, 4, 9])
    assert Packed([b"ab"]).within(places) is places
    assert places.tolist() == [0, 2, 3, 3, 3]


EDGES = [sign * 2**bits + off for bits in range(55) for sign in (1, -1) for off in (-1, 0, 1)]


def test_numbers_of_up_to_eight_bytes_are_read() -> None:
    packed, at = laid_out([varint(number) for number in EDGES])
    odd = np.zeros(len(EDGES), bool)
    numbers, ends = read_varints(packed, at, odd)
    assert numbers.tolist() == EDGES
    assert ends.tolist() == [*at[1:].tolist(), packed.size]
    assert not odd.any()


@pytest.mark.parametrize(
    ("written", "is_odd"),
    [
        (varint(2**55 - 1), False),
        (varint(-(2**55)), False),
        (varint(2**55), True),
        (varint(2**63 - 1), True),
        *((b"\x80" * more + b"\x00", True) for more in range(1, 9)),
        *((b"\xff" * more + b"\x00", True) for more in range(1, 9)),
        *((b"\x80" * more + b"\x01", more > 7) for more in range(1, 9)),
    ],
)
def test_a_number_that_is_longer_than_it_need_be_or_than_eight_bytes_is_odd(written: bytes, is_odd: bool) -> None:
    packed, at = laid_out([b"\x02", written, b"\x04"])
    odd = np.array([False, False, True])
    numbers, _ = read_varints(packed, at, odd)
    assert odd.tolist() == [False, is_odd, True]
    assert numbers[[0, 2]].tolist() == [1, 2]


def test_texts_are_found_where_they_lie() -> None:
    sizes = [0, 1, 63, 64, 65, 127, 128, 199, 200]
    packed, at = laid_out([varint(size) + b"x" * size for size in sizes])
    odd = np.zeros(len(sizes), bool)
    starts, lengths, ends = read_texts(packed, at, odd)
    assert lengths.tolist() == sizes
    assert lengths.dtype == ends.dtype == np.int64, "places are whole numbers"
    assert starts.tolist() == [begin + len(varint(size)) for begin, size in zip(at.tolist(), sizes, strict=True)]
    assert ends.tolist() == [*at[1:].tolist(), packed.size]
    assert not odd.any()


@pytest.mark.parametrize(
    "written", [varint(201), varint(8_191), varint(8_192), varint(2**40), varint(-1), varint(-64), varint(-65), b"\x80\x00"]
)
def test_a_text_that_is_too_long_or_that_no_writer_writes_is_odd_and_has_no_length(written: bytes) -> None:
    packed, at = laid_out([b"\x02a", written + bytes(5), b"\x04bc"])
    odd = np.array([False, False, True])
    starts, lengths, ends = read_texts(packed, at, odd)
    assert odd.tolist() == [False, True, True]
    assert lengths.tolist() == [1, 0, 2]
    assert (ends - starts).tolist() == [1, 0, 2]


def test_a_length_in_two_bytes_that_needs_one_is_odd() -> None:
    odd = np.array([False, False, True])
    read_texts(Packed([b"\x82\x00x", b"\x82\x01" + b"x" * 65]), np.array([0, 3, 3]), odd)
    assert odd.tolist() == [True, False, True], "and what was odd stays so"


def test_no_text_begins_or_ends_beyond_the_padding() -> None:
    packed = Packed([b"\x02", b"\x90\x03"])
    starts, lengths, ends = read_texts(packed, np.array([0, 1, 3]), np.zeros(3, bool))
    assert (starts.tolist(), lengths.tolist(), ends.tolist()) == ([1, 3, 4], [1, 200, 0], [2, 4, 4])


@pytest.mark.parametrize("sizes", [[9], [8, 16], [16, 17], list(range(20)), [3, 8, 16, 17, 24]], ids=str)
@pytest.mark.parametrize("bad", [b"\x00", b"\x80", b"\xff"])
def test_a_text_is_plain_until_one_of_its_bytes_is_not(sizes: list[int], bad: bytes) -> None:
    texts = [b"\x01\x7f" * (size // 2) + b"x" * (size % 2) for size in sizes]
    packed, at = laid_out(texts, bad * 8)
    lengths = np.array(sizes)
    odd = np.zeros(len(texts), bool)
    mark_not_plain(packed, at, lengths, odd)
    assert not odd.any()
    for row, text in enumerate(texts):
        for place in range(len(text)):
            wrong = [*texts[:row], text[:place] + bad + text[place + 1 :], *texts[row + 1 :]]
            packed, at = laid_out(wrong)
            odd = np.zeros(len(texts), bool)
            mark_not_plain(packed, at, lengths, odd)
            assert np.flatnonzero(odd).tolist() == [row], (row, place)


def test_of_no_texts_none_is_odd_and_what_was_odd_stays_so() -> None:
    nothing = np.empty(0, np.int64)
    mark_not_plain(Packed([]), nothing, nothing, np.empty(0, bool))
    odd = np.array([True, True])
    mark_not_plain(Packed([b"abcdefgh", b"i"]), np.array([0, 8]), np.array([8, 1]), odd)
    assert odd.all()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 17])
def test_the_same_text_has_the_same_bytes(size: int) -> None:
    text = bytes(range(97, 97 + size))
    others = [text[:place] + b"~" + text[place + 1 :] for place in range(size)]
    texts = [text, *others, text + b"~", text[1:], text]
    packed, at = laid_out(texts, b"z")
    lengths = np.array([len(found) for found in texts])
    assert same_text(packed, at, lengths, text).tolist() == [found == text for found in texts]
