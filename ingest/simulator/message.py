"""A message on its way from a unit to the broker. Core."""

from datetime import datetime
from typing import NamedTuple

from schemas.topics import Topic


class Message(NamedTuple):
    """What is published. `event_time`, the true one, paces the player; it is not a part of the Kafka record."""

    topic: Topic
    key: bytes
    value: bytes
    event_time: datetime
