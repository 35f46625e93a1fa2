"""Whether the topics are still those that a worker began with. Shell: looks at what the client knows, asks nobody."""

import logging
from collections.abc import Mapping

from kafka.cluster import ClusterMetadata

from monitor.worker.broker_topics import NO_TOPIC_ID, TopicInfo
from monitor.worker.source import Part, Trouble
from schemas.errors import HipwatchError

log = logging.getLogger(__name__)


class TopicWatch:
    """Looks at the topics by their names on the broker."""

    def __init__(self, cluster: ClusterMetadata, topics: Mapping[str, TopicInfo]) -> None:
        self._cluster = cluster
        self._topics = topics
        self._gone: set[str] = set()

    def look(self) -> None:
        """Raise HipwatchError if a topic was made anew, or has partitions that it had not when this worker began.

        What is sent to either would not be counted, and nobody would be told. A topic that is gone is told of and waited for:
        whoever starts a worker next makes it, as it has to be; asking for it makes none.
        """
        for name, info in self._topics.items():
            topic_id = self._cluster.topic_id(name)  # a broker that has no topic ids says nothing, or the id of none
            if topic_id and str(topic_id) not in (info.topic_id, NO_TOPIC_ID):
                raise HipwatchError(f"{name} was deleted and made anew since this worker began; start it again")
            partitions = self._cluster.partitions_for_topic(name) or set()
            if added := partitions.difference(info.partitions):
                raise HipwatchError(f"{name}-{min(added)} is new: the topic has changed since this worker began; start it again")
            self._note(name, gone=not partitions)

    def troubles(self) -> list[Trouble]:
        """Which topics are gone."""
        return [Trouble(Part.TOPIC, _gone(name)) for name in sorted(self._gone)]

    def _note(self, name: str, *, gone: bool) -> None:
        if not gone:
            self._gone.discard(name)
        elif name not in self._gone:
            self._gone.add(name)
            log.error("%s", _gone(name))


def _gone(name: str) -> str:
    return f"the topic {name} is gone from the broker, with what was in it; start the workers again, and they make it anew"
