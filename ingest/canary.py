"""The canary: one event a minute into every partition, from a unit that does not exist. Shell: sends and waits.

Invariant: within a series each partition gets the numbers 1, 2, 3 … in this order. What is not acknowledged ends the series.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Final

from broker.connection import KafkaConnection
from ingest.producer import EventProducer
from schemas.codec.canary import CANARY_KEY, canary_message
from schemas.errors import HipwatchError
from schemas.topics import EVENT_TOPICS

log = logging.getLogger(__name__)
EVERY_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 5.0


def send_canaries(
    connection: KafkaConnection, stopping: Callable[[], bool], rest: Callable[[float], object], every: float = EVERY_SECONDS
) -> None:
    """Send until `stopping` says so; `rest` waits so many seconds, or until it does.

    Raises HipwatchError when the broker or a topic cannot be had at the start; later it is waited for.
    """
    heard = False
    while not stopping():
        try:
            with EventProducer(connection) as producer:
                for _ in _rounds(producer):
                    if not heard:
                        log.info("the canary is on its way to %s, every %g s", connection.bootstrap, every)
                    heard = True
                    rest(every)
                    if stopping():
                        return
        except HipwatchError as error:
            if not heard:
                raise
            log.error("%s", error)
            rest(_AGAIN_SECONDS)


def _rounds(producer: EventProducer) -> Iterator[None]:
    """One round after the other, each acknowledged, all of one series."""
    series = f"canary-{uuid.uuid4().hex[:12]}"
    for sequence in count(1):
        now = datetime.now(UTC)
        for topic in EVENT_TOPICS:
            value = canary_message(topic, now, series, sequence)
            for partition in producer.partitions(topic):
                producer.send(topic, CANARY_KEY, value, partition)
        producer.flush()
        yield
