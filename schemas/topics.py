"""The Kafka topics: names, partitions, limits. Contract; no Kafka client here."""

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, Final

from schemas import kinds
from schemas.events import DeadLetter
from schemas.kinds.kind import Kind

PARTITIONS: Final = 12
MAX_EVENT_BYTES: Final = 1 << 20
"""An event is a few hundred bytes; a larger message than 1 MiB is refused unread."""
MAX_MESSAGE_BYTES: Final = 8 << 20
"""Topic limit. Wider than an event may be, so that an oversized message is a dead letter here and not an error there."""
MAX_DEAD_LETTER_BYTES: Final = MAX_MESSAGE_BYTES + (64 << 10)
"""A dead letter holds a whole message and says where it stood."""
DEFAULT_PREFIX: Final = "hip"


_KIND_FILES: Final = sorted(module.name for module in iter_modules(kinds.__path__) if module.name != "kind")


class Topic(StrEnum):
    """What a topic carries. The name on the broker is `topic_name(topic, prefix)`.

    Each kind of event has a topic that is named as its file in `schemas/kinds/`. Here stand those that code calls by name.
    """

    _ignore_ = "name"

    CDA_DOCUMENTS = "cda-documents"
    REALTIME_FORMS = "realtime-forms"
    DECLARATIONS = "declarations"
    HEALTH_RECORDS = "health-records"
    for name in _KIND_FILES:
        if name.upper() not in vars():
            vars()[name.upper()] = name.replace("_", "-")
    DEAD_LETTERS = "dead-letters"


EVENT_TOPICS: Final = tuple(topic for topic in Topic if topic is not Topic.DEAD_LETTERS)
"""The topics that units write, keyed by unit id (order per unit)."""


def topic_name(topic: Topic, prefix: str = DEFAULT_PREFIX) -> str:
    """`hip.cda-documents.v1` for CDA_DOCUMENTS; v1 names the contract and stays while old readers can read new events."""
    return f"{prefix}.{topic}.v1"


def topic_named(name: str) -> Topic | None:
    """The topic that a name on the broker stands for, whatever its prefix; None for a name that is not ours."""
    parts = name.rsplit(".", 2)
    return Topic(parts[1]) if len(parts) == 3 and parts[1] in set(Topic) and parts[2] == "v1" else None


def _kind_of(topic: Topic) -> Kind:
    """Its file is named as the topic."""
    kind: Kind = import_module(f"schemas.kinds.{topic.replace('-', '_')}").KIND
    return kind


KINDS: Final[Mapping[Topic, Kind]] = MappingProxyType({topic: _kind_of(topic) for topic in EVENT_TOPICS})
"""The kind of event that each topic carries."""
TOPIC_OF: Final[Mapping[type[Any], Topic]] = MappingProxyType(
    {DeadLetter: Topic.DEAD_LETTERS} | {kind.event: topic for topic, kind in KINDS.items()}
)
"""The topic that each type of event travels on."""
