"""Whose message it is: its key has to be the unit's id."""

import pytest

from schemas.codec.message_key import require_key
from schemas.codec.reasons import DecodeError, Reason
from tests.factories import OTHER_UNIT, UNIT, make_event


@pytest.mark.parametrize("null_keys", [True, False])
def test_the_id_of_the_unit_is_its_key(null_keys: bool) -> None:
    require_key(UNIT.encode(), make_event(), null_keys=null_keys)


@pytest.mark.parametrize("null_keys", [True, False])
@pytest.mark.parametrize("key", [b"", b"gulou ", OTHER_UNIT.encode(), b"\xff"])
def test_another_key_is_refused(key: bytes, null_keys: bool) -> None:
    with pytest.raises(DecodeError) as error:
        require_key(key, make_event(), null_keys=null_keys)
    assert (error.value.reason, error.value.detail) == (Reason.KEY_MISMATCH, "the key is another than the unit's id gulou")


def test_no_key_is_taken_where_that_is_allowed_and_refused_where_it_is_not() -> None:
    require_key(None, make_event(), null_keys=True)
    with pytest.raises(DecodeError) as error:
        require_key(None, make_event(), null_keys=False)
    assert error.value.reason is Reason.KEY_MISMATCH
    assert error.value.detail == "the message has no key, and must have its unit's id"
