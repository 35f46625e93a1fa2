"""The demo: the whole way of a month on one machine, from the units to the alert. Shell."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from sqlalchemy import Engine

from hipwatch import replay as stage_play
from hipwatch.paging import Paging, find_paging, start_paging
from hipwatch.processes import LOOPBACK, Processes, answers, free_port, hipwatch_command
from ingest.scenario import Scenario
from ingest.simulator.plan import Plan
from monitor.feeds import Feed
from monitor.incidents import list_incidents
from monitor.reading import read_snapshot
from monitor.settings import DEFAULT_PORT, ServeSettings
from monitor.tables import Incident
from schemas.clock import local_text
from schemas.connection import KafkaConnection
from schemas.events import UnitId
from schemas.register import Register, load_register

_REFRESH: Final = 0.3
"""Seconds between two readings of the ledger: in time-lapse that is a few hours of platform time."""
_UNIT_ALERTS: Final = ("UnitFeedSilent", "UnitFeedNeverSeen", "UnitNeverSeen")
_ALERT_PATIENCE_SECONDS: Final = 30.0
WATCHED: Final = UnitId("qinhuai")
"""秦淮区, which sent nothing in September 2024 and was noticed only when the month was printed."""


@dataclass
class _Narrator:
    """Prints each incident once, in the order in which they were delivered."""

    engine: Engine
    console: Console
    told: set[tuple[str, object]]
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
        style = "bold red" if incident.unit_id == WATCHED else "dim"
        self.console.print(line, style=style, highlight=False, markup=False, soft_wrap=True)
        if incident.unit_id == WATCHED:
            self.console.print("  ↑ the alert for 秦淮区 (Qinhuai District) has come in", style="bold red")


def run_demo(scenario: Scenario, folder: Path, *, once: bool, web_port: int | None, console: Console) -> bool:
    """Play `scenario` in time-lapse through broker, worker, web, Prometheus and Alertmanager.

    With `once`, return when the month is over; else stay up until Ctrl-C. True when every check held: all cells matched,
    the alert for the watched unit was delivered, and no unit that uploaded on every day was reported.
    """
    register = load_register()
    plan = stage_play.plan_of(scenario, register)
    programs = find_paging()
    with Processes(folder / "logs") as processes:
        stage = stage_play.set_stage(processes, KafkaConnection(""), stage_play.ledger_in(folder))
        port = web_port or free_port(DEFAULT_PORT)
        token_file = _make_token(folder)
        processes.start("web", _web_command(stage.database, port, token_file))
        processes.wait_until(lambda: answers(port), "the web page", 20)
        paging = start_paging(processes, programs, folder, port, token_file) if programs else None
        _introduce(console, scenario, stage, port, paging, folder)
        narrator = _Narrator(stage.engine, console, set())

        def check() -> None:
            processes.check()
            narrator.look()

        stage_play.start_workers(processes, stage, 1, "hipwatch")
        _, ends = stage_play.play_month(scenario, plan, stage.kafka, console, check)
        stage_play.wait_until_counted(stage, ends, console, check)
        alerted = paging is not None and _wait_for_alert(stage.engine, check)
        _wait_for_clock(stage.engine, register, check)
        held = _conclude(console, scenario, plan, stage.engine, register, paging is not None, alerted)
        if not once:
            console.print(f"\neverything stays up until Ctrl-C; the page is http://{LOOPBACK}:{port}/", highlight=False)
            while True:
                check()
                time.sleep(0.2)
        return held


def _web_command(database: str, port: int, token_file: Path) -> list[str]:
    options = ["--database", database, "--host", LOOPBACK, "--port", str(port), "--refresh", str(_REFRESH)]
    return hipwatch_command("serve", *options, "--webhook-token-file", str(token_file))


def _make_token(folder: Path) -> Path:
    path = folder / "webhook-token"
    path.touch(mode=0o600)
    path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path


def _introduce(
    console: Console, scenario: Scenario, stage: stage_play.Stage, port: int, paging: Paging | None, folder: Path
) -> None:
    day = scenario.day_seconds
    pace = f"one day in {day:g} s" if day else "full speed"
    console.print(f"[bold]hipwatch demo[/bold]: {scenario.period}, {pace}; Ctrl-C ends everything", highlight=False)
    lines = [("fleet page", f"http://{LOOPBACK}:{port}/"), ("metrics", f"http://{LOOPBACK}:{port}/metrics")]
    if paging:
        lines += [("Prometheus", paging.prometheus + "alerts"), ("Alertmanager", paging.alertmanager)]
    lines += [("Kafka", stage.kafka.bootstrap), ("ledger", stage.database), ("logs", str(folder / "logs"))]
    for name, where in lines:
        console.print(f"  {name:<13} {where}", highlight=False, soft_wrap=True)
    if paging is None:
        console.print("  paging        off: prometheus and alertmanager are not on PATH", style="yellow")


def _delivered(incidents: Sequence[Incident]) -> Incident | None:
    return next((i for i in incidents if i.unit_id == WATCHED and i.alertname in _UNIT_ALERTS), None)


def _wait_for_alert(engine: Engine, check: Callable[[], None]) -> bool:
    end = time.monotonic() + _ALERT_PATIENCE_SECONDS
    while _delivered(list_incidents(engine)) is None:
        if time.monotonic() > end:
            return False
        check()
        time.sleep(0.1)
    return True


def _wait_for_clock(engine: Engine, register: Register, check: Callable[[], None]) -> None:
    """Let the last verdicts fall: the clock reaches the last event, and Prometheus sees it."""
    settings = ServeSettings(database="")
    clock = None
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < timedelta(seconds=3).total_seconds():
        snapshot = read_snapshot(engine, register, settings.rhythms)
        if snapshot.fleet.clock != clock:
            clock, quiet_since = snapshot.fleet.clock, time.monotonic()
        check()
        time.sleep(0.2)


def _conclude(
    console: Console, scenario: Scenario, plan: Plan, engine: Engine, register: Register, paging: bool, alerted: bool
) -> bool:
    comparison = stage_play.verify(scenario, engine, register, scenario.month)
    wrongly = _wrongly_reported(plan, scenario, list_incidents(engine), register)
    console.print()
    for line in stage_play.verdict(comparison, register):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if not paging:
        console.print("alert for 秦淮区: not checked, paging is off", style="yellow")
    elif alerted:
        console.print("alert for 秦淮区: delivered to the webhook")
    else:
        console.print("alert for 秦淮区: NOT delivered", style="bold red")
    for sentence in wrongly:
        console.print(f"wrongly reported: {sentence}", style="bold red", markup=False)
    if not wrongly:
        console.print("no unit that uploaded on every day was ever reported")
    return not comparison.differences and alerted and not wrongly


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
