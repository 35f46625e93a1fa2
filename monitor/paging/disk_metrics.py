"""The room that is left for the ledger, as metrics. Shell."""

from collections.abc import Callable, Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.ledger.disk_space import DiskSpace


class DiskCollector(Collector):
    """Asks at each scrape. A ledger whose disk we cannot see (PostgreSQL) has no series."""

    def __init__(self, space: Callable[[], DiskSpace | None]) -> None:
        self._space = space

    def collect(self) -> Iterable[Metric]:
        """Both families, or neither."""
        space = self._space()
        if space is not None:
            free = "Bytes that may still be written to the disk of an SQLite ledger."
            yield GaugeMetricFamily("hip_ledger_disk_free_bytes", free, value=float(space.free))
            yield GaugeMetricFamily(
                "hip_ledger_disk_size_bytes", "Size of the disk of an SQLite ledger.", value=float(space.size)
            )
