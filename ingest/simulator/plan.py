"""The plan of a month: everything that the events will say, still compact. Core, seeded.

Invariant: the same printed month, period, seed and grain give the same plan and the same series; any other another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from random import Random
from typing import Final

from ingest.simulator.figures import Figures, catalogue_of, read_figures
from ingest.simulator.realtime import Realtime, Snapshots, plan_realtime, plan_snapshots
from ingest.simulator.scheduled import Batch, Scheduled, plan_scheduled
from schemas.bulletin.columns import format_cell
from schemas.bulletin.printed_month import PrintedMonth
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import Register
from schemas.simulated import simulated_series

_RECIPE: Final = 1
"""Raise it whenever this package comes to plan the same month differently: events of another recipe are another series."""


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """What one unit sends. `snapshots` is None for units without health records."""

    unit_id: UnitId
    scheduled: Scheduled
    realtime: Realtime
    snapshots: Snapshots | None


@dataclass(frozen=True)
class Plan:
    """A month to be played. `records_per_event` is the grain: documents that one event may stand for."""

    period: Period
    seed: int
    records_per_event: int
    series: str
    units: tuple[UnitPlan, ...] = field(repr=False)

    @property
    def upload_days(self) -> Mapping[UnitId, frozenset[date]]:
        """Business dates with at least one scheduled record, for every unit of the scenario."""
        return {unit.unit_id: unit.scheduled.upload_days for unit in self.units}

    @property
    def realtime_days(self) -> Mapping[UnitId, frozenset[date]]:
        """Dates with at least one realtime form, for every unit of the scenario."""
        return {unit.unit_id: frozenset(unit.realtime.days) for unit in self.units}

    @property
    def expected_events(self) -> int:
        """How many events the plan makes."""
        return sum(self._expected(unit) for unit in self.units)

    def events_of(self, batch: Batch) -> int:
        """How many events carry `batch`: one for each `records_per_event` documents begun, and one for no document."""
        return max(1, -(-batch.records // self.records_per_event))

    def random_for(self, unit_id: UnitId, purpose: str) -> Random:
        """The source of chance for one purpose of one unit, so that no draw disturbs another."""
        return _random(self.seed, self.period, unit_id, purpose)

    def _expected(self, unit: UnitPlan) -> int:
        scheduled = sum(map(self.events_of, unit.scheduled.batches)) + (unit.scheduled.declared is not None)
        snapshots = len(unit.snapshots.totals) if unit.snapshots else 0
        return scheduled + snapshots + len(unit.realtime.days) * unit.realtime.events_per_day


def make_plan(month: PrintedMonth, period: Period, register: Register, *, seed: int, records_per_event: int) -> Plan:
    """Plan events that add up to every cell of `month`.

    Raises HipwatchError naming file, line, column and unit for a row that no upload could produce.
    """
    series = simulated_series(period, _digest(month, period, register, seed, records_per_event))
    units = []
    for table in month.tables.values():
        catalogue = catalogue_of(table, period, register)
        rows = [read_figures(table, row, catalogue) for row in table.rows]
        with_health = [figures.unit_id for figures in rows if figures.health]
        for figures in rows:
            chance = {purpose: _random(seed, period, figures.unit_id, purpose) for purpose in ("scheduled", "realtime")}
            units.append(
                UnitPlan(
                    figures.unit_id,
                    plan_scheduled(figures, catalogue, chance["scheduled"]),
                    plan_realtime(figures, catalogue, chance["realtime"]),
                    _snapshots(figures, period, with_health, seed),
                )
            )
    return Plan(period, seed, records_per_event, series, tuple(units))


def _snapshots(figures: Figures, period: Period, with_health: list[UnitId], seed: int) -> Snapshots | None:
    if figures.health is None:
        return None
    place = with_health.index(figures.unit_id)
    random = _random(seed, period, figures.unit_id, "snapshots")
    return plan_snapshots(figures.health, len(period.days), place, len(with_health), random)


def _random(seed: int, period: Period, unit_id: UnitId, purpose: str) -> Random:
    return Random(f"{seed}|{period}|{unit_id}|{purpose}")


def _digest(month: PrintedMonth, period: Period, register: Register, seed: int, grain: int) -> str:
    """Eight hex digits over all that the events depend on."""
    digest = blake2b(digest_size=4)
    for part in (_RECIPE, period, seed, grain, *register.tables, *register.forms):
        digest.update(f"{part}\n".encode())
    for unit_id, column, value in month.cells():
        digest.update(f"{unit_id}|{column.name}|{format_cell(value)}\n".encode())
    return digest.hexdigest()
