"""Keep what dashboards read up to date. Shell: scheduled by `serve`, with each reading of the running month."""

from collections.abc import Callable

from monitor.board import dashboard_rows
from monitor.bulletin.build import listed_units
from monitor.judgement.judge import Snapshot
from monitor.ledger.dashboards import DashboardRows, Rows, write_dashboards
from monitor.ledger.database import Engine
from monitor.ledger.ladder import read_ladders
from monitor.ledger.month import MonthFacts, months_of_events, read_month
from schemas.period import Period


class DashboardWriter:
    """Writes the register, the status of all feeds, the running month, and one other month at a time.

    So a late upload for any month is shown after as many writings as there are months; a ledger full of months that was never
    shown is after as many, the latest first.
    """

    def __init__(self, engine: Engine, latest: Callable[[], Snapshot | None], running: Callable[[], MonthFacts | None]) -> None:
        self._engine = engine
        self._latest = latest
        self._running = running
        self._others: list[Period] = []

    def write(self) -> None:
        """Write by the latest snapshot; before the first event there is only the register. Raises LedgerUnavailable."""
        snapshot, running = self._latest(), self._running()
        if snapshot is None:
            return
        register = snapshot.register
        shown = [] if running is None else [running, *self._another(running.period)]
        write_dashboards(
            self._engine,
            snapshot.status.clock,
            DashboardRows(
                units=dashboard_rows.unit_rows(snapshot.status),
                tables=dashboard_rows.table_rows(register),
                forms=dashboard_rows.form_rows(register),
                feeds=dashboard_rows.feed_rows(snapshot.status),
                ladder=[] if running is None else self._ladder(running, snapshot),
                months=[row for facts in shown for row in dashboard_rows.month_rows(facts, register)],
                written_months=[facts.period.first for facts in shown],
            ),
        )

    def _another(self, running: Period) -> list[MonthFacts]:
        """The facts of the month whose turn it is; none while no other month has events."""
        if not self._others:
            self._others = [period for period in months_of_events(self._engine) if period != running]
        return [read_month(self._engine, self._others.pop(0))] if self._others else []

    def _ladder(self, running: MonthFacts, snapshot: Snapshot) -> Rows:
        units = [unit.unit_id for unit in listed_units(running, snapshot.register)]
        ladders = read_ladders(self._engine, running.period)
        return dashboard_rows.ladder_rows(ladders, units, snapshot.register, running.period.last)
