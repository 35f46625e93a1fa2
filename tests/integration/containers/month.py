"""The scenario: a month in time-lapse through two workers, of which one is killed in the middle. The same on every site."""

import json
import re
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from hipwatch.replay import plan_of
from ingest.scenario import Scenario, find_scenario, load_scenario
from ingest.simulator.plan import Plan
from schemas.register import load_register
from tests.integration.containers.site import Site
from tests.integration.containers.until import until

WATCHED: Final = "qinhuai"
"""秦淮区, which sent nothing in September 2024."""
_DAY_SECONDS: Final = "1"
_KILL_AFTER: Final = 15_000
"""Events, of 126,523: the killed worker has counted many and owes more."""
_PATIENCE: Final = 400.0
"""Seconds. A busy machine with two cores has needed two minutes for the month; an idle one needs one."""


@dataclass(frozen=True)
class Played:
    """The month as it was planned, and what was left when it was over."""

    plan: Plan
    report: dict[str, Any]
    incidents: list[dict[str, Any]]
    counted_at_kill: int
    counted: int
    duplicates: int
    dead_letters: int
    exit_codes: dict[str, int | None]


def september() -> Scenario:
    return load_scenario(find_scenario("2024-09"), load_register())


def play(site: Site) -> Played:
    """Play the month on a site that is up; wait until all of it is counted and the alert has come in."""
    plan = plan_of(september(), load_register())
    for name in ("worker-1", "worker-2"):
        site.start(name, "worker", "--session-timeout", "6", "--accept-simulated")
    site.start("simulator", "simulate", "2024-09", "--day-seconds", _DAY_SECONDS)
    counted_at_kill = until(lambda: _sum(site, "hip_events_total"), lambda n: n > _KILL_AFTER, "events are counted", _PATIENCE)
    site.kill("worker-1")
    until(lambda: site.exit_code("simulator"), lambda code: code is not None, "the month is published", _PATIENCE)
    until(lambda: _sum(site, "hip_events_total"), lambda n: n >= plan.expected_events, "all events are counted", _PATIENCE)
    incidents = until(
        lambda: _incidents(site),
        lambda found: any(incident["unit_id"] == WATCHED for incident in found),
        f"the alert for {WATCHED} comes in",
        60,
    )
    return Played(
        plan,
        json.loads(site.run("report", "2024-09", "--format", "json")),
        incidents,
        counted_at_kill,
        _sum(site, "hip_events_total"),
        _sum(site, "hip_duplicates_total"),
        _sum(site, "hip_dead_letters_total"),
        {name: site.exit_code(name) for name in ("worker-1", "worker-2", "simulator")},
    )


def _sum(site: Site, name: str) -> int:
    """The sum of a metric's series on the page's /metrics."""
    with urllib.request.urlopen(f"{site.page}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return int(sum(float(value) for value in re.findall(rf"^{name}{{[^}}]*}} (\S+)$", text, flags=re.MULTILINE)))


def _incidents(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(site.run("incidents", "--json"))
    return found
