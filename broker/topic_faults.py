"""What is wrong with the topics as a broker has them: missing, or set up otherwise than hipwatch makes them. Shell."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from broker.connection import KafkaConnection
from broker.diagnosis import explained
from schemas.topics import MAX_EVENT_BYTES, MAX_MESSAGE_BYTES, PARTITIONS, Topic, topic_name

_DAY_MS: Final = 24 * 3600 * 1000
_LEAST_RETENTION_MS: Final = 35 * _DAY_MS
"""A month must be there to be counted again; hipwatch itself asks for 400 days."""
_GOOD_RETENTION_MS: Final = 400 * _DAY_MS
_LEAST_MESSAGE_BYTES: Final = 512 << 10
"""Producers fill batches of some hundred kilobytes. Kafka's own limit is 1 MiB."""
_DATED_BY: Final = "LogAppendTime"


class Fault(StrEnum):
    """What may be wrong with a topic. A label of metrics: bounded, and never renamed."""

    MISSING = "missing"
    FEW_PARTITIONS = "few_partitions"
    COMPACTED = "compacted"
    DATED_BY_SENDERS = "dated_by_senders"
    SHORT_RETENTION = "short_retention"
    SMALL_MESSAGES = "small_messages"


class TopicFault(NamedTuple):
    """One thing that is wrong with a topic; `sentence` says what follows from it, and what to do."""

    name: str
    fault: Fault
    sentence: str


def topic_faults(connection: KafkaConnection) -> list[TopicFault]:
    """Everything that is wrong with our topics. A setting that the broker does not tell is taken to be right.

    Raises HipwatchError when the broker cannot be reached.
    """
    names = [topic_name(topic, connection.topic_prefix) for topic in Topic]
    with explained(connection):
        admin = KafkaAdminClient(**connection.client_options())
        try:
            described = {topic["name"]: topic for topic in admin.describe_topics(names)}
            partitions = {name: 0 if topic["error_code"] else len(topic["partitions"]) for name, topic in described.items()}
            there = [name for name in names if partitions.get(name)]
            settings = _settings(admin, there)
        finally:
            admin.close()
    missing = [TopicFault(name, Fault.MISSING, f"{name} is missing; a worker makes it") for name in names if name not in there]
    return missing + [fault for name in there for fault in faults_of(name, partitions[name], settings.get(name, {}))]


def faults_of(name: str, partitions: int, settings: Mapping[str, str]) -> Iterator[TopicFault]:
    """What is wrong with a topic that has so many partitions and these settings."""
    if partitions < PARTITIONS:
        mend = f"kafka-topics.sh --alter --topic {name} --partitions {PARTITIONS}"
        text = f"{name} has {partitions} of {PARTITIONS} partitions, so fewer workers can share it: {mend}"
        yield TopicFault(name, Fault.FEW_PARTITIONS, text)
    if "compact" in settings.get("cleanup.policy", ""):
        text = (
            f"{name} is compacted: Kafka deletes all but the last message of each unit: {_change(name, 'cleanup.policy=delete')}"
        )
        yield TopicFault(name, Fault.COMPACTED, text)
    if settings.get("message.timestamp.type", _DATED_BY) != _DATED_BY and not name.endswith(f".{Topic.DEAD_LETTERS}.v1"):
        text = f"{name} is dated by its senders' clocks, not by receipt: {_change(name, f'message.timestamp.type={_DATED_BY}')}"
        yield TopicFault(name, Fault.DATED_BY_SENDERS, text)
    kept_ms = _number(settings.get("retention.ms"), _LEAST_RETENTION_MS)
    if 0 <= kept_ms < _LEAST_RETENTION_MS:
        mend = _change(name, f"retention.ms={_GOOD_RETENTION_MS}")
        text = f"{name} keeps messages for {kept_ms / _DAY_MS:g} days, and a month could not be counted again: {mend}"
        yield TopicFault(name, Fault.SHORT_RETENTION, text)
    largest = _number(settings.get("max.message.bytes"), MAX_EVENT_BYTES)
    if largest < _LEAST_MESSAGE_BYTES:
        text = f"{name} takes batches of at most {largest} bytes: {_change(name, f'max.message.bytes={MAX_MESSAGE_BYTES}')}"
        yield TopicFault(name, Fault.SMALL_MESSAGES, text)


def _change(name: str, setting: str) -> str:
    return f"kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {setting}"


def _number(value: str | None, otherwise: int) -> int:
    with contextlib.suppress(ValueError, TypeError):
        return int(value or "")
    return otherwise


def _settings(admin: KafkaAdminClient, names: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """By topic. Empty for a broker that does not tell: the embedded one, or one that does not allow us to ask."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    try:
        answer: Any = admin.describe_configs(resources, config_filter="all")
        found = answer["topic"].items()
        return {name: {key: str(value["value"]) for key, value in values.items()} for name, values in found}
    except (KafkaError, KeyError, TypeError, AttributeError):
        return {}
