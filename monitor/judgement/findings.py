"""Findings: a verdict's life, opened, updated, closed by itself. Core: what is open and what holds now in, what changes out.

Invariant: a finding is named by rule, unit, feed and the moment it was opened; the same verdicts twice change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from monitor.judgement.rules.evaluation import Judged, Key, key_of
from monitor.judgement.rules.verdict import Evidence, Severity, Text, Verdict
from schemas.events import UnitId


@dataclass(frozen=True)
class Finding:
    """One finding. All moments are platform time; `since` is the first bad day. `unit_id` None: the whole city."""

    rule: str
    unit_id: UnitId | None
    feed: str | None
    opened_at: datetime
    severity: Severity
    since: date
    updated_at: datetime
    what: Text
    ask: Text
    evidence: Evidence = field(default_factory=dict)
    lost: int = 0
    unusual: float = 0.0
    closed_at: datetime | None = None

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.rule, self.unit_id, self.feed


@dataclass(frozen=True)
class FindingChanges:
    """What an evaluation changes. `updated` and `closed` carry the new values; their `opened_at` names the old ones."""

    opened: Sequence[Finding]
    updated: Sequence[Finding]
    closed: Sequence[Finding]


def changes(open_now: Sequence[Finding], judged: Judged, now: datetime) -> FindingChanges:
    """Compare what is open with what holds at `now` (the platform clock).

    1 what holds and is not open, opens; 2 what holds and says something new, is updated, and keeps its first `since`;
    3 what no longer holds, closes, unless its rule cannot tell yet.
    """
    known = {finding.key: finding for finding in open_now}
    opened, updated = [], []
    for verdict in judged.verdicts:
        before = known.pop(key_of(verdict), None)
        if before is None:
            opened.append(_opened(verdict, now))
            continue
        after = _updated(before, verdict, now)
        if after is not None:
            updated.append(after)
    closed = [replace(finding, closed_at=now) for key, finding in known.items() if not _untold(key, judged)]
    return FindingChanges(opened, updated, closed)


def _untold(key: Key, judged: Judged) -> bool:
    rule, unit_id, _ = key
    return key in judged.unknown or (rule, unit_id, None) in judged.unknown


def _opened(verdict: Verdict, now: datetime) -> Finding:
    return Finding(
        verdict.rule,
        verdict.unit_id,
        verdict.feed,
        now,
        verdict.severity,
        verdict.since,
        now,
        verdict.what,
        verdict.ask,
        verdict.evidence,
        verdict.lost,
        verdict.unusual,
    )


def _updated(before: Finding, verdict: Verdict, now: datetime) -> Finding | None:
    """The finding with what is new about it; None when nothing is."""
    same = (before.what, before.severity, dict(before.evidence), before.lost) == (
        verdict.what,
        verdict.severity,
        dict(verdict.evidence),
        verdict.lost,
    )
    if same:
        return None
    fresh = _opened(verdict, now)
    return replace(fresh, opened_at=before.opened_at, since=min(before.since, verdict.since))
