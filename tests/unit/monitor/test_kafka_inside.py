"""What hipwatch uses of kafka-python's inside is there: pyproject.toml allows only releases that were looked at."""

from importlib.metadata import version

import kafka.errors
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.cluster import ClusterMetadata
from kafka.consumer.fetcher import Fetcher
from kafka.coordinator.base import BaseCoordinator
from kafka.producer.sender import Sender
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.legacy_records import LegacyRecordBatch

from broker.topics import never_make_topics


def test_the_release_is_one_that_was_looked_at() -> None:
    assert version("kafka-python").startswith("3.0.")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (KafkaConsumer, ["highwater", "group_metadata"]),
        (BaseCoordinator, ["request_rejoin"]),
        (ClusterMetadata, ["topic_id", "partitions_for_topic"]),
        (Sender, ["force_close"]),
        (Fetcher, ["PartitionRecords"]),
        (
            Fetcher.PartitionRecords,
            [
                "_unpack_records",
                "take",
                "drain",
                "_consume_aborted_transactions_up_to",
                "_contains_abort_marker",
                "_is_batch_aborted",
            ],
        ),
        (DefaultRecordBatch, ["_buffer", "_pos", "_decompressed", "last_offset_delta", "next_offset", "records_count"]),
        (LegacyRecordBatch, ["_buffer", "_decompressed", "compression_type", "validate_crc"]),
        (kafka.errors, ["RetriableError", "AuthorizationError"]),
    ],
)
def test_a_private_part_that_is_used_exists(kind: type, names: list[str]) -> None:
    assert [name for name in names if not hasattr(kind, name)] == []


def test_private_attributes_of_clients_exist() -> None:
    consumer = KafkaConsumer(bootstrap_servers=["127.0.0.1:1"], api_version=(2, 6), group_id="g", bootstrap_timeout_ms=1)
    producer = KafkaProducer(bootstrap_servers=["127.0.0.1:1"], api_version=(2, 6), bootstrap_timeout_ms=1)
    try:
        assert consumer._fetcher.PartitionRecords is Fetcher.PartitionRecords
        assert consumer._coordinator.request_rejoin
        assert consumer._cluster.topic_id("nowhere") is None
        consumer.assign([place := TopicPartition("nowhere", 0)])
        assert consumer._subscription.assignment[place].position is None
        consumer.seek(place, 7)
        assert consumer._subscription.assignment[place].position.offset == 7
        assert producer._sender
        for cluster in (consumer._cluster, producer._metadata):
            never_make_topics(cluster)
            cluster.set_topics(["nowhere"])
            assert cluster.metadata_request().allow_auto_topic_creation is False
    finally:
        consumer.close(autocommit=False, timeout_ms=0)
        producer.close(timeout=0)
