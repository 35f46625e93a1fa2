"""Where batches of raw messages come from: all that the worker's loop knows of Kafka. Core: a protocol, and its values.

`kafka_source` reads a broker, `MemorySource` of the tests what is put into it; both pass the same contract tests.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from monitor.counting.batch import Position, RawBatch


class Behind(NamedTuple):
    """How far the reading of a partition is behind its end.

    `seconds`: since the last message that was read came in, while there are more; an open transaction counts as more.
    `open_transaction`: seconds for which nothing could be read because a sender has not ended its transaction.
    """

    topic_name: str
    partition: int
    messages: int
    seconds: float
    open_transaction: float = 0.0


class Part(StrEnum):
    """What a worker may be in trouble with: a label of metrics, bounded, and never renamed."""

    BROKER = "broker"
    LEDGER = "ledger"
    LOOP = "loop"
    """The worker itself: its loop has not come round."""
    TOPIC = "topic"
    """A topic is gone."""
    TRANSACTION = "transaction"
    """A sender has not ended its own."""


class Trouble(NamedTuple):
    """What is wrong now: where, and as a sentence."""

    part: Part
    sentence: str


class Source(Protocol):
    """Batches of raw messages, one per partition. The worker's loop calls it from one thread, and knows nothing else of Kafka."""

    def unplaced(self) -> list[Position]:
        """Partitions that were assigned and wait to be placed; their offset is not known here (-1)."""

    def place(self, next_offsets: Mapping[tuple[str, int], int]) -> None:
        """Read each waiting partition from where the ledger stands (by topic id and partition)."""

    def poll(self) -> list[RawBatch]:
        """What has arrived; may wait for a moment. Partitions that are not placed give nothing."""

    def at_end(self) -> list[Position]:
        """Partitions that are placed and read to their end, each with where it stands."""

    def at_rest(self) -> bool:
        """Whether nothing has been read or placed since every partition was found read to its end."""

    def behind(self) -> list[Behind]:
        """How far each partition that is read lags behind. Asks nobody."""

    def troubles(self) -> list[Trouble]:
        """What keeps messages from coming. Asks nobody."""

    def forget(self, position: Position) -> None:
        """Somebody else has counted in this partition: place it anew before reading on."""

    def commit(self, batches: Sequence[RawBatch]) -> None:
        """Say how far we have counted. Advisory, and never waits."""

    def owns(self, position: Position) -> bool:
        """Whether the partition is still assigned and has not been placed anew since `position`."""

    def hold(self) -> None:
        """Fetch nothing, but stay a member: poll goes on and returns nothing."""

    def release(self) -> None:
        """End a hold."""
