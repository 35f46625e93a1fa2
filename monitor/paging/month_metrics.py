"""The running month of each unit as metrics: the numbers of the bulletin while they grow. Shell.

A number that was never carried has no series: absent is not zero. Amounts are yuan; they are exact to the fen as far as a
float is, and what is printed comes from the ledger, never from here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.ledger.month import MonthFacts
from schemas.clock import start_of_day
from schemas.register import Register

_FEN_PER_YUAN: Final = 100
_ALWAYS: Final[Mapping[str, tuple[str, str]]] = {
    "tables_ever_uploaded": ("tables_ever", "Distinct tables ever uploaded, up to now."),
    "tables_uploaded": ("tables", "Distinct tables with any record."),
    "records": ("records", "Records of scheduled uploads."),
    "upload_days": ("upload_days", "Business dates with any scheduled record."),
    "realtime_days": ("realtime_days", "Days with any realtime form."),
    "realtime_forms": ("realtime_forms", "Distinct realtime forms."),
}
"""By the end of the metric's name: the figure, and what it is. Nothing sent is 0."""
_IF_CARRIED: Final[Mapping[str, tuple[str, str]]] = {
    "tables_declared": ("tables_declared", "Tables that the unit declared; none for a unit that never did."),
    "outpatient_visits": ("outpatient_visits", "Outpatient and emergency visits."),
    "discharges": ("discharges", "Discharges."),
}
_REVENUE: Final = {"outpatient": "outpatient_revenue_cents", "inpatient": "inpatient_revenue_cents"}


class MonthCollector(Collector):
    """Turns the facts of the running month into metric families; before the first event there are none."""

    def __init__(self, latest: Callable[[], MonthFacts | None], register: Callable[[], Register]) -> None:
        self._latest = latest
        self._register = register

    def collect(self) -> Iterable[Metric]:
        """Every family, one series for each unit that has the number."""
        facts = self._latest()
        if facts is None:
            return
        begun = "Platform time at which the month begins that hip_unit_month_… tells of."
        yield GaugeMetricFamily("hip_month_start_timestamp_seconds", begun, value=start_of_day(facts.period.first).timestamp())
        register = self._register()
        yield _required(facts, register)
        for name, (figure, help_text) in [*_ALWAYS.items(), *_IF_CARRIED.items()]:
            family = _family(name, help_text)
            for unit_id in register.units:
                value = facts.figure(figure, unit_id)
                if value is not None or name in _ALWAYS:
                    family.add_metric([unit_id], value or 0)
            yield family
        yield _revenue(facts, register)


def _family(name: str, help_text: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hip_unit_month_{name}", f"{help_text} Of the running month.", labels=["unit_id", *more])


def _required(facts: MonthFacts, register: Register) -> Metric:
    family = _family("tables_required", "Tables that the unit has to upload.")
    for unit in register.units.values():
        family.add_metric([unit.unit_id], len(register.required_tables(unit.kind, facts.period.last)))
    return family


def _revenue(facts: MonthFacts, register: Register) -> Metric:
    family = _family("revenue_yuan", "Revenue carried by uploads.", "source")
    for unit_id in register.units:
        for source, figure in _REVENUE.items():
            if (cents := facts.figure(figure, unit_id)) is not None:
                family.add_metric([unit_id, source], cents / _FEN_PER_YUAN)
    return family
