"""The event topics as the broker has them. Shell."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from kafka import KafkaAdminClient

from broker.connection import KafkaConnection
from broker.diagnosis import explained
from schemas.errors import HipwatchError
from schemas.topics import EVENT_TOPICS, Topic, topic_name

NO_TOPIC_ID: Final = "00000000-0000-0000-0000-000000000000"


class TopicMissing(HipwatchError):
    """The broker answers, and lacks one of our topics."""


class TopicInfo(NamedTuple):
    """A topic as the broker has it now; a topic that was deleted and made anew has another id."""

    topic: Topic
    topic_id: str
    partitions: Sequence[int]


def describe_topics(connection: KafkaConnection) -> list[TopicInfo]:
    """The event topics on the broker. Raises HipwatchError when it cannot be reached or lacks a topic."""
    names = {topic_name(topic, connection.topic_prefix): topic for topic in EVENT_TOPICS}
    with explained(connection):
        admin = KafkaAdminClient(**connection.client_options())
        try:
            described = admin.describe_topics(list(names))
            cluster = str(admin.describe_cluster().get("cluster_id"))
        finally:
            admin.close()
    found = []
    for topic in described:
        name = topic["name"]
        if topic["error_code"] or not topic["partitions"]:
            raise TopicMissing(f"the broker {connection.bootstrap} has no topic {name} yet; a worker makes it")
        topic_id = str(topic.get("topic_id") or NO_TOPIC_ID)
        if topic_id == NO_TOPIC_ID:  # brokers before 3.1 have none
            topic_id = f"{cluster}/{name}"
        partitions = sorted(partition["partition_index"] for partition in topic["partitions"])
        found.append(TopicInfo(names[name], topic_id, partitions))
    return found
