"""Decode a raw batch: what fails becomes a dead letter, the rest goes on. Shell: logs the dead letters."""

import logging
from collections import Counter, defaultdict

from monitor.counting.batch import Batch, RawBatch, RawMessage, Rows
from monitor.counting.changes import Arrival
from schemas.codec.decode import decode
from schemas.codec.message_key import require_key
from schemas.codec.reasons import DecodeError
from schemas.events import DeadLetter, Event
from schemas.register import Register
from schemas.topics import Topic

log = logging.getLogger(__name__)


def decode_batch(raw: RawBatch, register: Register, *, null_keys: bool = True) -> Batch:
    """The events of `raw`, in offset order, and its dead letters. Raises nothing on whatever a message holds.

    `null_keys`: whether a message without a key is taken; one with another key than its unit's id never is.
    """
    arrivals = []
    dead_letters = raw.unreadable_letters()
    for message in raw.messages:
        try:
            event = decode_message(message, raw.topic, register, null_keys=null_keys)
            arrivals.append(Arrival(message.offset, event, message.received_at))
        except DecodeError as error:
            dead_letters.append(raw.dead_letter(message.offset, error.reason, error.detail))
    tell(raw, dead_letters)
    return Batch(raw, Rows(arrivals), dead_letters)


def decode_message(message: RawMessage, topic: Topic, register: Register, *, null_keys: bool) -> Event:
    """The event that one message of `topic` is. Raises DecodeError."""
    event = decode(message.value, topic, register, message.received_at)
    require_key(message.key, event, null_keys=null_keys)
    return event


def senders(batch: Batch) -> tuple[Counter[str], Counter[str | None]]:
    """How many messages of each unit were taken, and how many failed by the sender that their key names (None: no key)."""
    failed = Counter(None if letter.key is None else letter.key.decode("utf-8", "replace") for letter in batch.dead_letters)
    return batch.arrivals.units(), failed


def tell(raw: RawBatch, dead_letters: list[DeadLetter]) -> None:
    """One line for each reason, however many there are."""
    by_reason = defaultdict(list)
    for letter in dead_letters:
        by_reason[letter.reason].append(letter)
    for reason, letters in by_reason.items():
        first = letters[0]
        more = f" and {len(letters) - 1} more" if len(letters) > 1 else ""
        log.warning(
            "dead letter %s-%d@%d%s: %s: %s", raw.topic_name, raw.start.partition, first.offset, more, reason, first.detail
        )
