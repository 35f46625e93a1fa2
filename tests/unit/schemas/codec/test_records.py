"""What is said of a message that holds no record at all."""

import pytest

from schemas.codec.reasons import DecodeError, Reason
from schemas.codec.records import read_record
from schemas.codec.single_object import MARKER
from schemas.topics import Topic
from tests.unit.schemas.golden import GOLDEN

NO_MARKER = "does not begin with the single-object marker C3 01"
REGISTRY = "looks like the schema registry's framing (schema 16909060): send single-object encoding instead"


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (None, Reason.NOT_AVRO, "the message is empty"),
        (b"", Reason.NOT_AVRO, "the message is empty"),
        (b"<a/>", Reason.NOT_AVRO, NO_MARKER),
        (b"{}", Reason.NOT_AVRO, f"{NO_MARKER}; looks like JSON"),
        (b"[1]", Reason.NOT_AVRO, f"{NO_MARKER}; looks like JSON"),
        (b"\x00\x01\x02\x03\x04a", Reason.NOT_AVRO, f"{NO_MARKER}; {REGISTRY}"),
        pytest.param(b"\x00\x01\x02\x03\x04", Reason.NOT_AVRO, NO_MARKER, id="the registry's header and no datum"),
        (b"\x01\x00\x02\x03\x04a", Reason.NOT_AVRO, NO_MARKER),
        (MARKER, Reason.TRUNCATED, "2 bytes; the header alone has 10"),
        (MARKER + bytes(7), Reason.TRUNCATED, "9 bytes; the header alone has 10"),
        (MARKER + bytes(8), Reason.UNKNOWN_FINGERPRINT, "no released schema has the fingerprint 0000000000000000"),
        (GOLDEN[0].value[:10], Reason.TRUNCATED, "the datum ends early, after 10 bytes in all"),
    ],
)
def test_a_message_without_a_record_says_what_it_is(value: bytes | None, reason: Reason, detail: str) -> None:
    with pytest.raises(DecodeError) as refused:
        read_record(value, Topic.CDA_DOCUMENTS)
    assert (refused.value.reason, refused.value.detail) == (reason, detail)
