"""The monitor's metrics: one collector over an immutable snapshot. Shell.

A scrape never sees half an update, and a unit that left the register vanishes. Timestamps are exported, not ages. Who
is silent is decided before; PromQL holds that while the monitor is not to be trusted.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from monitor.counting.feeds import Feed
from monitor.judgement.judge import Snapshot
from monitor.ledger.snapshot import TopicCounts
from monitor.paging.exposition import SteadyCollector
from monitor.paging.gauges import FEED_CONDITION, FEED_CONDITION_SINCE, FEED_SEEN, PLATFORM_CLOCK, UNIT_INFO, UNIT_SEEN
from schemas.codec.reasons import Reason
from schemas.register import Life
from schemas.topics import EVENT_TOPICS


class SnapshotCollector(SteadyCollector):
    """Turns the latest snapshot into metric families."""

    def __init__(self, latest: Callable[[], Snapshot | None], stall_after: timedelta, stale_after: timedelta) -> None:
        self._latest = latest
        self._stall_after = stall_after
        self._stale_after = stale_after

    def shown(self) -> Sequence[object]:
        return (self._latest(),)

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
            yield from _outages(snapshot)
            yield from _counts(snapshot)
            yield _unknown_senders(snapshot)


def _info() -> Metric:
    family = GaugeMetricFamily("hip_build_info", "The running release.", labels=["version"])
    family.add_metric([version("hipwatch")], 1)
    return family


def _platform(snapshot: Snapshot) -> Iterable[Metric]:
    clock = snapshot.status.clock
    if clock is not None:
        family = PLATFORM_CLOCK.family()
        family.add_metric([], clock.timestamp())
        yield family
    help_text = "Wall time at which the platform clock last moved."
    yield _single("hip_platform_clock_advanced_timestamp_seconds", help_text, snapshot.facts.clock_advanced_at.timestamp())
    yield _single(
        "hip_snapshot_timestamp_seconds", "Wall time of the last reading of the ledger.", snapshot.facts.read_at.timestamp()
    )
    if snapshot.facts.watchdog_at is not None:
        help_text = "Wall time at which the always-firing Watchdog alert was last delivered to us."
        yield _single("hip_watchdog_last_received_timestamp_seconds", help_text, snapshot.facts.watchdog_at.timestamp())


def _units(snapshot: Snapshot) -> Iterable[Metric]:
    info, seen = UNIT_INFO.family(), UNIT_SEEN.family()
    for status in snapshot.status.units:
        unit = status.unit
        info.add_metric([unit.unit_id, unit.kind, unit.name_zh, unit.name_en], 1)
        seen.add_metric([unit.unit_id], status.seen)
    yield info
    yield seen


def _feeds(snapshot: Snapshot) -> Iterable[Metric]:
    labels = ["unit_id", "feed"]
    active = GaugeMetricFamily("hip_feed_active", "Whether any unit has ever used the feed.", labels=["feed"])
    seen, condition, since = FEED_SEEN.family(), FEED_CONDITION.family(), FEED_CONDITION_SINCE.family()
    last = GaugeMetricFamily("hip_feed_last_event_timestamp_seconds", "Event time of the feed's last upload.", labels=labels)
    due = GaugeMetricFamily(
        "hip_feed_deadline_timestamp_seconds", "When the feed becomes overdue, in platform time.", labels=labels
    )
    everywhere = GaugeMetricFamily(
        "hip_feed_silent_everywhere_ratio",
        "Share of its units that are silent, if the feed is silent everywhere.",
        labels=["feed"],
    )
    for feed in Feed:
        active.add_metric([feed], feed in snapshot.status.active_since)
    for feed, share in snapshot.status.silent_everywhere.items():
        everywhere.add_metric([feed], share)
    for status in snapshot.status.units:
        for feed_status in status.feeds:
            key = [status.unit.unit_id, feed_status.feed]
            seen.add_metric(key, feed_status.last_event_at is not None)
            _add_moment(last, key, feed_status.last_event_at)
            _add_moment(due, key, feed_status.deadline)
            condition.add_metric([*key, feed_status.condition], 1)
            _add_moment(since, [*key, feed_status.condition], feed_status.since)
    yield from (active, seen, last, due, condition, since, everywhere)


def _outages(snapshot: Snapshot) -> Iterable[Metric]:
    family = GaugeMetricFamily(
        "hip_outage_start_timestamp_seconds",
        "Outages of many units that are open: since when, in platform time. Parts of one failure share their number.",
        labels=["number", "feed", "kind", "value"],
    )
    units = GaugeMetricFamily(
        "hip_outage_units", "How many units an open outage holds.", labels=["number", "feed", "kind", "value"]
    )
    for outage in snapshot.status.open_outages:
        key = [str(outage.number), outage.feed, outage.kind, outage.value]
        family.add_metric(key, outage.since.timestamp())
        units.add_metric(key, len(outage.units))
    yield from (family, units)


def _counts(snapshot: Snapshot) -> Iterable[Metric]:
    accepted = CounterMetricFamily("hip_events", "Events counted, each once.", labels=["topic"])
    duplicates = CounterMetricFamily("hip_duplicates", "Events that came again and were not counted again.", labels=["topic"])
    letters = CounterMetricFamily("hip_dead_letters", "Messages that could not be counted.", labels=["topic", "reason"])
    for topic in EVENT_TOPICS:
        counts = snapshot.facts.topics.get(topic, TopicCounts(0, 0))
        accepted.add_metric([topic], counts.accepted)
        duplicates.add_metric([topic], counts.duplicates)
        for reason in Reason:
            letters.add_metric([topic, reason], snapshot.facts.dead_letters.get((topic, reason), 0))
    missing = GaugeMetricFamily("hip_missing_sequences", "Sequence numbers that are missing now.", labels=["unit_id", "topic"])
    expected = {status.unit.unit_id for status in snapshot.status.units if status.life is Life.ACTIVE}
    for (unit_id, name), count in snapshot.facts.missing.items():
        if unit_id not in expected:
            continue  # nobody is asked to send again what nobody expects
        missing.add_metric([unit_id, name], count)
    yield from (accepted, duplicates, letters, missing)


def _unknown_senders(snapshot: Snapshot) -> Metric:
    help_text = "Messages under an id that was not registered; at most 200 ids, then (others). Gone once it is registered."
    family = CounterMetricFamily("hip_unknown_sender_messages", help_text, labels=["claimed_unit_id"])
    for sender in snapshot.facts.unknown_senders:
        if sender.claimed_unit_id not in snapshot.register.units:
            family.add_metric([sender.claimed_unit_id], sender.messages)
    return family


def _single(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _add_moment(family: GaugeMetricFamily, labels: list[str], moment: datetime | None) -> None:
    if moment is not None:
        family.add_metric(labels, moment.timestamp())
