"""The comparison itself, and a month of the usual size on what the demo runs. What users run has a file of its own."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from ingest.simulator.faults import FaultCounts
from schemas.codec.reasons import Reason
from tests.chaos.truth import Truth
from tests.exact.month import month_of
from tests.exact.runs import run_exact
from tests.exact.table import astray, counters, table

COUNTS = FaultCounts(100, 3, 4, 5, 5, Counter({Reason.TRUNCATED: 2, Reason.NOT_AVRO: 1}))
OTHERS = {"messages": 106, "planned": 100, "open_gaps": 0, "cells": 408}


def truth(**changes: Any) -> Truth:
    sent = Truth(events=Counter({("gulou", "C0001", "2024-09-01"): 60, ("gulou", "C0002", "2024-09-01"): 40}))
    sent.take_faults(replace(COUNTS, **changes))
    return sent


@pytest.mark.parametrize(
    ("wrong", "others"),
    [
        ({"accepted": 99}, {}),
        ({"duplicates": 4}, {}),
        ({"gaps_opened": 6}, {}),
        ({"gaps_filled": 4}, {}),
        ({"dead_letters": Counter({Reason.TRUNCATED: 1, Reason.NOT_AVRO: 2})}, {}),
        ({"dead_letters": Counter({Reason.TRUNCATED: 2})}, {}),
        ({"dead_letters": Counter({Reason.TRUNCATED: 2, Reason.NOT_AVRO: 1, Reason.OVERSIZED: 1})}, {}),
        ({}, {"messages": 107}),
        ({}, {"planned": 101}),
        ({}, {"open_gaps": 1}),
        ({}, {"cells": 407}),
    ],
    ids=str,
)
def test_a_counter_that_is_off_by_one_is_marked(wrong: dict[str, Any], others: dict[str, int]) -> None:
    generator, ledger = counters(truth(), **OTHERS), counters(truth(**wrong), **{**OTHERS, **others})
    assert generator != ledger
    assert any(line.endswith("DIFFERS") for line in table(generator, ledger))
    assert not any(line.endswith("DIFFERS") for line in table(generator, generator))


def test_an_event_that_was_counted_in_another_place_is_astray_once_in_each() -> None:
    moved = truth()
    moved.events["gulou", "C0001", "2024-09-01"] -= 1
    moved.events["gulou", "C0001", "2024-09-02"] += 1
    assert (astray(truth(), truth()), astray(truth(), moved)) == (0, 2)


@pytest.mark.parametrize("least", [130_000, 1_000_000])
def test_the_month_has_at_least_as_many_events_as_are_asked_for_and_hardly_more(least: int) -> None:
    scenario, plan = month_of(least, seed=1)
    assert least <= plan.expected_events < least * 1.01
    assert scenario.records_per_event == plan.records_per_event


def test_every_counter_of_a_month_on_the_embedded_broker_and_sqlite_is_the_generators_own() -> None:
    run_exact(130_000, "--seed", "2", "--embedded", seconds=360)
