"""What a rebalance of the consumer group does to the places that are read from. Shell: called by kafka-python's poll."""

from kafka import ConsumerRebalanceListener, TopicPartition


class ForgetPlaces(ConsumerRebalanceListener):  # type: ignore[misc]
    """Every rebalance unplaces all partitions: the client gives up all that it has, and is given all that it gets."""

    def __init__(self, placed: dict[TopicPartition, int]) -> None:
        self._placed = placed

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._placed.clear()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._placed.clear()
