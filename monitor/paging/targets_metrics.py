"""Whether the targets' file is what is in use, as metrics. Shell."""

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.paging.live_targets import TargetsState


class TargetsCollector(Collector):
    """Turns the state of the targets into metric families."""

    def __init__(self, state: Callable[[], TargetsState]) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        """Every family, always."""
        state = self._state()
        loaded = "Wall time at which the targets in use were taken."
        yield GaugeMetricFamily("hip_targets_loaded_timestamp_seconds", loaded, value=state.loaded_at.timestamp())
        current = "1 while the targets' file is what is in use; 0 when it holds something that is broken and not taken."
        yield GaugeMetricFamily("hip_targets_valid", current, value=float(state.problem is None))
