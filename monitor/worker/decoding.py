"""Decode a raw batch: what fails becomes a dead letter, the rest goes on. The canary is heard. Shell: logs the dead letters."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from monitor.counting.batch import Batch, RawBatch, RawMessage, Rows
from monitor.counting.changes import Arrival
from schemas.codec.canary import Canary, read_canary
from schemas.codec.decode import decode
from schemas.codec.message_key import require_key
from schemas.codec.reasons import DecodeError, Reason
from schemas.codec.refusal import refuse_simulated
from schemas.events import DeadLetter, Event
from schemas.register import Register
from schemas.topics import Topic

log = logging.getLogger(__name__)


def decode_batch(raw: RawBatch, register: Register, *, null_keys: bool = True, simulated: bool = True) -> Batch:
    """The events of `raw`, in offset order, and its dead letters. Raises nothing on whatever a message holds.

    `null_keys`: whether a message without a key is taken; one with another key than its unit's id never is. `simulated`: whether
    an event of the simulator is.
    """
    found = read_one_by_one(raw, raw.messages, register, null_keys=null_keys, simulated=simulated)
    return Batch(raw, Rows(found.arrivals), found.dead_letters, found.canaries)


class Found(NamedTuple):
    """What messages are, that were read one by one."""

    arrivals: list[Arrival]
    dead_letters: list[DeadLetter]
    canaries: list[Canary]


def read_one_by_one(
    raw: RawBatch, messages: Iterable[RawMessage], register: Register, *, null_keys: bool, simulated: bool
) -> Found:
    """What these messages of `raw` are, in their order; among the dead letters also those that stand for unreadable ones."""
    found = Found([], raw.unreadable_letters(), [])
    for message in messages:
        try:
            event = _decoded(message, raw.topic, register, null_keys=null_keys)
            if not simulated:
                refuse_simulated(event)
            found.arrivals.append(Arrival(message.offset, event, message.received_at))
        except DecodeError as error:
            canary = None
            if error.reason is Reason.UNKNOWN_UNIT:
                canary = read_canary(message.key, message.value, raw.topic, message.received_at)
            if canary is not None:
                found.canaries.append(canary)
            else:
                found.dead_letters.append(raw.dead_letter(message.offset, error.reason, error.detail))
    _tell(raw, found.dead_letters)
    return found


def _decoded(message: RawMessage, topic: Topic, register: Register, *, null_keys: bool) -> Event:
    """The event that one message of `topic` is. Raises DecodeError."""
    event = decode(message.value, topic, register, message.received_at)
    require_key(message.key, event, null_keys=null_keys)
    return event


def senders(batch: Batch) -> tuple[Counter[str], Counter[str | None]]:
    """How many messages of each unit were taken, and how many failed by the sender that their key names (None: no key).

    What was simulated is no unit's failure, and none of ours.
    """
    letters = [letter for letter in batch.dead_letters if letter.reason != Reason.SIMULATED]
    failed = Counter(None if letter.key is None else letter.key.decode("utf-8", "replace") for letter in letters)
    return batch.arrivals.units(), failed


def _tell(raw: RawBatch, dead_letters: list[DeadLetter]) -> None:
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
