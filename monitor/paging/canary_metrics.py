"""How far the canary has come, and how long it took, as metrics. Shell."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.ledger.canaries import CanaryArrival

Place = tuple[str, int]


class CanaryWatch:
    """Notes at each reading of the ledger which of the canary's events are new, and how long they took until then."""

    def __init__(self) -> None:
        self.arrivals: Sequence[CanaryArrival] = ()
        self.seconds_until_seen: Mapping[Place, float] = {}
        """By topic and partition; what had arrived before the first reading may have waited for us, and is not here."""
        self._read = False

    def look(self, arrivals: Sequence[CanaryArrival], read_at: datetime) -> None:
        """Note what a reading of the ledger at `read_at` (wall time) found."""
        known = {_place(arrival): arrival.counts.event_at for arrival in self.arrivals}
        new = [arrival for arrival in arrivals if arrival.counts.event_at != known.get(_place(arrival))] if self._read else []
        took = {_place(arrival): (read_at - arrival.counts.event_at).total_seconds() for arrival in new}
        self.seconds_until_seen = {**self.seconds_until_seen, **took}
        self.arrivals, self._read = arrivals, True


class CanaryCollector(Collector):
    """Turns what a watch has noted into metric families; `expected_since`: since when a canary is missed, None if it never is."""

    def __init__(self, watch: CanaryWatch, expected_since: datetime | None) -> None:
        self._watch = watch
        self._expected_since = expected_since

    def collect(self) -> Iterable[Metric]:
        """A partition in which no canary was ever heard has no series."""
        if self._expected_since is not None:
            yield GaugeMetricFamily(
                "hip_canary_expected_since_timestamp_seconds",
                "Wall time since when a canary is expected; absent where none is sent.",
                value=self._expected_since.timestamp(),
            )
        arrivals, seen = self._watch.arrivals, self._watch.seconds_until_seen
        last = GaugeMetricFamily(
            "hip_canary_last_event_timestamp_seconds",
            "Event time of the canary's latest event that was counted, in wall time.",
            labels=["topic", "partition"],
        )
        events = CounterMetricFamily(
            "hip_canary_events",
            "Events of the canary: counted once each, come again, and passed by a later one.",
            labels=["outcome"],
        )
        for arrival in arrivals:
            last.add_metric([arrival.topic, str(arrival.partition)], arrival.counts.event_at.timestamp())
        if arrivals:
            events.add_metric(["counted"], sum(arrival.counts.events for arrival in arrivals))
            events.add_metric(["duplicate"], sum(arrival.counts.duplicates for arrival in arrivals))
            events.add_metric(["missing"], sum(arrival.counts.missing for arrival in arrivals))
        yield from (last, events, _delays(arrivals, seen))


def _delays(arrivals: Sequence[CanaryArrival], seen: Mapping[Place, float]) -> Metric:
    family = GaugeMetricFamily(
        "hip_canary_delay_seconds",
        "How long the latest event of the canary took from its event time until it was counted (ledger), and until serve read it"
        " (serve); of a topic's partitions the slowest.",
        labels=["topic", "until"],
    )
    slowest: dict[tuple[str, str], float] = {}
    for arrival in arrivals:
        counted = (arrival.counted_at - arrival.counts.event_at).total_seconds()
        for until, seconds in (("ledger", counted), ("serve", seen.get(_place(arrival)))):
            if seconds is not None:
                slowest[arrival.topic, until] = max(seconds, slowest.get((arrival.topic, until), seconds))
    for labels, seconds in slowest.items():
        family.add_metric(list(labels), seconds)
    return family


def _place(arrival: CanaryArrival) -> Place:
    return arrival.topic, arrival.partition
