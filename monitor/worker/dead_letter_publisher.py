"""Copy dead letters from the ledger to their topic. Shell.

The ledger has them first, in the transaction that passed their offset; the topic gets them after that, at least once.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from kafka import KafkaProducer
from kafka.errors import CorruptRecordError, InvalidRecordError, KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.producer.future import FutureRecordMetadata

from broker.connection import KafkaConnection
from broker.diagnosis import explained
from broker.topics import never_make_topics
from monitor.ledger.dead_letters import DeadLetters
from schemas.codec.encode import encode
from schemas.errors import HipwatchError
from schemas.events import DeadLetter
from schemas.topics import MAX_DEAD_LETTER_BYTES, Topic, topic_name

log = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 10.0
_TOPIC_MS: Final = 5_000
"""Longest wait for the topic's partitions: a topic that is missing stays missing, for nobody here makes one in passing."""
_OF_ONE_LETTER: Final = (MessageSizeTooLargeError, InvalidRecordError, CorruptRecordError)
"""What is wrong with one letter, and not with the topic or the broker."""
_CLOSE_SECONDS: Final = 1.0
"""A broker that hangs must not keep us: what it has not acknowledged is unpublished in the ledger, and sent again."""


class DeadLetterPublisher:
    """Publishes what the ledger holds unpublished. A failure is logged and tried again at the next call."""

    def __init__(self, connection: KafkaConnection, letters: DeadLetters) -> None:
        self._letters = letters
        self._topic = topic_name(Topic.DEAD_LETTERS, connection.topic_prefix)
        self._connection = connection
        self._producer: KafkaProducer | None = None

    def publish(self) -> None:
        """Send every unpublished letter, keyed by the place it stood at, and note what the broker acknowledged.

        One that the topic refuses stays in the ledger, and holds up none behind it; when none goes through, we stop for now.
        """
        behind = None
        while letters := self._letters.unpublished(after=behind):
            behind = letters[-1]
            try:
                refused = self._send([kept.letter for kept in letters])
            except (KafkaError, HipwatchError) as error:
                log.warning("dead letters stay in the ledger for now: %s refused one (%s)", self._topic, error)
                return
            self._letters.set_published([kept for place, kept in enumerate(letters) if place not in refused])
            if refused:
                reason = next(iter(refused.values()))
                log.warning("%d dead letters stay in the ledger for now: %s refused them (%s)", len(refused), self._topic, reason)
            if len(refused) == len(letters) and not all(isinstance(error, _OF_ONE_LETTER) for error in refused.values()):
                return

    def _send(self, letters: Sequence[DeadLetter]) -> dict[int, KafkaError]:
        """Send them all, then wait for each; what the topic cannot hold goes without its value, which stays in the ledger.

        Returns why some were refused, by their places in `letters`. Raises what keeps us from the broker as a whole.
        """
        sent = [self._begin_or_shorten(letter) for letter in letters]
        refused = {}
        for place, (letter, answer) in enumerate(zip(letters, sent, strict=True)):
            try:
                answer.get(timeout=_ANSWER_SECONDS)
            except MessageSizeTooLargeError as error:  # says the broker, perhaps of a batch in which others are too large
                if not self._sent_alone(letter):
                    refused[place] = error
            except KafkaTimeoutError:
                raise
            except KafkaError as error:
                refused[place] = error
        return refused

    def _sent_alone(self, letter: DeadLetter) -> bool:
        for form in (letter, _short(letter)):
            try:
                self._begin(form).get(timeout=_ANSWER_SECONDS)
            except MessageSizeTooLargeError:
                continue
            return True
        return False

    def _begin_or_shorten(self, letter: DeadLetter) -> FutureRecordMetadata:
        try:
            return self._begin(letter)
        except MessageSizeTooLargeError:  # says the client
            return self._begin(_short(letter))

    def _begin(self, letter: DeadLetter) -> FutureRecordMetadata:
        if self._producer is None:
            with explained(self._connection):
                self._producer = KafkaProducer(
                    **self._connection.client_options(),
                    acks="all",
                    max_request_size=MAX_DEAD_LETTER_BYTES,
                    max_block_ms=_TOPIC_MS,
                    allow_auto_create_topics=False,
                    enable_idempotence=False,  # else one letter that is refused is the end of the producer
                )
                never_make_topics(self._producer._metadata)
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
