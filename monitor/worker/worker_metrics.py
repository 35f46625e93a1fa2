"""What a worker tells Prometheus of itself, in a registry of its own. Shell: counts what the loop does.

The platform's numbers are `serve`'s (monitor.paging.metrics); these are one process's: add them up over workers.
"""

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from monitor.counting.batch import Appended, Batch
from monitor.worker.source import Behind, Part, Trouble
from schemas.codec.reasons import Reason

_TRANSACTION_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; five is when PostgreSQL rolls back what we leave open."""
_STUCK_SECONDS: Final = 60.0
"""A turn of the loop takes fractions of a second, and up to some seconds while it waits for anybody."""


class WorkerMetrics:
    """Counters and gauges of one worker. `clock` is the time of day in seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._turned_at = clock()
        self._waiting_since: float | None = None
        self._behind: Sequence[Behind] = ()
        self._troubles: Sequence[Trouble] = ()
        self._events = self._counter("events", "Events counted, by topic and what became of them.", "topic", "outcome")
        self._letters = self._counter("dead_letters", "Dead letters kept, by topic and reason.", "topic", "reason")
        self._batches = self._counter("batches", "Batches of messages appended to the ledger, by topic.", "topic")
        self._lost = self._counter("lost_batches", "Batches that another worker had counted.", "topic")
        self._retries = self._counter("ledger_retries", "Attempts that failed because the ledger was away.")
        self._seconds = Histogram(
            "hip_worker_transaction_seconds",
            "How long the ledger took for what one poll brought.",
            buckets=_TRANSACTION_BUCKETS,
            registry=self.registry,
        )
        self._committed = Gauge(
            "hip_worker_last_commit_timestamp_seconds", "When the ledger last took something.", registry=self.registry
        )
        self.topic_faults = Gauge(
            "hip_worker_topic_fault",
            "1 where a topic was not as it should be when the worker began, by topic and fault.",
            ["topic", "fault"],
            registry=self.registry,
        )
        self.columnar = Gauge(
            "hip_worker_columnar",
            "1 while whole batches are decoded and counted at once, 0 while it goes message by message.",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(_Now(self))

    def turned(self, behind: Sequence[Behind], troubles: Sequence[Trouble]) -> None:
        """The loop has come round, and this is what it found."""
        self._turned_at = self._clock()
        self._behind, self._troubles = behind, troubles

    def appended(self, batches: Sequence[Batch], answers: Sequence[Appended], seconds: float) -> None:
        """The ledger has taken these batches, or said that another worker had them."""
        self._seconds.observe(seconds)
        self._committed.set(self._clock())
        for batch, answer in zip(batches, answers, strict=True):
            topic = str(batch.raw.topic)
            (self._batches if answer.moved else self._lost).labels(topic).inc()
            if answer.moved:
                self._count(topic, batch, answer)

    def _count(self, topic: str, batch: Batch, answer: Appended) -> None:
        self._events.labels(topic, "accepted").inc(answer.accepted)
        self._events.labels(topic, "duplicate").inc(answer.duplicates)
        reasons = Tally(letter.reason for letter in batch.dead_letters)
        reasons[Reason.SEQUENCE_CONFLICT] += max(0, answer.dead_letters - reasons.total())
        for reason, count in reasons.items():
            if count:
                self._letters.labels(topic, str(reason)).inc(count)

    def ledger_away(self) -> None:
        """The ledger did not answer, or not well."""
        self._retries.inc()
        self._waiting_since = self._waiting_since or self._clock()

    def ledger_here(self) -> None:
        """The ledger answers."""
        self._waiting_since = None

    def problems(self) -> list[str]:
        """What is wrong now, as sentences; none when all is well."""
        return [trouble.sentence for trouble in self._now_wrong()]

    def _now_wrong(self) -> Iterable[Trouble]:
        now = self._clock()
        if now - self._turned_at > _STUCK_SECONDS:
            yield Trouble(Part.LOOP, f"the loop has not come round for {now - self._turned_at:.0f} s")
        if self._waiting_since is not None:
            yield Trouble(Part.LEDGER, f"the ledger has been away for {now - self._waiting_since:.0f} s")
        yield from self._troubles

    def now(self) -> Iterable[GaugeMetricFamily]:
        """The gauges of this moment."""
        place = ["topic", "partition"]
        messages = GaugeMetricFamily("hip_worker_lag_messages", "Messages of a partition that are not read yet.", labels=place)
        seconds = GaugeMetricFamily(
            "hip_worker_lag_seconds", "Age of the last message that was read, while there are more.", labels=place
        )
        waits = GaugeMetricFamily(
            "hip_worker_open_transaction_seconds",
            "For how long a sender's open transaction has kept a partition from being read.",
            labels=place,
        )
        for found in self._behind:
            labels = [found.topic_name, str(found.partition)]
            messages.add_metric(labels, found.messages)
            seconds.add_metric(labels, found.seconds)
            waits.add_metric(labels, found.open_transaction)
        healthy = GaugeMetricFamily(
            "hip_worker_healthy", "1 while nothing is wrong; /healthz says what.", float(not self.problems())
        )
        trouble = GaugeMetricFamily(
            "hip_worker_trouble", "1 for each part that is in trouble now; /healthz says it in words.", labels=["part"]
        )
        wrong = {found.part for found in self._now_wrong()}
        for part in Part:
            trouble.add_metric([part], part in wrong)
        turned = GaugeMetricFamily(
            "hip_worker_last_turn_timestamp_seconds", "When the loop last came round; it does so while idle too.", self._turned_at
        )
        owned = GaugeMetricFamily("hip_worker_partitions", "Partitions that this worker reads.", len(self._behind))
        return [messages, seconds, waits, healthy, trouble, turned, owned]

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"hip_worker_{name}", meaning, labels, registry=self.registry)


class _Now(Collector):
    """Gauges that are made at the scrape, so that a partition that went to another worker vanishes."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._metrics.now()
