"""Which register is in use, and whether a newer one is broken, as metrics. Shell."""

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.register.live import RegisterState


class RegisterCollector(Collector):
    """Turns the state of the register into metric families."""

    def __init__(self, state: Callable[[], RegisterState]) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        """Every family, always."""
        state = self._state()
        info = GaugeMetricFamily("hip_register_info", "The register in use: a digest of its files.", labels=["digest"])
        info.add_metric([state.digest], 1)
        yield info
        loaded = "Wall time at which the register in use was taken."
        yield GaugeMetricFamily("hip_register_loaded_timestamp_seconds", loaded, value=state.loaded_at.timestamp())
        current = "1 while the register's files are what is in use; 0 when they hold something that is broken and not taken."
        yield GaugeMetricFamily("hip_register_valid", current, value=float(state.problem is None))
        units = GaugeMetricFamily("hip_register_units", "Units of the register by their status.", labels=["kind", "status"])
        counts: dict[tuple[str, str], int] = {}
        for unit in state.register.units.values():
            counts[unit.kind, unit.status] = counts.get((unit.kind, unit.status), 0) + 1
        for labels, count in counts.items():
            units.add_metric(list(labels), count)
        yield units
