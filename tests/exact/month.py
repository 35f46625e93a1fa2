"""September 2024, cut into as many events as are wanted. Core but for reading the scenario."""

from dataclasses import replace
from typing import Final

from hipwatch.replay import plan_of
from ingest.scenario import Scenario, find_scenario, load_scenario
from ingest.simulator.faults import Faults
from ingest.simulator.plan import Plan
from schemas.register import load_register

FAULTS: Final = Faults(duplicates=0.01, reordered=0.01, gaps=0.001, poison=0.001)
_COARSEST: Final = 10_000


def month_of(least: int, seed: int) -> tuple[Scenario, Plan]:
    """The month with `FAULTS`, and the coarsest plan of it that makes at least so many events."""
    scenario = replace(load_scenario(find_scenario("2024-09"), load_register()), seed=seed, faults=FAULTS)
    plan = plan_of(scenario, load_register())
    finest, coarsest = 1, _COARSEST
    while finest < coarsest:
        grain = (finest + coarsest + 1) // 2
        enough = replace(plan, records_per_event=grain).expected_events >= least
        finest, coarsest = (grain, coarsest) if enough else (finest, grain - 1)
    chosen = replace(scenario, records_per_event=finest)
    return chosen, plan_of(chosen, load_register())
