"""Whose message it is: key and unit have to agree; and what a dead letter says of its likely cause."""

from typing import Final

import pytest

from monitor.counting.batch import Batch, Position, RawBatch, RawMessage, Unreadable
from monitor.worker.decoding import decode_batch, senders
from schemas.codec.encode import encode
from schemas.codec.reasons import Reason
from schemas.register import load_register
from schemas.topics import Topic, topic_name
from tests.factories import OTHER_UNIT, RECEIVED, UNIT, make_event

REGISTER: Final = load_register()
VALUE: Final = encode(make_event())


def decoded(key: bytes | None, value: bytes, *, null_keys: bool = True, unreadable: tuple[Unreadable, ...] = ()) -> Batch:
    messages = [RawMessage(7, key, value, RECEIVED)]
    name = topic_name(Topic.CDA_DOCUMENTS)
    raw = RawBatch(Topic.CDA_DOCUMENTS, name, Position("id", 0, 7), 8, messages, unreadable)
    return decode_batch(raw, REGISTER, null_keys=null_keys)


@pytest.mark.parametrize(
    ("key", "null_keys", "taken"),
    [
        (UNIT.encode(), True, True),
        (UNIT.encode(), False, True),
        (OTHER_UNIT.encode(), True, False),
        (b"", True, False),
        (UNIT.encode() + b"\0", True, False),
        (None, True, True),
        (None, False, False),
    ],
)
def test_the_key_is_the_units_id(key: bytes | None, null_keys: bool, taken: bool) -> None:
    batch = decoded(key, VALUE, null_keys=null_keys)
    assert len(batch.arrivals.rows()) == taken
    assert [letter.reason for letter in batch.dead_letters] == ([] if taken else [Reason.KEY_MISMATCH])


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (b"\0\0\0\0\x07" + VALUE[10:], "looks like the schema registry's framing (schema 7)"),
        (b'{"unit_id": "gulou"}', "looks like JSON"),
        (b"\x01\x02", "does not begin with the single-object marker C3 01"),
    ],
)
def test_a_dead_letter_says_what_its_sender_likely_did(value: bytes, hint: str) -> None:
    (letter,) = decoded(UNIT.encode(), value).dead_letters
    assert letter.reason is Reason.NOT_AVRO
    assert letter.detail.endswith(hint) or hint in letter.detail


def test_messages_that_nobody_can_unpack_are_one_dead_letter_beside_the_good_one() -> None:
    batch = decoded(UNIT.encode(), VALUE, unreadable=(Unreadable(3, 7, RECEIVED, "no zstd", b"\xff" * 9),))
    (letter,) = batch.dead_letters
    assert (letter.offset, letter.reason, letter.key, letter.value) == (3, Reason.UNREADABLE_BATCH, None, b"\xff" * 9)
    assert senders(batch) == ({UNIT: 1}, {None: 1})


def test_who_sent_a_dead_letter_is_what_its_key_says() -> None:
    assert senders(decoded(OTHER_UNIT.encode(), VALUE)) == ({}, {OTHER_UNIT: 1})
