"""Copy dead letters from the ledger to their topic. Shell.

The ledger has them first, in the transaction that passed their offset; the topic gets them after that, at least once.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.producer.future import FutureRecordMetadata

from monitor.letters import Letters
from schemas.codec import encode
from schemas.connection import KafkaConnection
from schemas.errors import HipwatchError
from schemas.events import DeadLetter
from schemas.refusal import entering
from schemas.topics import MAX_DEAD_LETTER_BYTES, Topic, topic_name

log = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 1.0
"""A broker that hangs must not keep us: what it has not acknowledged is unpublished in the ledger, and sent again."""


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
                self._send([kept.letter for kept in letters])
            except (KafkaError, HipwatchError) as error:
                log.warning("dead letters stay in the ledger for now: %s refused one (%s)", self._topic, error)
                return
            self._letters.mark_published(letters)

    def _send(self, letters: Sequence[DeadLetter]) -> None:
        """Send them all, then wait for each; what the topic cannot hold goes without its value, which stays in the ledger."""
        sent = []
        for letter in letters:
            try:
                sent.append((letter, self._begin(letter)))
            except MessageSizeTooLargeError:  # says the client
                sent.append((letter, self._begin(_short(letter))))
        for letter, answer in sent:
            try:
                answer.get(timeout=_ANSWER_SECONDS)
            except MessageSizeTooLargeError:  # says the broker
                self._begin(_short(letter)).get(timeout=_ANSWER_SECONDS)

    def _begin(self, letter: DeadLetter) -> FutureRecordMetadata:
        if self._producer is None:
            with entering(self._connection):
                self._producer = KafkaProducer(
                    **self._connection.client_options(), acks="all", max_request_size=MAX_DEAD_LETTER_BYTES
                )
        place = f"{letter.topic}-{letter.partition}-{letter.offset}".encode()
        return self._producer.send(self._topic, key=place, value=encode(letter))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._producer is not None:
            self._producer.close(timeout=_CLOSE_SECONDS)


def _short(letter: DeadLetter) -> DeadLetter:
    detail = f"{letter.detail} (the value of {len(letter.value or b'')} bytes is in the ledger only)"
    return replace(letter, value=None, detail=detail)
