"""Dead letters go to their topic, and one that the topic refuses holds up none behind it."""

from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from broker.connection import KafkaConnection
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from monitor.ledger.dead_letters import DeadLetters
from monitor.worker.dead_letter_publisher import DeadLetterPublisher
from schemas.topics import Topic, topic_name
from tests.conftest import prepare
from tests.factories import UNITS, make_batch, make_letter


@pytest.mark.needs("limits_size")
def test_a_letter_that_the_topic_refuses_holds_up_none_behind_it(connection: KafkaConnection, tmp_path: Path) -> None:
    name = topic_name(Topic.DEAD_LETTERS, connection.topic_prefix)
    admin = KafkaAdminClient(**connection.client_options())
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "2000"})])
    admin.close()
    engine = open_database(f"sqlite:///{tmp_path / 'ledger.db'}", create=True)
    letters = [make_letter(offset=n, detail="x" * 5_000 if n < 120 else "short") for n in range(250)]
    prepare(Ledger(engine, UNITS)).append(make_batch(dead_letters=letters))
    kept = DeadLetters(engine)
    with DeadLetterPublisher(connection, kept) as publisher:
        publisher.publish()
        assert [letter.position.offset for letter in kept.unpublished(most=1_000)] == list(range(120))
        publisher.publish()
        assert len(kept.unpublished(most=1_000)) == 120, "they stay, and are tried again"
    engine.dispose()
