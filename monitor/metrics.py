"""The monitor's metrics: one collector over an immutable snapshot. Shell.

A scrape never sees half an update, and a unit that left the register vanishes. Timestamps are exported, not ages: a
deadline is computed in Python, PromQL only compares.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.feeds import Feed
from monitor.reading import Snapshot, TopicCounts
from schemas.codec import Reason
from schemas.topics import EVENT_TOPICS

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class SnapshotCollector(Collector):
    """Turns the latest snapshot into metric families."""

    def __init__(self, latest: Callable[[], Snapshot | None], stall_after: timedelta, stale_after: timedelta) -> None:
        self._latest = latest
        self._stall_after = stall_after
        self._stale_after = stale_after

    def collect(self) -> Iterable[Metric]:
        """Every family; those that need the ledger are absent until it has been read once."""
        yield _info()
        yield _single(
            "hip_platform_stall_after_seconds",
            "How long (wall time) the platform clock may stand still.",
            self._stall_after.total_seconds(),
        )
        yield _single(
            "hip_snapshot_stale_after_seconds",
            "How old the last reading of the ledger may be.",
            self._stale_after.total_seconds(),
        )
        snapshot = self._latest()
        if snapshot is not None:
            yield from _platform(snapshot)
            yield from _units(snapshot)
            yield from _feeds(snapshot)
            yield from _counts(snapshot)


def exposition(collector: Collector) -> bytes:
    """The metrics in the text format, from a registry of their own."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    text: bytes = generate_latest(registry)
    return text


def _info() -> Metric:
    family = GaugeMetricFamily("hip_build_info", "The running release.", labels=["version"])
    family.add_metric([version("hipwatch")], 1)
    return family


def _platform(snapshot: Snapshot) -> Iterable[Metric]:
    clock = snapshot.fleet.clock
    if clock is not None:
        help_text = "The platform clock: the event time up to which everything has been counted. Deadlines compare with it."
        yield _single("hip_platform_clock_timestamp_seconds", help_text, clock.timestamp())
    help_text = "Wall time at which the platform clock last moved."
    yield _single("hip_platform_clock_advanced_timestamp_seconds", help_text, snapshot.clock_advanced_at.timestamp())
    yield _single("hip_snapshot_timestamp_seconds", "Wall time of the last reading of the ledger.", snapshot.read_at.timestamp())
    if snapshot.watchdog_at is not None:
        help_text = "Wall time at which the always-firing Watchdog alert was last delivered to us."
        yield _single("hip_watchdog_last_received_timestamp_seconds", help_text, snapshot.watchdog_at.timestamp())


def _units(snapshot: Snapshot) -> Iterable[Metric]:
    info = GaugeMetricFamily("hip_unit_info", "The units of the register.", labels=["unit_id", "kind", "name_zh", "name_en"])
    seen = GaugeMetricFamily("hip_unit_seen", "Whether the unit has ever uploaded on any feed.", labels=["unit_id"])
    for status in snapshot.fleet.units:
        unit = status.unit
        info.add_metric([unit.unit_id, unit.kind, unit.name_zh, unit.name_en], 1)
        seen.add_metric([unit.unit_id], status.seen)
    yield info
    yield seen


def _feeds(snapshot: Snapshot) -> Iterable[Metric]:
    labels = ["unit_id", "feed"]
    active = GaugeMetricFamily("hip_feed_active", "Whether any unit has ever used the feed.", labels=["feed"])
    seen = GaugeMetricFamily("hip_feed_seen", "Whether the unit has ever uploaded on the feed.", labels=labels)
    last = GaugeMetricFamily("hip_feed_last_event_timestamp_seconds", "Event time of the feed's last upload.", labels=labels)
    due = GaugeMetricFamily(
        "hip_feed_deadline_timestamp_seconds", "When the feed becomes overdue, in platform time.", labels=labels
    )
    for feed in Feed:
        active.add_metric([feed], feed in snapshot.fleet.active_since)
    for status in snapshot.fleet.units:
        for feed_status in status.feeds:
            key = [status.unit.unit_id, feed_status.feed]
            seen.add_metric(key, feed_status.last_event_at is not None)
            _add_moment(last, key, feed_status.last_event_at)
            _add_moment(due, key, feed_status.deadline)
    yield from (active, seen, last, due)


def _counts(snapshot: Snapshot) -> Iterable[Metric]:
    accepted = CounterMetricFamily("hip_events", "Events counted, each once.", labels=["topic"])
    duplicates = CounterMetricFamily("hip_duplicates", "Events that came again and were not counted again.", labels=["topic"])
    letters = CounterMetricFamily("hip_dead_letters", "Messages that could not be counted.", labels=["topic", "reason"])
    for topic in EVENT_TOPICS:
        counts = snapshot.topics.get(topic, TopicCounts(0, 0))
        accepted.add_metric([topic], counts.accepted)
        duplicates.add_metric([topic], counts.duplicates)
        for reason in Reason:
            letters.add_metric([topic, reason], snapshot.dead_letters.get((topic, reason), 0))
    missing = GaugeMetricFamily("hip_missing_sequences", "Sequence numbers that are missing now.", labels=["unit_id", "topic"])
    for (unit_id, name), count in snapshot.missing.items():
        missing.add_metric([unit_id, name], count)
    yield from (accepted, duplicates, letters, missing)


def _single(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _add_moment(family: GaugeMetricFamily, labels: list[str], moment: datetime | None) -> None:
    if moment is not None:
        family.add_metric(labels, moment.timestamp())
