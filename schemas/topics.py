"""The Kafka topics: names, partitions, limits. Contract; no Kafka client here."""

from enum import StrEnum
from typing import Final

PARTITIONS: Final = 12
MAX_EVENT_BYTES: Final = 1 << 20
"""An event is a few hundred bytes; a larger message than 1 MiB is refused unread."""
MAX_MESSAGE_BYTES: Final = 8 << 20
"""Topic limit. Wider than an event may be, so that an oversized message is a dead letter here and not an error there."""
MAX_DEAD_LETTER_BYTES: Final = MAX_MESSAGE_BYTES + (64 << 10)
"""A dead letter holds a whole message and says where it stood."""
DEFAULT_PREFIX: Final = "hip"


class Topic(StrEnum):
    """What a topic carries. The name on the broker is `topic_name(topic, prefix)`."""

    CDA_DOCUMENTS = "cda-documents"
    REALTIME_FORMS = "realtime-forms"
    DECLARATIONS = "declarations"
    HEALTH_RECORDS = "health-records"
    DEAD_LETTERS = "dead-letters"


EVENT_TOPICS: Final = (Topic.CDA_DOCUMENTS, Topic.REALTIME_FORMS, Topic.DECLARATIONS, Topic.HEALTH_RECORDS)
"""The topics that units write, keyed by unit id (order per unit)."""


def topic_name(topic: Topic, prefix: str = DEFAULT_PREFIX) -> str:
    """`hip.cda-documents.v1` for CDA_DOCUMENTS; v1 names the contract and stays while old readers can read new events."""
    return f"{prefix}.{topic}.v1"


def topic_named(name: str) -> Topic | None:
    """The topic that a name on the broker stands for, whatever its prefix; None for a name that is not ours."""
    parts = name.rsplit(".", 2)
    return Topic(parts[1]) if len(parts) == 3 and parts[1] in set(Topic) and parts[2] == "v1" else None
