from typing import NamedTuple

import pytest

from ingest.scenario import Scenario, find_scenario, load_scenario
from ingest.simulator import Plan, events, make_plan
from schemas.events import Event
from schemas.register import load_register


class PlayedMonth(NamedTuple):
    scenario: Scenario
    plan: Plan
    events: list[Event]


@pytest.fixture(scope="session", params=["2020-01", "2024-09"])
def shipped(request: pytest.FixtureRequest) -> PlayedMonth:
    register = load_register()
    scenario = load_scenario(find_scenario(request.param), register)
    plan = make_plan(scenario.month, scenario.period, register, seed=scenario.seed, records_per_event=scenario.records_per_event)
    return PlayedMonth(scenario, plan, list(events(plan)))
