"""A made-up month does not get among real messages by accident."""

import pytest

from broker.connection import KafkaConnection
from broker.strangers import require_no_strangers
from ingest.producer import EventProducer
from schemas.codec.encode import encode
from schemas.errors import HipwatchError
from schemas.topics import Topic
from tests.factories import make_event

SIMULATED = "simulated-2024-09-0a1b2c3d"
BEFORE_THE_MARK = "2024-09-0a1b2c3d"


def publish(connection: KafkaConnection, *values: bytes, key: bytes = b"gulou") -> None:
    with EventProducer(connection) as producer:
        for value in values:
            producer.send(Topic.CDA_DOCUMENTS, key, value)


def test_topics_that_are_missing_empty_or_hold_a_simulated_month_need_no_word(connection: KafkaConnection) -> None:
    require_no_strangers(KafkaConnection(connection.bootstrap, "nobody-has-this"))
    require_no_strangers(connection)
    events = [encode(make_event(sequence=number, series=SIMULATED)) for number in range(1, 40)]
    events += [encode(make_event(sequence=number, series=BEFORE_THE_MARK)) for number in range(1, 40)]
    publish(connection, b"\xc3\x01 poison of the simulator's", *events)
    require_no_strangers(connection)


@pytest.mark.parametrize("series", ["", "2024", "ward-7"])
def test_a_real_message_before_or_behind_simulated_ones_is_found(connection: KafkaConnection, series: str) -> None:
    events = [encode(make_event(sequence=number, series=SIMULATED)) for number in range(1, 40)]
    publish(connection, *events, encode(make_event(series=series)))
    with pytest.raises(HipwatchError, match="HIPWATCH_YES_INTO_THIS_BROKER=1") as caught:
        require_no_strangers(connection)
    assert f"{connection.topic_prefix}.cda-documents.v1" in str(caught.value)
    assert "--yes-into-this-broker" in str(caught.value)
    assert "--topic-prefix" in str(caught.value)


def test_messages_of_which_none_can_be_read_are_not_ours(connection: KafkaConnection) -> None:
    publish(connection, b"\x00\x00\x00\x00\x07 framed by a registry")
    with pytest.raises(HipwatchError, match="holds messages that were not simulated"):
        require_no_strangers(connection)
