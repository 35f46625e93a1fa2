"""The canary's message: read back as what was sent, and nobody else's is taken for it."""

from datetime import timedelta

import pytest

from schemas.codec.canary import CANARY_KEY, Canary, canary_message, read_canary
from schemas.codec.decode import decode
from schemas.codec.encode import encode
from schemas.codec.reasons import DecodeError, Reason
from schemas.identifiers import CANARY_UNIT
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, Topic
from tests.factories import NOON, RECEIVED, UNIT, make_event

TOPIC = Topic.CDA_DOCUMENTS


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_it_is_read_back_on_every_topic_and_is_no_event_there(topic: Topic) -> None:
    value = canary_message(topic, NOON, "run", 7)
    assert read_canary(CANARY_KEY, value, topic, RECEIVED) == Canary(NOON, "run", 7)
    with pytest.raises(DecodeError) as refused:
        decode(value, topic, load_register(), RECEIVED)
    assert refused.value.reason is Reason.UNKNOWN_UNIT, "so it is looked at, and everything else costs nothing"


def test_a_clock_that_runs_ahead_makes_no_event_younger_than_its_receipt() -> None:
    value = canary_message(TOPIC, RECEIVED + timedelta(hours=1), "run", 1)
    assert read_canary(CANARY_KEY, value, TOPIC, RECEIVED) == Canary(RECEIVED, "run", 1)


@pytest.mark.parametrize("key", [None, b"", UNIT.encode(), CANARY_KEY + b"\0"])
def test_another_key_is_not_the_canarys(key: bytes | None) -> None:
    assert read_canary(key, canary_message(TOPIC, NOON, "run", 1), TOPIC, RECEIVED) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        canary_message(TOPIC, NOON, "run", 1)[:-1],
        canary_message(TOPIC, NOON, "run", 0),
        canary_message(TOPIC, NOON, "run", 10**12 + 1),
        canary_message(TOPIC, NOON, "no series", 1),
        canary_message(TOPIC, NOON.replace(year=1999), "run", 1),
        canary_message(TOPIC, NOON.replace(year=2100), "run", 1),
        canary_message(Topic.DECLARATIONS, NOON, "run", 1),
        encode(make_event(unit_id="another")),
    ],
)
def test_what_is_broken_or_another_units_under_its_key_is_not_the_canarys(value: bytes | None) -> None:
    assert read_canary(CANARY_KEY, value, TOPIC, RECEIVED) is None


def test_no_register_has_it() -> None:
    assert CANARY_UNIT not in load_register().units
