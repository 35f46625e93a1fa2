"""Rules on cumulative totals, which may only grow: totals that fall, totals that stand still. Core."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from math import log10
from typing import Final

from monitor.counting.unit_days import HealthDay
from monitor.judgement.facts import CityFacts, UnitFacts
from monitor.judgement.rules.usual import HISTORY, LEAST_HISTORY
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict

FELL, STILL = "totals_fell", "totals_stand_still"
NAMES: Final = {
    "base": Text("健康档案", "health records"),
    "hypertension": Text("高血压档案", "hypertension records"),
    "diabetes": Text("糖尿病档案", "diabetes records"),
}
_ENOUGH: Final = 6.0
_WHOLE_MONTH: Final = 28
_LEAST_TOTAL: Final = 10_000
"""A small register may well have a month without a newcomer."""


def totals_fell(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """A total lies below one of an earlier day, and has not come back to it."""
    del city
    found = []
    for name in NAMES:
        series = _series(unit.health, name)
        if not series:
            continue
        highest = max(total for _, total in series)
        peak = max(day for day, total in series if total == highest)
        below = [(day, total) for day, total in series if day > peak]
        if below:
            found.append((name, below[0][0], highest, below[-1][1]))
    if found:
        name, since, before, now = min(found, key=lambda fall: fall[3] / fall[2])
        yield Verdict(
            FELL,
            Severity.TICKET,
            since,
            Text(
                f"{unit.unit.name_zh}:{NAMES[name].zh}累计自 {since} 起由 {before:,} 降至 {now:,}",
                f"{unit.unit.name_en}: the {NAMES[name].en} have fallen from {before:,} to {now:,} since {since}",
            ),
            Text(
                f"累计数只增不减,请核对{NAMES[name].zh}累计口径并更正。",
                f"A cumulative total only grows: please check how the {NAMES[name].en} are counted.",
            ),
            None,
            unit.unit.unit_id,
            {"total": name, "before": before, "now": now},
            0,
            min(9.0, 5 + 10 * (1 - now / before)),
        )


def totals_stand_still(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """A total has stood still for so long as its own growth makes unbelievable, or for four weeks while most others grew."""
    found: list[tuple[str, date, int, int]] = []
    for name in NAMES:
        series = _series(unit.health, name)
        if not series:
            continue
        if len(series) <= LEAST_HISTORY:
            yield NotEnoughHistory(STILL)
            return
        total = series[-1][1]
        moved = [later[1] != earlier[1] for earlier, later in pairwise(series)]
        run = next((n for n, has_moved in enumerate(reversed(moved)) if has_moved), len(moved))
        before = moved[: len(moved) - run][-HISTORY:]
        chance = (before.count(False) + 0.5) / (len(before) + 1)
        proven = len(before) >= LEAST_HISTORY and run * -log10(chance) >= _ENOUGH
        still_all_month = run >= _WHOLE_MONTH and total >= _LEAST_TOTAL and _most_grew(name, city)
        if total and (proven or still_all_month):
            found.append((name, series[-run][0], total, run))
    if found:
        yield _still(unit, *max(found, key=lambda item: item[3]))


def _still(unit: UnitFacts, name: str, since: date, total: int, days: int) -> Verdict:
    return Verdict(
        STILL,
        Severity.SUMMARY,
        since,
        Text(
            f"{unit.unit.name_zh}:{NAMES[name].zh}累计自 {since} 起停在 {total:,}({days} 天)",
            f"{unit.unit.name_en}: the {NAMES[name].en} have stood still at {total:,} for {days} days, since {since}",
        ),
        Text(
            f"请检查{NAMES[name].zh}累计的更新任务。",
            f"Please check the job that updates the total of the {NAMES[name].en}.",
        ),
        None,
        unit.unit.unit_id,
        {"total": name, "value": total, "days": days},
        0,
        4.0,
    )


def _series(health: Sequence[HealthDay], name: str) -> list[tuple[date, int]]:
    return [(row.day, value) for row in health if (value := getattr(row, name)) is not None]


def _most_grew(name: str, city: CityFacts) -> bool:
    ends = [(series[0][1], series[-1][1]) for unit in city.units if len(series := _series(unit.health, name)) > LEAST_HISTORY]
    return len(ends) > 2 and sum(last > first for first, last in ends) > len(ends) / 2


FAMILY: Final = Family(
    (
        Rule(
            FELL,
            Text("累计数下降", "Cumulative total fell"),
            "a cumulative total lies below an earlier one, and has not come back",
            "2 snapshots",
            Severity.TICKET,
        ),
        Rule(
            STILL,
            Text("累计数停滞", "Cumulative total stands still"),
            "a total that grew nearly every day has stopped (chance below one in a million), "
            "or one above 10,000 has stood still for 28 days while most districts' grew",
            "11 snapshots",
            Severity.SUMMARY,
        ),
    ),
    (totals_fell, totals_stand_still),
)
