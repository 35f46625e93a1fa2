"""A source whose topics are lists in memory: what the tests of the worker's loop read from.

Several sources may share one `MemoryTopics`, as members of a group do: each partition has one owner at a time, and whoever
gets it is placed anew. It passes the contract tests that the Kafka source passes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from monitor.counting.batch import Position, RawBatch, RawMessage
from monitor.worker.broker_topics import TopicInfo
from monitor.worker.source import Behind, Source, Trouble
from schemas.errors import HipwatchError
from schemas.topics import topic_name

Place = tuple[str, int]
"""Topic id and partition."""


class MemoryTopics:
    """Logs by topic id and partition, and the members that share them out."""

    def __init__(self, topics: Sequence[TopicInfo]) -> None:
        self.topics = {info.topic_id: info for info in topics}
        self.logs: defaultdict[Place, list[RawMessage]] = defaultdict(list)
        self.members: list[MemorySource] = []

    def places(self) -> list[Place]:
        """Every partition, in order."""
        return [(info.topic_id, partition) for info in self.topics.values() for partition in info.partitions]

    def send(self, topic_id: str, partition: int, key: bytes | None, value: bytes | None, at: datetime | None = None) -> int:
        """Append a message; its offset."""
        log = self.logs[topic_id, partition]
        log.append(RawMessage(len(log), key, value, at or datetime.now(UTC)))
        return len(log) - 1

    def join(self, member: "MemorySource") -> None:
        """Deal out anew with one more member."""
        self.members.append(member)
        self.rebalance()

    def leave(self, member: "MemorySource") -> None:
        """Deal out anew without a member."""
        self.members.remove(member)
        member.assign([])
        self.rebalance()

    def rebalance(self) -> None:
        """Give each member its share; whatever it had, it is placed anew."""
        for number, member in enumerate(self.members):
            member.assign(self.places()[number :: len(self.members)])


class MemorySource(Source):
    """One member. A poll hands over at most `most` messages of each partition, and never waits."""

    def __init__(self, topics: MemoryTopics, most: int = 5_000) -> None:
        self._topics = topics
        self._most = most
        self._assigned: list[Place] = []
        self._placed: dict[Place, int] = {}
        self._held = False
        self.committed: dict[Place, int] = {}
        topics.join(self)

    def assign(self, places: Sequence[Place]) -> None:
        """Own these partitions from now on, none of them placed."""
        self._assigned = list(places)
        self._placed.clear()

    def unplaced(self) -> list[Position]:
        """Partitions that were assigned and wait to be placed."""
        return [Position(*place, -1) for place in self._assigned if place not in self._placed]

    def place(self, next_offsets: Mapping[Place, int]) -> None:
        """Read each waiting partition from where the ledger stands. Raises HipwatchError when the ledger lacks one."""
        for topic_id, partition, _ in self.unplaced():
            if (topic_id, partition) not in next_offsets:
                raise HipwatchError(f"{self._name(topic_id)}-{partition} is new: start the worker again")
            self._placed[topic_id, partition] = next_offsets[topic_id, partition]

    def poll(self) -> list[RawBatch]:
        """What has arrived in the partitions that are placed."""
        if self._held:
            return []
        batches = []
        for place, start in self._placed.items():
            messages = self._topics.logs[place][start : start + self._most]
            if messages:
                self._placed[place] = start + len(messages)
                info = self._topics.topics[place[0]]
                batches.append(RawBatch(info.topic, self._name(place[0]), Position(*place, start), self._placed[place], messages))
        return batches

    def at_end(self) -> list[Position]:
        """The partitions that are read to their end."""
        return [Position(*place, offset) for place, offset in self._placed.items() if not self._unread(place)]

    def at_rest(self) -> bool:
        """Never sure: whoever asks for the ends gets them for nothing."""
        return False

    def behind(self) -> list[Behind]:
        """How far each partition is behind."""
        return [Behind(self._name(place[0]), place[1], self._unread(place), 0.0) for place in self._placed]

    def troubles(self) -> list[Trouble]:
        """Nothing keeps messages from coming."""
        return []

    def forget(self, position: Position) -> None:
        """Place this partition anew before reading on."""
        self._placed.pop((position.topic_id, position.partition), None)

    def commit(self, batches: Sequence[RawBatch]) -> None:
        """Note how far has been counted."""
        for batch in batches:
            self.committed[batch.start.topic_id, batch.start.partition] = batch.next_offset

    def owns(self, position: Position) -> bool:
        """Whether the partition is assigned and placed."""
        return (position.topic_id, position.partition) in self._placed

    def hold(self) -> None:
        """Hand over nothing until `release`."""
        self._held = True

    def release(self) -> None:
        """End a hold."""
        self._held = False

    def close(self) -> None:
        """Leave the others the partitions."""
        self._topics.leave(self)

    def _unread(self, place: Place) -> int:
        return max(0, len(self._topics.logs[place]) - self._placed[place])

    def _name(self, topic_id: str) -> str:
        return topic_name(self._topics.topics[topic_id].topic)
