"""Whether the broker is still there, where nothing else asks it. Shell.

A worker asks for the ends of its partitions while it counts. One that has no partitions, or whose ledger has not seen an
event yet, asks for nothing: a broker that hangs would go unnoticed.
"""

import time
from collections.abc import Mapping
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from monitor.worker.broker_topics import TopicInfo
from monitor.worker.read_progress import ReadProgress

_REST_SECONDS: Final = 10.0
"""Even where nothing comes, the ends are asked for so often."""
_LOOK_SECONDS: Final = 12.0
"""When nobody has asked for so long, we do."""
_ANSWER_MS: Final = 2_000


class BrokerPulse:
    """Notes in `progress` whether the broker answers."""

    def __init__(self, consumer: KafkaConsumer, topics: Mapping[str, TopicInfo], progress: ReadProgress) -> None:
        self._consumer = consumer
        self._any = [TopicPartition(name, info.partitions[0]) for name, info in topics.items()][:1]
        self._progress = progress
        self._asked_at = -_REST_SECONDS
        self._looked_at = time.monotonic()

    def asked(self) -> None:
        """Somebody is asking the broker now."""
        self._asked_at = time.monotonic()

    def is_due(self) -> bool:
        """Whether it is time to ask for the ends again."""
        return time.monotonic() - self._asked_at > _REST_SECONDS

    def look(self) -> None:
        """Ask for anything at all, if nobody has asked for a while."""
        if time.monotonic() - max(self._asked_at, self._looked_at) < _LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            self._consumer.beginning_offsets(self._any, timeout_ms=_ANSWER_MS)
        except (KafkaError, OSError):
            self._progress.broker_away()
        except (KeyError, AttributeError):
            return  # the topic has just been deleted: it is watched elsewhere
        else:
            self._progress.broker_here()
