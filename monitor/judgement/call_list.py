"""Who to call today: one line a unit, most urgent first. Core: open findings in, lines out.

The rank adds up, for the unit's worst finding: how unusual it is for that unit, how many documents it has cost so far, how
long it lasts, and how often it has come back; more findings of the same unit add a little. What only the summary tells
is nobody's call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log2, log10
from typing import Final

from monitor.judgement.findings import Finding
from monitor.judgement.rules import RANK
from monitor.judgement.rules.evaluation import Key
from monitor.judgement.rules.verdict import Severity, Text
from schemas.events import UnitId
from schemas.register import Register

_PAGE: Final = 30.0
"""A silence stands before everything that still moves."""
_UNUSUAL: Final = 4.0
_LOST: Final = 2.0
"""Points for each decimal digit of lost documents."""
_LONG: Final = 1.0
_MOST_LONG: Final = 5.0
"""What has lasted for a month is no more urgent for having lasted for two."""
_AGAIN: Final = 1.5
_MORE: Final = 2.0
_FRESH: Final = 8.0
"""A finding that was opened within the last week comes before the old sores that everybody knows."""
_FRESH_DAYS: Final = 7


@dataclass(frozen=True)
class Call:
    """One unit to be called (None: the platform itself), its findings worst first, and what to say. `urgency` is the rank."""

    unit_id: UnitId | None
    name: Text
    urgency: float
    since: date
    lost: int
    findings: Sequence[Finding]

    @property
    def line(self) -> Text:
        """What is wrong, the worst first; how many more there are."""
        more = len(self.findings) - 1
        worst = self.findings[0]
        return Text(
            worst.what.zh + (f"(另有 {more} 项)" if more else ""),
            worst.what.en + (f" (and {more} more)" if more else ""),
        )


def call_list(findings: Sequence[Finding], times: Mapping[Key, int], register: Register, today: date) -> list[Call]:
    """The calls of `today`, most urgent first; of equals the register's order. `times`: how often each was opened so far."""
    by_unit: dict[UnitId | None, list[Finding]] = {}
    for finding in findings:
        if finding.severity is not Severity.SUMMARY:
            by_unit.setdefault(finding.unit_id, []).append(finding)
    order: dict[UnitId | None, int] = {unit_id: place for place, unit_id in enumerate(register.units)}
    calls = [_call(unit_id, of_unit, times, register, today) for unit_id, of_unit in by_unit.items()]
    return sorted(calls, key=lambda call: (-call.urgency, order.get(call.unit_id, -1)))


def _call(unit_id: UnitId | None, findings: Sequence[Finding], times: Mapping[Key, int], register: Register, today: date) -> Call:
    ranked = sorted(findings, key=lambda found: (-urgency(found, times.get(found.key, 1), today), RANK.get(found.rule, 0)))
    unit = None if unit_id is None else register.units.get(unit_id)
    name = Text("平台", "the platform") if unit_id is None else Text(unit_id, unit_id)
    return Call(
        unit_id,
        name if unit is None else Text(unit.name_zh, unit.name_en),
        round(urgency(ranked[0], times.get(ranked[0].key, 1), today) + _MORE * (len(ranked) - 1), 1),
        min(found.since for found in ranked),
        max(found.lost for found in ranked),  # two findings may tell of the same documents
        ranked,
    )


def urgency(finding: Finding, times: int, today: date) -> float:
    """The points of one finding that was opened `times` times so far."""
    days = max(0, (today - finding.since).days)
    return (
        (_PAGE if finding.severity is Severity.PAGE else 0.0)
        + _UNUSUAL * finding.unusual
        + _LOST * log10(finding.lost + 1)
        + min(_MOST_LONG, _LONG * log2(days + 1))
        + _AGAIN * log2(max(times, 1))
        + (_FRESH if days <= _FRESH_DAYS else 0.0)
    )
