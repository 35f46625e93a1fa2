"""The worker's loop: batches from the source, decoded, into the ledger. Shell."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Final, TypeVar

from monitor.aside import Aside, done_within
from monitor.budget import LetterBudget
from monitor.database import LedgerUnavailable
from monitor.fold import Arrival
from monitor.ledger import Appended, Batch, Ledger, Position
from monitor.source import KafkaSource, RawBatch
from schemas.codec import DecodeError, Reason, decode
from schemas.errors import HipwatchError
from schemas.events import DeadLetter
from schemas.register import Register

log = logging.getLogger(__name__)
T = TypeVar("T")

_RETRY_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 2.0
"""What is under way when we are told to stop may take so long to end well."""
_SILENT_SECONDS: Final = 5.0
"""A ledger that has not answered for so long is worth a line in the log."""
_COMPLETE_EVERY_SECONDS: Final = 0.25
"""How often to ask the broker for the ends of the partitions: what the platform clock's resolution costs."""


class Worker:
    """One consumer. `run` returns when `stopping` says so; nothing is half-written then. `publish` sends new dead letters on."""

    def __init__(
        self,
        source: KafkaSource,
        ledger: Ledger,
        publish: Callable[[], None],
        register: Register,
        budget: LetterBudget,
        stopping: Callable[[], bool],
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._publish = publish
        self._register = register
        self._budget = budget
        self._stopping = stopping
        self._aside = Aside()
        self._seen_before: datetime | None = None
        self._asked_at = 0.0
        self._marked: tuple[datetime, list[Position]] | None = None

    def run(self) -> None:
        """Step until told to stop."""
        self._patiently(self._publish)
        while not self._stopping():
            self.step()

    def step(self) -> None:
        """One turn.

        1. place newly assigned partitions where the ledger stands
        2. poll a batch for each partition
        3. decode it; what fails becomes a dead letter, the rest goes on; too many of them, and we stop with nothing passed
        4. append it to the ledger: sums and offset in one transaction
        5. only then commit to Kafka (advisory) and publish the dead letters
        6. mark the partitions that are read to their end complete
        """
        if self._source.unplaced():  # 1
            offsets = self._patiently(self._ledger.next_offsets)
            if offsets is not None:
                self._source.place(offsets)
        counted = []
        letters = 0
        for raw in self._source.poll():  # 2
            if self._stopping():
                break  # what is not counted now is read again by whoever comes next
            batch = self._decode(raw)  # 3
            if not self._budget.allows(len(raw.messages), len(batch.letters)):
                raise HipwatchError(_too_many(raw, batch))
            appended = self._append(raw, batch)  # 4
            if appended is None:
                continue
            if not appended.moved:
                log.info("%s-%d is counted by another worker", raw.topic_name, raw.start.partition)
                self._source.forget(raw.start)
                continue
            counted.append(raw)
            letters += appended.letters
        self._source.commit(counted)  # 5
        if letters and not self._stopping():  # whoever comes next publishes what we leave
            self._patiently(self._publish)
        if not self._stopping():
            self._mark_complete()  # 6

    def _decode(self, raw: RawBatch) -> Batch:
        by_offset = {message.offset: message for message in raw.messages}

        def letter_for(offset: int, reason: Reason, detail: str) -> DeadLetter:
            message = by_offset[offset]
            return DeadLetter(
                raw.topic_name,
                raw.start.partition,
                offset,
                message.received_at,
                reason,
                detail,
                message.key,
                message.value,
            )

        arrivals = []
        letters = []
        for message in raw.messages:
            try:
                event = decode(message.value, raw.topic, self._register, message.received_at)
                arrivals.append(Arrival(message.offset, event, message.received_at))
            except DecodeError as error:
                log.warning("dead letter %s-%d@%d: %s", raw.topic_name, raw.start.partition, message.offset, error)
                letters.append(letter_for(message.offset, error.reason, error.detail))
        return Batch(raw.topic, raw.start, raw.next_offset, arrivals, letters, letter_for)

    def _append(self, raw: RawBatch, batch: Batch) -> Appended | None:
        """Append, with patience; None when we were stopped or lost the partition meanwhile."""
        return self._patiently(lambda: self._ledger.append(batch), still_wanted=lambda: self._source.owns(raw.start))

    def _patiently(self, action: Callable[[], T], still_wanted: Callable[[], bool] = lambda: True) -> T | None:
        """Try until it succeeds. While the database is away or hangs, hold the partitions and stay in the group.

        None when we were stopped, or it is no longer wanted. A call that hangs when we are stopped is left behind: what it
        has not committed is as if it had not been begun.
        """
        held = False
        try:
            while still_wanted() and not self._aside.busy:
                call = self._aside.begin(action)
                held = self._wait_for(call) or held
                if self._aside.busy:
                    return None
                try:
                    return call.result()
                except LedgerUnavailable as error:
                    if not held:
                        log.error("waiting for the ledger: %s", error)
                    held = True
                if self._stopping():
                    return None
                self._stay(_RETRY_SECONDS)
            return None
        finally:
            if held:
                self._source.release()

    def _wait_for(self, call: Future[T]) -> bool:
        """Wait until the call has ended, or we are told to stop and it does not end; whether we had to hold meanwhile."""
        begun = time.monotonic()
        held = told = False
        while not done_within(call, 0.0 if held else _RETRY_SECONDS):
            if self._stopping():
                done_within(call, _GRACE_SECONDS)
                break
            self._stay()
            held = True
            if not told and time.monotonic() - begun > _SILENT_SECONDS:
                log.error("waiting for the ledger: it has not answered for %.0f s", _SILENT_SECONDS)
                told = True
        return held

    def _stay(self, seconds: float = 0.0) -> None:
        """Take nothing for so long, and show the group that we are there: it hears of us while we poll, and not between."""
        end = time.monotonic() + seconds
        while True:
            self._source.hold()
            self._source.poll()
            if time.monotonic() >= end or self._stopping():
                return

    def _mark_complete(self) -> None:
        """Raise the platform clock's marks.

        A partition found at its end now has counted all that was sent before; what any worker had counted a turn ago was
        sent before. So every partition at its end is complete up to the greatest event time of that turn. A partition that
        always has more to read is complete up to what it has counted, which the ledger knows.
        """
        if time.monotonic() - self._asked_at < _COMPLETE_EVERY_SECONDS:
            return
        self._asked_at = time.monotonic()
        until = self._seen_before
        self._seen_before = self._patiently(self._ledger.greatest_event_at)
        if until is None:
            return
        positions = self._source.at_end()
        if (until, positions) != self._marked:
            self._patiently(lambda: self._ledger.mark_complete(positions, until))
            self._marked = (until, positions)


def _too_many(raw: RawBatch, batch: Batch) -> str:
    reasons = Counter(letter.reason for letter in batch.letters)
    worst = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(3))
    return (
        f"too many dead letters: stopping before {raw.topic_name}-{raw.start.partition}@{raw.start.offset}, nothing is passed "
        f"({len(batch.letters)} of {len(raw.messages)} messages: {worst}); if they are truly broken, raise --dead-letter-limit"
    )
