"""Make the topics on a broker that lacks them. Shell."""

import contextlib
import time
from typing import Final

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.cluster import ClusterMetadata
from kafka.errors import KafkaError, TopicAlreadyExistsError

from broker.connection import KafkaConnection
from broker.diagnosis import explained, what_keeps_us_out
from schemas.errors import HipwatchError
from schemas.topics import MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES, PARTITIONS, Topic, topic_name

_RETENTION_MS: Final = 400 * 24 * 3600 * 1000
"""Longer than a year: any printed month can be counted again from its events."""
_DATED_BY: Final = "LogAppendTime"
"""A message is dated by its receipt, and not by its sender's clock, for which Kafka would refuse it, or delete it at once."""
_BROKER_DEFAULT: Final = -1
_VISIBLE_SECONDS: Final = 10.0


def ensure_topics(connection: KafkaConnection) -> list[str]:
    """Create what is missing, and return the names of what was created. An existing topic is left as it is.

    Raises HipwatchError when no broker answers or it refuses.
    """
    with explained(connection):
        admin = KafkaAdminClient(**connection.client_options())
    try:
        existing = set(admin.list_topics())
        missing = [topic for topic in Topic if topic_name(topic, connection.topic_prefix) not in existing]
        for topic in missing:
            _create(admin, topic, connection)
        _wait_until_visible(admin, connection)
        return [topic_name(topic, connection.topic_prefix) for topic in missing]
    except KafkaError as error:
        why = what_keeps_us_out(connection) or f"the broker {connection.bootstrap} refuses to make the topics: {error}"
        raise HipwatchError(why) from None
    finally:
        admin.close()


def never_make_topics(cluster: ClusterMetadata) -> None:
    """Let a client ask for a topic that is gone without the broker's making it anew, with defaults of its own.

    kafka-python 3.0 has an option for that, allow_auto_create_topics, and does not pass it on to what asks.
    """
    cluster.config["allow_auto_create_topics"] = False


def _wait_until_visible(admin: KafkaAdminClient, connection: KafkaConnection) -> None:
    """Kafka answers before every broker knows a new topic: give it a moment."""
    names = {topic_name(topic, connection.topic_prefix) for topic in Topic}
    end = time.monotonic() + _VISIBLE_SECONDS
    while time.monotonic() < end:
        described = admin.describe_topics(sorted(names))
        if all(not topic["error_code"] and topic["partitions"] for topic in described):
            return
        time.sleep(0.1)


def _create(admin: KafkaAdminClient, topic: Topic, connection: KafkaConnection) -> None:
    limit = MAX_DEAD_LETTER_BYTES if topic is Topic.DEAD_LETTERS else MAX_MESSAGE_BYTES
    options = {"max.message.bytes": str(limit), "retention.ms": str(_RETENTION_MS), "message.timestamp.type": _DATED_BY}
    name = topic_name(topic, connection.topic_prefix)
    new = NewTopic(name=name, num_partitions=PARTITIONS, replication_factor=_BROKER_DEFAULT, topic_configs=options)
    with contextlib.suppress(TopicAlreadyExistsError):  # another process made it in the meantime
        admin.create_topics([new])
