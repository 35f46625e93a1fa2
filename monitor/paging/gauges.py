"""Gauges that `/metrics` exposes now and `hipwatch history` for days that are past: the same names, labels and meaning. Core."""

from dataclasses import dataclass
from typing import Final

from prometheus_client.core import GaugeMetricFamily


@dataclass(frozen=True)
class Gauge:
    """A family of gauges: its name, what it says, and the names of its labels."""

    name: str
    help_text: str
    labels: tuple[str, ...] = ()

    def family(self) -> GaugeMetricFamily:
        """The family, still without a series."""
        return GaugeMetricFamily(self.name, self.help_text, labels=self.labels)


PLATFORM_CLOCK: Final = Gauge(
    "hip_platform_clock_timestamp_seconds",
    "The platform clock: the event time up to which everything has been counted. Deadlines compare with it.",
)
UNIT_INFO: Final = Gauge("hip_unit_info", "The units of the register.", ("unit_id", "kind", "name_zh", "name_en"))
UNIT_SEEN: Final = Gauge("hip_unit_seen", "Whether the unit has ever uploaded on any feed.", ("unit_id",))
FEED_SEEN: Final = Gauge("hip_feed_seen", "Whether the unit has ever uploaded on the feed.", ("unit_id", "feed"))
FEED_CONDITION: Final = Gauge(
    "hip_feed_condition", "What is true of the feed: 1 under the condition that it is in.", ("unit_id", "feed", "condition")
)
FEED_CONDITION_SINCE: Final = Gauge(
    "hip_feed_condition_since_timestamp_seconds",
    "When the condition began, in platform time, for those that are overdue: the deadline that was passed.",
    ("unit_id", "feed", "condition"),
)
MONTH_START: Final = Gauge(
    "hip_month_start_timestamp_seconds", "Platform time at which the month begins that hip_unit_month_… tells of."
)
TABLES_REQUIRED: Final = Gauge(
    "hip_unit_month_tables_required", "Tables that the unit has to upload. Of the running month.", ("unit_id",)
)
