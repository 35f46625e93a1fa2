"""The worker's loop: batches from the source, decoded, into the ledger. Shell."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Final, TypeVar

from monitor.counting.batch import Batch, Position, RawBatch
from monitor.counting.dead_letter_limit import DeadLetterLimit
from monitor.ledger.append import Ledger
from monitor.ledger.errors import LedgerUnavailable
from monitor.worker.background_call import BackgroundCall
from monitor.worker.decoding import decode_batch, senders
from monitor.worker.source import Source
from monitor.worker.worker_metrics import WorkerMetrics
from schemas.errors import HipwatchError
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
_RESTING_SECONDS: Final = 1.0
"""The same while nothing has moved: what an idle worker asks of its ledger is most of what it costs."""
_BACKLOG: Final = 1_000
"""A poll that brings so many messages is not waited for: there are more."""


class Worker:
    """One consumer. `run` returns when `stopping` says so; nothing is half-written then. `publish` sends new dead letters on.

    While little comes, it rests for `linger` seconds between two transactions; `rest` may return early, when it is to stop.
    Tests hand in a `clock` (seconds, monotonic) and a `call` of their own.
    """

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        publish: Callable[[], None],
        register: Callable[[], Register],
        limit: DeadLetterLimit,
        stopping: Callable[[], bool],
        *,
        linger: float = 0.0,
        rest: Callable[[float], object] = time.sleep,
        null_keys: bool = True,
        simulated: bool = True,
        decode: Callable[..., Batch] = decode_batch,
        call: BackgroundCall | None = None,
        clock: Callable[[], float] = time.monotonic,
        metrics: WorkerMetrics | None = None,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._publish = publish
        self._register = register
        self._limit = limit
        self._stopping = stopping
        self._linger = linger
        self._rest = rest
        self._null_keys = null_keys
        self._simulated = simulated
        self._decode_batch = decode
        self._call = call or BackgroundCall()
        self._clock = clock
        self._metrics = metrics or WorkerMetrics()
        self._seen_before: datetime | None = None
        self._asked_at = 0.0
        self._last_told: tuple[datetime, list[Position]] | None = None
        self._counted = False
        self._resting = False

    def run(self) -> None:
        """Step until told to stop."""
        self._patiently(self._publish)
        while not self._stopping():
            self.step()

    def step(self) -> None:
        """One turn.

        1. place newly assigned partitions where the ledger stands
        2. poll a batch for each partition
        3. decode them; what fails becomes a dead letter, the rest goes on; too many of them, and we stop with nothing passed
        4. append them to the ledger: sums and offsets in one transaction
        5. only then commit to Kafka (advisory) and publish the dead letters
        6. say of the partitions that are read to their end that they are complete
        7. where little has come, let more come: a transaction of ten events costs as much as one of a thousand
        """
        if self._source.unplaced():  # 1
            offsets = self._patiently(self._ledger.next_offsets)
            if offsets is not None:
                self._source.place(offsets)
        raws = self._source.poll()  # 2
        if self._stopping():
            return  # what is not counted now is read again by whoever comes next
        batches = [self._decode(raw) for raw in raws]  # 3
        dead_letters = self._append(batches)  # 4, 5
        if dead_letters and not self._stopping():  # whoever comes next publishes what we leave
            self._patiently(self._publish)
        if not self._stopping():
            self._complete()  # 6
        self._metrics.turned(self._source.behind(), self._source.troubles())
        if 0 < sum(len(raw.messages) for raw in raws) < _BACKLOG:
            self._rest(self._linger)  # 7

    def _decode(self, raw: RawBatch) -> Batch:
        batch = self._decode_batch(raw, self._register(), null_keys=self._null_keys, simulated=self._simulated)
        if not self._limit.allows(*senders(batch)):
            raise HipwatchError(_too_many(raw, batch))
        return batch

    def _append(self, batches: Sequence[Batch]) -> int:
        """Append with patience, until we are stopped or have lost every partition; then commit. How many dead letters we kept.

        One that we have lost meanwhile is appended with the others if nobody has counted it: compare-and-set says so.
        """
        if not batches:
            return 0
        owned = self._source.owns
        begun = self._clock()
        answers = self._patiently(
            lambda: self._ledger.append_all(batches), still_wanted=lambda: any(owned(batch.raw.start) for batch in batches)
        )
        if answers:
            self._metrics.appended(batches, answers, self._clock() - begun)
        counted = []
        for batch, appended in zip(batches, answers or [], strict=bool(answers)):
            if appended.moved:
                counted.append((batch.raw, appended.dead_letters))
                self._counted = True
            else:
                log.info("%s-%d is counted by another worker", batch.raw.topic_name, batch.raw.start.partition)
                self._source.forget(batch.raw.start)
        self._source.commit([raw for raw, _ in counted if owned(raw.start)])
        return sum(dead_letters for _, dead_letters in counted)

    def _patiently(self, action: Callable[[], T], still_wanted: Callable[[], bool] = lambda: True) -> T | None:
        """Try until it succeeds. While the database is away or hangs, hold the partitions and stay in the group.

        None when we were stopped, or it is no longer wanted. A call that hangs when we are stopped is left behind: what it
        has not committed is as if it had not been begun.
        """
        held = False
        try:
            while still_wanted() and not self._call.busy:
                call = self._call.begin(action)
                held = self._wait_for(call) or held
                if self._call.busy:
                    return None
                try:
                    answer = call.result()
                    self._metrics.ledger_here()
                    return answer
                except LedgerUnavailable as error:
                    self._metrics.ledger_away()
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
        begun = self._clock()
        held = told = False
        while not self._call.done_within(call, 0.0 if held else _RETRY_SECONDS):
            if self._stopping():
                self._call.done_within(call, _GRACE_SECONDS)
                break
            self._stay()
            held = True
            if not told and self._clock() - begun > _SILENT_SECONDS:
                self._metrics.ledger_away()
                log.error("waiting for the ledger: it has not answered for %.0f s", _SILENT_SECONDS)
                told = True
        return held

    def _stay(self, seconds: float = 0.0) -> None:
        """Take nothing for so long, and show the group that we are there: it hears of us while we poll, and not between."""
        end = self._clock() + seconds
        while True:
            self._source.hold()
            self._source.poll()
            self._metrics.turned(self._source.behind(), self._source.troubles())
            if self._clock() >= end or self._stopping():
                return

    def _complete(self) -> None:
        """Say how far the partitions are complete: the platform clock follows the slowest.

        A partition found at its end now has counted all that was sent before; what any worker had counted a turn ago was
        sent before. So every partition at its end is complete up to the greatest event time of that turn. A partition that
        always has more to read is complete up to what it has counted, which the ledger knows: after counting, it is told even
        if nothing else has changed, or the clock would stand still while one partition works off a backlog, and then jump.
        """
        every = _RESTING_SECONDS if self._resting and not self._counted else _COMPLETE_EVERY_SECONDS
        if self._clock() - self._asked_at < every:
            return
        self._asked_at = self._clock()
        until = self._seen_before
        self._seen_before = self._patiently(self._ledger.greatest_event_at)
        told = self._last_told is not None and self._last_told[0] == until and not self._counted
        at_rest = told and self._source.at_rest()
        self._resting = at_rest and self._seen_before == until
        if until is None or at_rest:
            return  # nothing has moved since we asked
        positions = self._source.at_end()
        if self._counted or (until, positions) != self._last_told:
            self._patiently(lambda: self._ledger.raise_complete_until(positions, until))
            self._last_told = (until, positions)
            self._counted = False


def _too_many(raw: RawBatch, batch: Batch) -> str:
    reasons = Counter(found.reason for found in batch.dead_letters)
    worst = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(3))
    return (
        f"too many dead letters: stopping before {raw.topic_name}-{raw.start.partition}@{raw.start.offset}, nothing is passed "
        f"({len(batch.dead_letters)} of {len(raw.messages)} messages: {worst}); if they are truly broken, "
        "raise --dead-letter-limit"
    )
