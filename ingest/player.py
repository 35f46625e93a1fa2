"""The player: publishes messages at full speed or in time-lapse. Shell: sleeps and publishes, and prints nothing.

Invariant: what is published is acknowledged when `play` returns, and no partition runs ahead of another by more than a
few simulated hours, in time-lapse `FLUSH_EVERY`. Playing again publishes identical bytes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from ingest.simulator.message import Message
from schemas.topics import Topic

FLUSH_EVERY: Final = timedelta(hours=1)
"""Simulated time within which the order between partitions is left open in time-lapse, where somebody watches."""
_FLUSH_EVERY_AT_FULL_SPEED: Final = timedelta(hours=6)
"""At full speed readers lag behind anyway, and 720 flushes a month would double the time that it takes."""
_DAY: Final = timedelta(days=1)
_LONGEST_SLEEP: Final = 0.2
"""Seconds between two looks at `stop`."""
_PROGRESS_EVERY: Final = 0.1
"""Seconds between two reports of progress: a screen shows no more."""


class Publisher(Protocol):
    """Where messages go; ingest.producer.EventProducer is one."""

    def send(self, topic: Topic, key: bytes, value: bytes) -> None:
        """Hand over one message."""

    def flush(self) -> None:
        """Wait for all acknowledgements."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the play has come. `platform_time` is the latest event time sent; `total` is None when unknown."""

    sent: int
    platform_time: datetime
    total: int | None


@dataclass(frozen=True, slots=True)
class Played:
    """The end of a play: messages sent and acknowledged, wall seconds, and whether `stop` ended it early."""

    sent: int
    platform_time: datetime | None
    seconds: float
    stopped: bool


def play(
    messages: Iterable[Message],
    producer: Publisher,
    *,
    day_seconds: float | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
    total: int | None = None,
    paced_from: datetime | None = None,
) -> Played:
    """Publish `messages` and wait until all are acknowledged.

    `day_seconds`: wall seconds that a platform day takes, None for full speed. `paced_from`: messages of earlier event
    time go at full speed (default: the first message's). `stop` is asked before every message and while waiting; it ends
    the play, which may be run again from the start: identical bytes count once. Raises what the producer raises.
    """
    begun = time.monotonic()
    pace = _Pace(day_seconds, paced_from)
    report = _Report(progress, total)
    sent, latest, stopped = 0, None, False
    window = _FLUSH_EVERY_AT_FULL_SPEED if day_seconds is None else FLUSH_EVERY
    flushed_until: datetime | None = None
    for message in messages:
        # delayed and repeated messages carry old event times; the platform's time never turns back
        moment = message.event_time if latest is None else max(latest, message.event_time)
        if flushed_until is None or moment >= flushed_until:
            producer.flush()
            flushed_until = moment.replace(minute=0, second=0, microsecond=0) + window
        stopped = not pace.wait_for(moment, stop, partial(report, sent, latest)) or stop()
        if stopped:
            break
        producer.send(message.topic, message.key, message.value)
        sent, latest = sent + 1, moment
        report(sent, latest)
    producer.flush()
    report(sent, latest, last=True)
    return Played(sent, latest, time.monotonic() - begun, stopped)


class _Pace:
    """Maps event time to wall time."""

    def __init__(self, day_seconds: float | None, paced_from: datetime | None) -> None:
        self._day_seconds = day_seconds
        self._origin = paced_from
        self._started: float | None = None

    def wait_for(self, moment: datetime, stop: Callable[[], bool], tick: Callable[[], None]) -> bool:
        """Sleep until `moment` is due, in short naps with `tick` after each. False when `stop` said so."""
        if self._day_seconds is None:
            return True
        origin = self._origin = self._origin or moment
        if moment < origin:
            return True
        if self._started is None:  # the clock starts with the first message that is paced
            self._started = time.monotonic()
        due = self._started + (moment - origin) / _DAY * self._day_seconds
        while (ahead := due - time.monotonic()) > 0:
            if stop():
                return False
            time.sleep(min(ahead, _LONGEST_SLEEP))
            tick()
        return True


class _Report:
    """Passes progress on, not more often than a screen can show it."""

    def __init__(self, progress: Callable[[Progress], None] | None, total: int | None) -> None:
        self._progress = progress
        self._total = total
        self._next = 0.0

    def __call__(self, sent: int, platform_time: datetime | None, *, last: bool = False) -> None:
        if self._progress is None or platform_time is None:
            return
        now = time.monotonic()
        if last or now >= self._next:
            self._next = now + _PROGRESS_EVERY
            self._progress(Progress(sent, platform_time, self._total))
