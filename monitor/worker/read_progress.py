"""How far reading has come: what each partition waits for, and since when. Shell: it looks at the clock, and logs."""

import logging
import time
from datetime import UTC, datetime
from typing import Final

from kafka import TopicPartition

from monitor.worker.source import Behind, Part, Trouble

log = logging.getLogger(__name__)
_OPEN_SECONDS: Final = 30.0
"""A transaction that is open for so long is told of. Kafka itself ends one after a minute, unless its sender asks for more."""
_AWAY_SECONDS: Final = 5.0
"""A broker may restart within such a time without anybody being told."""


class ReadProgress:
    """What a source notes of its partitions, for whoever watches."""

    def __init__(self) -> None:
        self._read_at: dict[TopicPartition, datetime] = {}
        self._open_since: dict[TopicPartition, float] = {}
        self._told: set[TopicPartition] = set()
        self._away_since: float | None = None

    def has_read(self, tp: TopicPartition, received_at: datetime) -> None:
        """Messages were read; the last of them came in at `received_at`."""
        self._read_at[tp] = received_at
        self._close(tp)

    def look(self, tp: TopicPartition, *, at_end: bool, open_transaction: bool) -> None:
        """What was just found of a partition."""
        if at_end:
            self._read_at[tp] = datetime.now(UTC)
        if not open_transaction:
            self._close(tp)
            return
        since = self._open_since.setdefault(tp, time.monotonic())
        if time.monotonic() - since > _OPEN_SECONDS and tp not in self._told:
            self._told.add(tp)
            log.warning("%s", _waits(tp))

    def _close(self, tp: TopicPartition) -> None:
        self._open_since.pop(tp, None)
        self._told.discard(tp)

    def broker_away(self) -> None:
        """The broker does not answer."""
        self._away_since = self._away_since or time.monotonic()

    def broker_here(self) -> None:
        """The broker answers."""
        self._away_since = None

    def behind(self, tp: TopicPartition, messages: int, now: datetime) -> Behind:
        """How far a partition is behind, of which so many messages are not read."""
        since = self._open_since.get(tp)
        waited = 0.0 if since is None else time.monotonic() - since
        seconds = (now - self._read_at.setdefault(tp, now)).total_seconds() if messages else 0.0
        return Behind(tp.topic, tp.partition, messages, max(seconds, 0.0), waited)

    def troubles(self) -> list[Trouble]:
        """What keeps messages from coming."""
        away = self._away_since is not None and time.monotonic() - self._away_since > _AWAY_SECONDS
        broker = [Trouble(Part.BROKER, "the broker does not answer")] if away else []
        return [*broker, *(Trouble(Part.TRANSACTION, _waits(tp)) for tp in sorted(self._told))]


def _waits(tp: TopicPartition) -> str:
    return f"{tp.topic}-{tp.partition} waits for a transaction that its sender has not ended; the platform clock waits with it"
