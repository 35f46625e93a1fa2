"""Copy dead letters from the ledger to their topic. Shell.

The ledger has them first, in the transaction that passed their offset; the topic gets them after that, at least once.
"""

import logging
from dataclasses import replace
from types import TracebackType
from typing import Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from monitor.letters import Letters
from schemas.codec import encode
from schemas.connection import KafkaConnection
from schemas.errors import HipwatchError
from schemas.events import DeadLetter
from schemas.refusal import entering
from schemas.topics import MAX_DEAD_LETTER_BYTES, Topic, topic_name

log = logging.getLogger(__name__)


class DeadLetterPublisher:
    """Publishes what the ledger holds unpublished. A failure is logged and tried again at the next call."""

    def __init__(self, connection: KafkaConnection, letters: Letters) -> None:
        self._letters = letters
        self._topic = topic_name(Topic.DEAD_LETTERS, connection.topic_prefix)
        self._connection = connection
        self._producer: KafkaProducer | None = None

    def publish(self) -> None:
        """Send every unpublished letter, keyed by the place it stood at, and note what the broker acknowledged."""
        while letters := self._letters.unpublished():
            try:
                if self._producer is None:
                    self._producer = self._connect()
                for letter in (kept.letter for kept in letters):
                    place = f"{letter.topic}-{letter.partition}-{letter.offset}".encode()
                    self._send(place, letter)
            except (KafkaError, HipwatchError) as error:
                log.warning("dead letters stay in the ledger for now: %s refused one (%s)", self._topic, error)
                return
            self._letters.mark_published(letters)

    def _connect(self) -> KafkaProducer:
        options = self._connection.client_options()
        with entering(self._connection):
            return KafkaProducer(**options, acks="all", max_request_size=MAX_DEAD_LETTER_BYTES)

    def _send(self, place: bytes, letter: DeadLetter) -> None:
        """Send one letter; what the topic cannot hold goes without its value, which stays in the ledger."""
        assert self._producer is not None
        try:
            self._producer.send(self._topic, key=place, value=encode(letter)).get(timeout=10)
        except MessageSizeTooLargeError:
            detail = f"{letter.detail} (the value of {len(letter.value or b'')} bytes is in the ledger only)"
            short = replace(letter, value=None, detail=detail)
            self._producer.send(self._topic, key=place, value=encode(short)).get(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._producer is not None:
            self._producer.close(timeout=3)
