"""Who a message says that it is from, as far as that may be stored."""

import pytest

from schemas.codec.claimed_unit import claimed_unit
from schemas.codec.encode import encode
from schemas.topics import Topic
from tests.factories import make_event, make_forms


def test_an_id_that_nobody_registered_is_told() -> None:
    assert claimed_unit(encode(make_event(unit_id="somewhere-2")), Topic.CDA_DOCUMENTS) == "somewhere-2"
    assert claimed_unit(encode(make_forms(unit_id="somewhere-2")), Topic.REALTIME_FORMS) == "somewhere-2"


@pytest.mark.parametrize("name", ["张三", "Zhang San", "a" * 500, "\x1b[31m", ""])
def test_what_does_not_look_like_an_id_is_not(name: str) -> None:
    assert claimed_unit(encode(make_event(unit_id=name)), Topic.CDA_DOCUMENTS) is None


@pytest.mark.parametrize("value", [None, b"", b"\xc3\x01", b"nonsense", encode(make_forms())])
def test_what_cannot_be_read_claims_nothing(value: bytes | None) -> None:
    assert claimed_unit(value, Topic.CDA_DOCUMENTS) is None
