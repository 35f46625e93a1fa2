"""A later version of a record adds a field with a default: what has been sent before must stay readable."""

import copy
from collections.abc import Iterator

import pytest

from schemas.codec import records, single_object
from schemas.codec.decode import decode, decode_dead_letter
from schemas.codec.encode import encode
from schemas.codec.reasons import DecodeError, Reason
from schemas.register import Register
from schemas.topics import Topic
from tests.factories import RECEIVED, make_event
from tests.unit.schemas.golden import GOLDEN, GOLDEN_LETTER, GOLDEN_LETTER_VALUE, Golden
from tests.unit.schemas.test_golden import shipped

each_record = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.topic.value)


def later_version(golden: Golden) -> single_object.Released:
    schema = copy.deepcopy(shipped(golden.schema))
    schema["fields"].append({"name": "channel", "type": "string", "default": "direct"})
    return single_object._release(golden.topic, 2, schema)


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The next release, in which every event has a version 2 beside its version 1."""
    released = (*(later_version(golden) for golden in GOLDEN), *single_object.released())
    monkeypatch.setattr(single_object, "released", lambda: released)
    single_object.by_fingerprint.cache_clear()
    single_object.newest_releases.cache_clear()
    yield
    monkeypatch.undo()
    single_object.by_fingerprint.cache_clear()
    single_object.newest_releases.cache_clear()


@pytest.mark.usefixtures("upgraded")
@each_record
def test_old_bytes_stay_readable_after_a_field_was_added(golden: Golden, register: Register) -> None:
    assert single_object.newest_releases()[golden.topic].version == 2
    assert records.read_record(golden.value, golden.topic)["channel"] == "direct", (
        "the default takes the place of the missing field"
    )
    assert decode(golden.value, golden.topic, register, RECEIVED) == golden.event


@pytest.mark.usefixtures("upgraded")
@each_record
def test_new_messages_are_of_the_new_version_and_mean_the_same(golden: Golden, register: Register) -> None:
    value = encode(golden.event)
    assert (
        value == golden.value[:2] + single_object.newest_releases()[golden.topic].fingerprint + golden.value[10:] + b"\x0cdirect"
    )
    assert decode(value, golden.topic, register, RECEIVED) == golden.event


@pytest.mark.usefixtures("upgraded")
@each_record
def test_old_bytes_are_still_checked_after_a_field_was_added(golden: Golden, register: Register) -> None:
    for value, reason in (
        (golden.value[:-1], Reason.TRUNCATED),
        (golden.value + b"\0", Reason.TRAILING_BYTES),
        (golden.value.replace(b"a3f1-", b"a3f1\xff"), Reason.WRONG_TYPE),
        (golden.value[:10] + b"\x92\x00" + golden.value[11:], Reason.WRONG_TYPE),  # the first length, 9, in two bytes
    ):
        with pytest.raises(DecodeError) as caught:
            decode(value, golden.topic, register, RECEIVED)
        assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("tries", "good"), [(b"\xfe\xff\xff\xff\x0f", True), (b"\x80\x80\x80\x80\x10", False)], ids=["2**31 - 1", "2**31"]
)
def test_an_int_that_may_be_null_has_at_most_32_bits(tries: bytes, good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = copy.deepcopy(shipped(GOLDEN[0].schema))
    schema["fields"].append({"name": "tries", "type": ["null", "int"], "default": None})
    later = single_object._release(GOLDEN[0].topic, 2, schema)
    monkeypatch.setattr(records, "by_fingerprint", lambda: {later.fingerprint: later})
    monkeypatch.setattr(records, "newest_releases", lambda: {later.topic: later})
    value = single_object.MARKER + later.fingerprint + GOLDEN[0].value[10:] + b"\x02" + tries
    if good:
        assert records.read_record(value, later.topic)["tries"] == 2**31 - 1
    else:
        with pytest.raises(DecodeError) as caught:
            records.read_record(value, later.topic)
        assert caught.value.reason is Reason.WRONG_TYPE


def test_a_message_of_a_release_that_we_do_not_know_yet_is_kept_as_a_dead_letter(register: Register) -> None:
    value = bytes.fromhex("c301") + later_version(GOLDEN[0]).fingerprint + GOLDEN[0].value[10:] + b"\x0cdirect"
    with pytest.raises(DecodeError) as caught:
        decode(value, Topic.CDA_DOCUMENTS, register, RECEIVED)
    assert caught.value.reason is Reason.UNKNOWN_FINGERPRINT


@pytest.mark.usefixtures("upgraded")
def test_a_record_without_a_newer_version_is_read_as_before() -> None:
    assert single_object.newest_releases()[Topic.DEAD_LETTERS].version == 1
    assert decode_dead_letter(GOLDEN_LETTER_VALUE) == GOLDEN_LETTER


def test_the_next_release_of_one_test_does_not_leak_into_another(register: Register) -> None:
    assert {released.version for released in single_object.newest_releases().values()} == {1}
    assert decode(encode(make_event()), Topic.CDA_DOCUMENTS, register, RECEIVED) == make_event()
