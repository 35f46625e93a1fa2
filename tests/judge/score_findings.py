"""Compare what the rules found with what was done to the contents: recall of each kind, false findings, the call list. Core."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from monitor.judgement.findings import Finding
from monitor.judgement.rules.verdict import Severity
from schemas.events import UnitId
from tests.judge.city import Days, Sender
from tests.judge.contents import unit_id_of
from tests.judge.faults import Fault
from tests.judge.half_dead import HALF_DEAD_KINDS, HISTORY_DAYS, HalfDead, explains_silence
from tests.judge.mornings import Called, Judged

LEAST_RECALL: Final = 0.95
LEAST_PRECISION: Final = 0.9
LATER: Final = 24.0 * 7
"""Hours after the moment by which a fault has to be found, in which finding it is late and not by accident."""


@dataclass
class KindScore:
    """Faults of one kind that had to be found: how many were, by then and later, and those that were not."""

    kind: str
    in_time: int = 0
    later: int = 0
    missed: list[HalfDead] = field(default_factory=list)
    late: list[HalfDead] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """All of them."""
        return self.in_time + self.later + len(self.missed)


@dataclass
class FindingScore:
    """The figures of one history. `false`: tickets and pages that no label explains, with their morning."""

    kinds: list[KindScore]
    false: list[tuple[float, Finding]]
    unit_months: float
    calls: int
    wrong_calls: list[Called]

    @property
    def precision(self) -> float:
        """The share of the first calls of each morning that a label explains; 0 when there were none."""
        return 1 - len(self.wrong_calls) / self.calls if self.calls else 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kinds": {
                kind.kind: {"faults": kind.faults, "in_time": kind.in_time, "later": kind.later, "missed": len(kind.missed)}
                for kind in self.kinds
            },
            "false_findings_per_unit_month": len(self.false) / self.unit_months,
            "first_calls": self.calls,
            "call_precision": self.precision,
        }


@dataclass(frozen=True)
class Labels:
    """Everything that is wrong in the made-up city."""

    half_dead: Sequence[HalfDead]
    faults: Sequence[Fault]
    senders: Sequence[Sender]

    def explain(self, rule: str, unit_id: UnitId | None, moment: float) -> bool:
        """Whether something is wrong with the unit (None: with many at once) that a finding of `rule` at `moment` may tell of."""
        if unit_id is None:
            return any(len(fault.rows) > 4 and explains_silence(fault, rule, moment) for fault in self.faults)
        rows = {row for row in range(len(self.senders)) if unit_id_of(row // 2) == unit_id}
        return (
            any(fault.row in rows and fault.explains(rule, moment) for fault in self.half_dead)
            or any(rows & set(fault.rows) and explains_silence(fault, rule, moment) for fault in self.faults)
            or (rule == "wrong_clock" and any(self.senders[row].clock for row in rows))
        )


def score_findings(judged: Judged, labels: Labels, days: Days) -> FindingScore:
    """Hold the findings against the labels. What opened before the first label may be, for want of history, does not count."""
    begin, end = days.start + HISTORY_DAYS * 24, days.start + days.count * 24
    told = _told(judged)
    kinds = {kind: KindScore(kind) for kind in HALF_DEAD_KINDS}
    for fault in labels.half_dead:
        if fault.due < end:
            _score_fault(fault, told.get((fault.kind, unit_id_of(fault.row // 2)), []), kinds[fault.kind])
    false = [
        (morning, finding)
        for morning, finding in judged.opened
        if morning >= begin
        and finding.severity is not Severity.SUMMARY
        and not labels.explain(finding.rule, finding.unit_id, morning)
    ]
    calls = [call for call in judged.calls if call.morning >= begin]
    wrong = [call for call in calls if not labels.explain(call.rule, call.unit_id, call.morning)]
    months = len(labels.senders) / 2 * (days.count - HISTORY_DAYS) / 30.4
    return FindingScore(list(kinds.values()), false, months, len(calls), wrong)


def _told(judged: Judged) -> dict[tuple[str, UnitId | None], list[tuple[float, Finding]]]:
    found: dict[tuple[str, UnitId | None], list[tuple[float, Finding]]] = {}
    for morning, finding in judged.told:
        found.setdefault((finding.rule, finding.unit_id), []).append((morning, finding))
    return found


def _score_fault(fault: HalfDead, told: Sequence[tuple[float, Finding]], score: KindScore) -> None:
    moments = [morning for morning, finding in told if fault.start <= morning and _is_about(finding, fault)]
    if any(morning <= fault.due for morning in moments):
        score.in_time += 1
    elif any(morning <= fault.due + LATER for morning in moments):
        score.later += 1
        score.late.append(fault)
    else:
        score.missed.append(fault)


def _is_about(finding: Finding, fault: HalfDead) -> bool:
    """A finding that lists dates has to list one of the fault's."""
    dates = finding.evidence.get("dates")
    return not isinstance(dates, list) or bool(fault.dates & set(dates))


def verdict_on_findings(found: FindingScore) -> list[str]:
    """What is not as it has to be."""
    failures = [
        f"{kind.kind}: {kind.in_time} of {kind.faults} found within two own days"
        for kind in found.kinds
        if kind.faults and kind.in_time < LEAST_RECALL * kind.faults
    ]
    if found.precision < LEAST_PRECISION:
        failures.append(f"{found.precision:.2f} of the first five calls right")
    return failures
