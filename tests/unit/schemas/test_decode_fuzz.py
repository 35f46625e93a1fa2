import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec.decode import decode, decode_dead_letter
from schemas.codec.reasons import DecodeError
from schemas.codec.single_object import MARKER
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, MAX_EVENT_BYTES, Topic
from tests.factories import RECEIVED
from tests.unit.schemas.golden import GOLDEN, GOLDEN_LETTER_VALUE, Golden

REGISTER = load_register()
HEADERS = [golden.value[:10] for golden in GOLDEN]
topics = st.sampled_from(EVENT_TOPICS)


def event_or_refusal(value: bytes, topic: Topic) -> bool:
    """Whether `value` is an event; any exception but DecodeError is a failure of the test that asks."""
    try:
        decode(value, topic, REGISTER, RECEIVED)
    except DecodeError as error:
        detail = error.detail
    else:
        return True
    assert 0 < len(detail) < 200
    return False


@settings(max_examples=300)
@given(st.binary(max_size=300), topics)
def test_random_bytes_are_refused_and_nothing_worse(value: bytes, topic: Topic) -> None:
    assert not event_or_refusal(value, topic)


@settings(max_examples=500)
@given(st.sampled_from(GOLDEN), st.binary(max_size=200))
def test_random_bytes_behind_a_true_header_are_an_event_or_refused(golden: Golden, rest: bytes) -> None:
    header = golden.value[:10]
    topic = golden.topic
    event_or_refusal(header + rest, topic)


edits = st.lists(st.tuples(st.integers(0, 200), st.sampled_from("rid"), st.binary(min_size=1, max_size=12)), max_size=4)


def mutated(value: bytes, changes: list[tuple[int, str, bytes]]) -> bytes:
    for place, kind, new in changes:
        at = place % (len(value) + 1)
        keep = {"r": at + len(new), "i": at, "d": at + len(new)}[kind]
        value = value[:at] + (b"" if kind == "d" else new) + value[keep:]
    return value


@settings(max_examples=1000)
@given(st.sampled_from(GOLDEN), edits, topics)
def test_a_mutilated_message_is_an_event_or_refused(golden: Golden, changes: list[tuple[int, str, bytes]], topic: Topic) -> None:
    own = golden.topic
    value = mutated(golden.value, changes)
    event_or_refusal(value, own)
    if topic is not own and value.startswith(MARKER):
        assert not event_or_refusal(value, topic) or value[:10] in HEADERS


@settings(max_examples=500)
@given(edits)
def test_a_mutilated_dead_letter_is_a_letter_or_refused(changes: list[tuple[int, str, bytes]]) -> None:
    try:
        letter = decode_dead_letter(mutated(GOLDEN_LETTER_VALUE, changes))
    except DecodeError:
        return
    assert letter.received_at.tzinfo is not None


def test_no_single_wrong_byte_does_more_than_refuse() -> None:
    read = refused = 0
    for golden in GOLDEN:
        for place in range(len(golden.value)):
            for byte in range(0, 256, 3):
                ok = event_or_refusal(golden.value[:place] + bytes([byte]) + golden.value[place + 1 :], golden.topic)
                read, refused = read + ok, refused + (not ok)
    assert read > 0
    assert refused > read


def test_lengths_that_promise_more_than_there_is_cost_nothing() -> None:
    huge = b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"  # a length of about 2**62
    negative = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
    for golden in GOLDEN:
        for place in range(10, len(golden.value)):
            for length in (huge, negative, b"\x01", b"\x03", b"\x80" * 30, b"\xff" * 30):
                event_or_refusal(golden.value[:place] + length + golden.value[place:], golden.topic)


@pytest.mark.parametrize(
    "count",
    [
        b"\x80\x80\x80\x80\x80\x80\x80\x80\x20",  # 2**60
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",  # -(2**63), which has no positive, and a size
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x1f\x00",  # -(2**60) and a size
    ],
    ids=["2**60", "-(2**63)", "-(2**60)"],
)
@pytest.mark.parametrize("items", [b"", b"\x00", b"\x0aC0001"], ids=["none", "empty", "good"])
def test_an_array_that_promises_more_items_than_there_are_bytes_costs_no_more_than_its_bytes(count: bytes, items: bytes) -> None:
    declared = GOLDEN[2].value
    value = declared[: declared.index(b"\x04\x0aC0001")] + count
    value += items * ((MAX_EVENT_BYTES - len(value)) // max(1, len(items)))
    tracemalloc.start()
    begun = time.process_time()
    assert not event_or_refusal(value, Topic.DECLARATIONS)
    seconds, (_, peak) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * MAX_EVENT_BYTES
    assert seconds < 10, "a megabyte takes a fraction of a second"
