"""Generator and ledger side by side. Core."""

from collections.abc import Mapping

from tests.chaos.truth import Truth


def counters(truth: Truth, *, messages: int, planned: int, open_gaps: int, cells: int) -> Mapping[str, int]:
    """Every counter by name, in the order of the table."""
    letters = {f"dead letters, {reason}": total for reason, total in sorted(truth.dead_letters.items())}
    return {
        "messages": messages,
        "events planned": planned,
        "accepted": truth.accepted,
        "duplicates": truth.duplicates,
        "gaps opened": truth.gaps_opened,
        "gaps filled": truth.gaps_filled,
        "gaps open": open_gaps,
        **letters,
        "cells": cells,
    }


def table(generator: Mapping[str, int], ledger: Mapping[str, int]) -> list[str]:
    """One line for each counter; a difference is marked."""
    lines = [f"{'counter':32} {'generator':>11} {'ledger':>11}"]
    for name in [*generator, *(name for name in ledger if name not in generator)]:
        there, here = generator.get(name, 0), ledger.get(name, 0)
        lines.append(f"{name:32} {there:11} {here:11}{'' if there == here else '   DIFFERS'}")
    return lines


def astray(generator: Truth, ledger: Truth) -> int:
    """Events that one of the two has under a unit, table or date where the other has not."""
    return sum(((generator.events - ledger.events) + (ledger.events - generator.events)).values())
