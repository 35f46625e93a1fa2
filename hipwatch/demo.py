"""The demo: the whole way of a month on one machine, from the units to the alert. Shell."""

import secrets
import time
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console

from broker.connection import KafkaConnection
from hipwatch import replay as replaying
from hipwatch.local.processes import LOOPBACK, Processes, answers, free_port, hipwatch_command
from hipwatch.local.prometheus import Paging, find_paging, start_paging
from hipwatch.local.stack import LocalStack, database_setting, ledger_in, open_stack, start_workers, wait_until_counted
from ingest.scenario import Scenario
from ingest.simulator.plan import Plan
from monitor.counting.feeds import Feed
from monitor.ledger.database import Engine
from monitor.ledger.database_url import shown_url
from monitor.ledger.incidents import list_incidents
from monitor.ledger.snapshot import read_facts
from monitor.ledger.tables.paging import Incident
from monitor.settings import DEFAULT_PORT
from schemas.clock import local_text
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import Register, Unit

_REFRESH: Final = 0.3
"""Seconds between two readings of the ledger: in time-lapse that is a few hours of platform time."""
_UNIT_ALERTS: Final = ("UnitFeedSilent", "UnitFeedNeverSeen", "UnitNeverSeen")
_ALERT_PATIENCE_SECONDS: Final = 30.0
_NAMED: Final = 3
"""So many silent units are named one by one; a province may have more than fit on a screen."""


@dataclass
class _Narrator:
    """Prints each incident once, in the order in which they were delivered."""

    engine: Engine
    console: Console
    silent: Mapping[UnitId, Unit]
    told: set[tuple[str, object]] = field(default_factory=set)
    next_look: float = 0.0

    def look(self) -> None:
        """Print what is new, at most a few times a second."""
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + 0.3
        for incident in list_incidents(self.engine):
            key = (incident.fingerprint, incident.started_at)
            if key not in self.told:
                self.told.add(key)
                self._tell(incident)

    def _tell(self, incident: Incident) -> None:
        line = f"{local_text(incident.platform_time)}  {incident.alertname}: {incident.summary_zh or incident.summary}"
        unit = self.silent.get(UnitId(incident.unit_id or ""))
        self.console.print(line, style="bold red" if unit else "dim", highlight=False, markup=False, soft_wrap=True)
        if unit:
            told = f"  ↑ the alert for {unit.name_zh} ({unit.name_en}) has come in"
            self.console.print(told, style="bold red", highlight=False, markup=False, soft_wrap=True)


def run_demo(
    scenario: Scenario,
    register: Register,
    folder: Path,
    *,
    register_folder: Path | None,
    once: bool,
    web_port: int | None,
    console: Console,
) -> bool:
    """Play `scenario` in time-lapse through broker, worker, web, Prometheus and Alertmanager.

    With `once`, return when the month is over; else stay up until Ctrl-C. True when every check held: all cells matched,
    an alert was delivered for each unit that is silent all month, and no unit that uploaded on every day was reported.
    """
    plan = replaying.plan_of(scenario, register)
    programs = find_paging()
    with Processes(folder / "logs") as processes:
        place = open_stack(processes, KafkaConnection(""), ledger_in(folder), register_folder=register_folder)
        port = web_port or free_port(DEFAULT_PORT)
        token_file = _make_token(folder)
        processes.start(
            "web", _web_command(port, token_file, register_folder, scenario.period), env=database_setting(place.database)
        )
        processes.wait_until(lambda: answers(port), "the web page", 20)
        paging = start_paging(processes, programs, folder, port, token_file, len(register.units)) if programs else None
        _introduce(console, scenario, place, port, paging, folder)
        silent = silent_all_month(scenario, plan, register)
        narrator = _Narrator(place.engine, console, silent)

        def check() -> None:
            processes.check()
            narrator.look()

        start_workers(processes, place, 1, "hipwatch")
        _, ends = replaying.play_month(scenario, plan, place.kafka, console, check)
        wait_until_counted(place, ends, console, check)
        delivered = _wait_for_alerts(place.engine, silent, check) if paging else set()
        _wait_for_clock(place.engine, check)
        held = _conclude(console, scenario, plan, place.engine, register, _Alerts(paging is not None, silent, delivered))
        if not once:
            console.print(f"\neverything stays up until Ctrl-C; the page is http://{LOOPBACK}:{port}/", highlight=False)
            while True:
                check()
                time.sleep(0.2)
        return held


def _web_command(port: int, token_file: Path, register_folder: Path | None, period: Period) -> list[str]:
    options = ["--host", LOOPBACK, "--port", str(port), "--refresh", str(_REFRESH)]
    options += ["--until", (period.last + timedelta(days=1)).isoformat()]  # the month ends: that is no outage of its units
    options += ["--register", str(register_folder)] if register_folder else []
    return hipwatch_command("serve", *options, "--webhook-token-file", str(token_file))


def _make_token(folder: Path) -> Path:
    path = folder / "webhook-token"
    path.touch(mode=0o600)
    path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path


