"""A month of each unit as metrics: the numbers of the bulletin, of the running month while they grow. Shell.

A number that was never carried has no series: absent is not zero. Amounts are yuan; they are exact to the fen as far as a
float is, and what is printed comes from the ledger, never from here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import Metric

from monitor.ledger.month import MonthFacts
from monitor.paging.exposition import SteadyCollector
from monitor.paging.gauges import MONTH_START, TABLES_REQUIRED, Gauge
from schemas.clock import start_of_day
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import Register

_FEN_PER_YUAN: Final = 100


@dataclass(frozen=True)
class Indicator:
    """One family, `hip_unit_month_<name>`: the figure that each of its series shows, by the value of its `label`.

    An indicator without a `label` has one series a unit, by the empty value.
    """

    name: str
    help_text: str
    figures: Mapping[str, str]
    label: str | None = None
    nothing_is_zero: bool = False
    divisor: int = 1

    @property
    def gauge(self) -> Gauge:
        """The family that shows it."""
        labels = ("unit_id",) if self.label is None else ("unit_id", self.label)
        return Gauge(f"hip_unit_month_{self.name}", f"{self.help_text} Of the running month.", labels)

    def labels(self, unit_id: UnitId, value: str) -> list[str]:
        """The label values of a series, in the order of the family's labels."""
        return [unit_id] if self.label is None else [unit_id, value]

    def shown(self, figure: int | None) -> float | None:
        """What a series shows of its figure; None where there is nothing to show."""
        if figure is None:
            return 0 if self.nothing_is_zero else None
        return figure if self.divisor == 1 else figure / self.divisor


INDICATORS: Final = (
    Indicator("tables_ever_uploaded", "Distinct tables ever uploaded, up to now.", {"": "tables_ever"}, nothing_is_zero=True),
    Indicator("tables_uploaded", "Distinct tables with any record.", {"": "tables"}, nothing_is_zero=True),
    Indicator("records", "Records of scheduled uploads.", {"": "records"}, nothing_is_zero=True),
    Indicator("upload_days", "Business dates with any scheduled record.", {"": "upload_days"}, nothing_is_zero=True),
    Indicator("realtime_days", "Days with any realtime form.", {"": "realtime_days"}, nothing_is_zero=True),
    Indicator("realtime_forms", "Distinct realtime forms.", {"": "realtime_forms"}, nothing_is_zero=True),
    Indicator("tables_declared", "Tables that the unit declared; none for a unit that never did.", {"": "tables_declared"}),
    Indicator("outpatient_visits", "Outpatient and emergency visits.", {"": "outpatient_visits"}),
    Indicator("discharges", "Discharges.", {"": "discharges"}),
    Indicator(
        "health_records",
        "Health records that the district holds in all, as it said last.",
        {name: f"health_records_{name}" for name in ("base", "hypertension", "diabetes")},
        "sort",
    ),
    Indicator(
        "revenue_yuan",
        "Revenue carried by uploads.",
        {"outpatient": "outpatient_revenue_cents", "inpatient": "inpatient_revenue_cents"},
        "source",
        divisor=_FEN_PER_YUAN,
    ),
)
"""Those that show figures of the bulletin's chapters."""


class MonthCollector(SteadyCollector):
    """Turns the facts of the running month into metric families; before the first event there are none."""

    def __init__(self, latest: Callable[[], MonthFacts | None], register: Callable[[], Register]) -> None:
        self._latest = latest
        self._register = register

    def shown(self) -> Sequence[object]:
        return self._latest(), self._register()

    def collect(self) -> Iterable[Metric]:
        """Every family, one series for each unit that has the number."""
        facts = self._latest()
        if facts is None:
            return
        register = self._register()
        start = MONTH_START.family()
        start.add_metric([], month_start(facts.period))
        yield start
        required = TABLES_REQUIRED.family()
        for unit_id in register.units:
            required.add_metric([unit_id], tables_required(register, unit_id, facts.period))
        yield required
        for indicator in INDICATORS:
            family = indicator.gauge.family()
            for unit_id in register.units:
                for value, figure in indicator.figures.items():
                    if (shown := indicator.shown(facts.figure(figure, unit_id))) is not None:
                        family.add_metric(indicator.labels(unit_id, value), shown)
            yield family


def month_start(period: Period) -> float:
    """Seconds since 1970."""
    return start_of_day(period.first).timestamp()


def tables_required(register: Register, unit_id: UnitId, period: Period) -> int:
    """How many tables the unit has to upload by the register: those of the month's last day, as in its bulletin."""
    return len(register.required_tables(register.units[unit_id].kind, period.last))
