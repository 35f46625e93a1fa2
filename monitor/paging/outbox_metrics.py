"""Paging itself as metrics: what waits, what was sent, who cannot be reached, what did not arrive whole. Shell."""

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.ledger.outbox_counts import PagingCounts
from monitor.paging.receive import CUT_OFF, TOO_LARGE, UNREADABLE


class OutboxCollector(Collector):
    """Turns the latest counts into metric families; before the first reading there are none."""

    def __init__(self, latest: Callable[[], PagingCounts | None]) -> None:
        self._latest = latest

    def collect(self) -> Iterable[Metric]:
        """Series exist for every target that was ever served, and for every reason."""
        counts = self._latest()
        if counts is not None:
            yield from _targets(counts)
            yield from _deliveries(counts)


def _targets(counts: PagingCounts) -> Iterable[Metric]:
    waiting = GaugeMetricFamily("hip_outbox_waiting", "Messages that wait for a target.", labels=["target"])
    sent = CounterMetricFamily("hip_outbox_messages", "Messages that a target took or refused.", labels=["target", "state"])
    oldest = GaugeMetricFamily(
        "hip_outbox_oldest_timestamp_seconds", "Wall time of the oldest message that waits.", labels=["target"]
    )
    failing = GaugeMetricFamily(
        "hip_outbox_failing_since_timestamp_seconds", "Wall time since when a target cannot be reached.", labels=["target"]
    )
    for target in counts.targets:
        waiting.add_metric([target], counts.messages.get((target, "waiting"), 0))
        for state in ("sent", "given_up"):
            sent.add_metric([target, state], counts.messages.get((target, state), 0))
        if target in counts.oldest_waiting:
            oldest.add_metric([target], counts.oldest_waiting[target].timestamp())
        if target in counts.failing_since:
            failing.add_metric([target], counts.failing_since[target].timestamp())
    yield from (waiting, sent, oldest, failing)


def _deliveries(counts: PagingCounts) -> Iterable[Metric]:
    help_text = "Deliveries of alerts that were refused, or that the sender had cut off."
    incomplete = CounterMetricFamily("hip_incomplete_deliveries", help_text, labels=["reason"])
    for reason in (CUT_OFF, TOO_LARGE, UNREADABLE):
        incomplete.add_metric([reason], counts.incomplete.get(reason, 0))
    incidents = GaugeMetricFamily("hip_incidents_open", "Incidents that are open now.", labels=["alertname", "acknowledged"])
    for (alertname, acknowledged), count in sorted(counts.open_incidents.items()):
        incidents.add_metric([alertname, "yes" if acknowledged else "no"], count)
    yield from (incomplete, incidents)