def _introduce(console: Console, scenario: Scenario, place: LocalStack, port: int, paging: Paging | None, folder: Path) -> None:
    day = scenario.day_seconds
    pace = f"one day in {day:g} s" if day else "full speed"
    console.print(f"[bold]hipwatch demo[/bold]: {scenario.period}, {pace}; Ctrl-C ends everything", highlight=False)
    lines = [("page", f"http://{LOOPBACK}:{port}/"), ("metrics", f"http://{LOOPBACK}:{port}/metrics")]
    if paging:
        lines += [("Prometheus", paging.prometheus + "alerts"), ("Alertmanager", paging.alertmanager)]
    lines += [("Kafka", place.kafka.bootstrap), ("ledger", shown_url(place.database)), ("logs", str(folder / "logs"))]
    for name, where in lines:
        console.print(f"  {name:<13} {where}", highlight=False, soft_wrap=True)
    if paging is None:
        console.print("  paging        off: prometheus and alertmanager are not on PATH", style="yellow")


def _delivered(engine: Engine) -> set[UnitId]:
    return {UnitId(each.unit_id) for each in list_incidents(engine) if each.unit_id and each.alertname in _UNIT_ALERTS}


def _wait_for_alerts(engine: Engine, silent: Collection[UnitId], check: Callable[[], None]) -> set[UnitId]:
    """The units for which an alert was delivered: of `silent` all, or as many as came in time."""
    end = time.monotonic() + _ALERT_PATIENCE_SECONDS
    while True:
        delivered = _delivered(engine)
        if delivered.issuperset(silent) or time.monotonic() > end:
            return delivered
        check()
        time.sleep(0.1)


def _wait_for_clock(engine: Engine, check: Callable[[], None]) -> None:
    """Let the last verdicts fall: the clock reaches the last event, and Prometheus sees it."""
    clock = None
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < timedelta(seconds=3).total_seconds():
        now = read_facts(engine).clock
        if now != clock:
            clock, quiet_since = now, time.monotonic()
        check()
        time.sleep(0.2)


class _Alerts(NamedTuple):
    """Whether there is paging at all, the units of which the month demands an alert, and those of which one has come."""

    paging: bool
    silent: Mapping[UnitId, Unit]
    delivered: Container[UnitId]

    @property
    def held(self) -> bool:
        """With paging off nothing is proved."""
        return self.paging and not self._missing

    @property
    def _missing(self) -> list[Unit]:
        return [unit for unit_id, unit in self.silent.items() if unit_id not in self.delivered]

    def tell(self, console: Console) -> None:
        if not self.paging:
            text, style = "alerts: not checked, paging is off", "yellow"
        elif not self.silent:
            text, style = "alerts: none demanded, for in this month no unit is silent that was expected to upload", None
        elif self._missing:
            text, style = f"alert for {_named(self._missing)}: NOT delivered", "bold red"
        else:
            text, style = f"alert for {_named(self.silent.values())}: delivered to the webhook", None
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


def _named(units: Collection[Unit]) -> str:
    names = "、".join(unit.name_zh for unit in list(units)[:_NAMED])
    return names if len(units) <= _NAMED else f"{names} and {len(units) - _NAMED} more"


def silent_all_month(scenario: Scenario, plan: Plan, register: Register) -> Mapping[UnitId, Unit]:
    """The units that the month lists, from which something is expected on every day of it, and which upload on none."""
    return {
        unit.unit_id: register.units[unit.unit_id]
        for unit in plan.units
        if not plan.upload_days.get(unit.unit_id)
        and not plan.realtime_days.get(unit.unit_id)
        and all(any(register.expects(unit.unit_id, feed, day) for feed in Feed) for day in scenario.period.days)
    }


def _conclude(console: Console, scenario: Scenario, plan: Plan, engine: Engine, register: Register, alerts: _Alerts) -> bool:
    comparison = replaying.verify(scenario, engine, register, scenario.month)
    wrongly = _wrongly_reported(plan, scenario, list_incidents(engine), register)
    console.print()
    for line in replaying.verdict(comparison, register):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    alerts.tell(console)
    for sentence in wrongly:
        console.print(f"wrongly reported: {sentence}", style="bold red", markup=False)
    if not wrongly:
        console.print("no unit that uploaded on every day was ever reported")
    return not comparison.differences and alerts.held and not wrongly


def _wrongly_reported(plan: Plan, scenario: Scenario, incidents: Sequence[Incident], register: Register) -> list[str]:
    """Incidents about a feed on which the unit uploaded on every day of the month."""
    month = len(scenario.period.days)
    days = {Feed.SCHEDULED: plan.upload_days, Feed.REALTIME: plan.realtime_days}

    def uploaded_daily(unit_id: str, feed: str | None) -> bool:
        feeds = [Feed(feed)] if feed else list(Feed)
        return any(len(days[each].get(UnitId(unit_id), ())) == month for each in feeds)

    return [
        f"{register.units[UnitId(incident.unit_id)].name_zh}, {incident.alertname} {incident.feed or ''}"
        for incident in incidents
        if incident.alertname in _UNIT_ALERTS and incident.unit_id and uploaded_daily(incident.unit_id, incident.feed)
    ]
