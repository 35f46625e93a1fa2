"""The day in words: what changed since yesterday, what is open, who is new, how we are ourselves. Core.

A quiet day says so in three lines.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from monitor.judgement.call_list import Call
from monitor.judgement.findings import Finding
from monitor.judgement.rules import RANK, RULES
from monitor.judgement.rules.verdict import Severity, Text
from schemas.clock import local_text
from schemas.register import Register, UnitKind

_TITLES = {rule.name: rule.title for rule in RULES}
_NAMED: Final = 8
_LINES: Final = 15
_CALLS: Final = 5
"""So many units are called on a day; `hipwatch calls` has them all."""


@dataclass(frozen=True)
class OurHealth:
    """How the monitor itself is: its clocks, what it could not count, what it waits for."""

    clock: datetime | None
    judged_until: datetime | None
    dead_letters: int = 0
    unknown_senders: int = 0
    missing_numbers: int = 0


@dataclass(frozen=True)
class DailySummary:
    """The day that ends at `until` (platform time).

    `opened` and `closed` in it; `open` at its end, `calls` from that; `onboarding`: units first heard of within the last week.
    """

    until: datetime
    opened: Sequence[Finding]
    closed: Sequence[Finding]
    open: Sequence[Finding]
    calls: Sequence[Call]
    onboarding: Sequence[str]
    health: OurHealth
    register: Register

    @property
    def quiet(self) -> bool:
        """Whether nothing happened that anybody has to know."""
        told = [finding for finding in self.opened if finding.severity is not Severity.SUMMARY]
        return not told and not self.closed and not self.onboarding and not self.health.unknown_senders


def summary_lines(summary: DailySummary) -> list[Text]:
    """The summary, line by line, in both languages."""
    if summary.quiet:
        return [_head(summary, Text("平静的一天", "a quiet day")), _open_line(summary), _health_line(summary.health)]
    lines = [_head(summary, Text("有变化", "something changed"))]
    told = [finding for finding in summary.opened if finding.severity is not Severity.SUMMARY]
    lines += _finding_lines(told, "新", "new")
    quiet = len(summary.opened) - len(told)
    if quiet:
        lines.append(Text(f"另有 {quiet} 项知会", f"and {quiet} for information only"))
    lines += _finding_lines(summary.closed, "恢复", "over")
    lines += [
        Text(f"致电 {n}. {call.name.zh}:{call.line.zh}", f"call {n}. {call.name.en}: {call.line.en}")
        for n, call in _first(summary)
    ]
    if summary.onboarding:
        lines.append(_onboarding_line(summary.onboarding))
    if summary.health.unknown_senders:
        count = summary.health.unknown_senders
        lines.append(Text(f"未登记的发送方:{count} 条消息", f"unknown senders: {count} messages"))
    return [*lines, _open_line(summary), _health_line(summary.health)]


def summary_values(summary: DailySummary) -> dict[str, Any]:
    """The summary as JSON holds it."""
    return {
        "until": _iso(summary.until),
        "quiet": summary.quiet,
        "opened": [finding_values(finding) for finding in summary.opened],
        "closed": [finding_values(finding) for finding in summary.closed],
        "open": {"by_severity": dict(_by_severity(summary.open)), "by_unit": _by_unit(summary.open)},
        "calls": [call_values(call) for call in summary.calls],
        "onboarding": list(summary.onboarding),
        "unknown_senders": summary.health.unknown_senders,
        "health": {
            "platform_clock": _iso(summary.health.clock),
            "judged_until": _iso(summary.health.judged_until),
            "dead_letters": summary.health.dead_letters,
            "missing_numbers": summary.health.missing_numbers,
        },
        "lines": {"zh": [line.zh for line in summary_lines(summary)], "en": [line.en for line in summary_lines(summary)]},
    }


def finding_values(finding: Finding) -> dict[str, Any]:
    """One finding as JSON holds it; moments are ISO 8601 in UTC."""
    return {
        "rule": finding.rule,
        "unit_id": finding.unit_id,
        "feed": finding.feed,
        "severity": str(finding.severity),
        "since": str(finding.since),
        "opened_at": _iso(finding.opened_at),
        "updated_at": _iso(finding.updated_at),
        "closed_at": _iso(finding.closed_at),
        "what": {"zh": finding.what.zh, "en": finding.what.en},
        "ask": {"zh": finding.ask.zh, "en": finding.ask.en},
        "evidence": dict(finding.evidence),
        "lost": finding.lost,
        "unusual": finding.unusual,
    }


def call_values(call: Call) -> dict[str, Any]:
    """One call as JSON holds it."""
    return {
        "unit_id": call.unit_id,
        "name": {"zh": call.name.zh, "en": call.name.en},
        "urgency": call.urgency,
        "since": str(call.since),
        "lost": call.lost,
        "line": {"zh": call.line.zh, "en": call.line.en},
        "findings": [finding_values(finding) for finding in call.findings],
    }


def _first(summary: DailySummary) -> list[tuple[int, Call]]:
    return list(enumerate(summary.calls[:_CALLS], 1))


def _head(summary: DailySummary, state: Text) -> Text:
    return Text(f"{local_text(summary.until)} 日报:{state.zh}", f"{local_text(summary.until)}: {state.en}")


def _finding_lines(findings: Sequence[Finding], zh: str, en: str) -> list[Text]:
    """Worst rule first; on the first day of a ledger there are dozens, which the command lists."""
    ranked = sorted(findings, key=lambda finding: RANK.get(finding.rule, 0))
    lines = []
    for finding in ranked[:_LINES]:
        title = _TITLES.get(finding.rule, Text(finding.rule, finding.rule))
        lines.append(Text(f"[{zh}] {title.zh} — {finding.what.zh}", f"[{en}] {title.en} — {finding.what.en}"))
    more = len(ranked) - _LINES
    return [*lines, Text(f"[{zh}] 等 {len(ranked)} 项", f"[{en}] and {more} more")] if more > 0 else lines


def _onboarding_line(names: Sequence[str]) -> Text:
    more = f" (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
    listed = ", ".join(names[:_NAMED]) + more
    return Text(f"新接入 {len(names)} 家:{listed}", f"onboarding, {len(names)} units: {listed}")


def _open_line(summary: DailySummary) -> Text:
    counts = _by_severity(summary.open)
    districts = sum(1 for finding in summary.open if _kind(finding, summary.register) is UnitKind.DISTRICT)
    page, ticket, quiet = (counts.get(severity, 0) for severity in Severity)
    return Text(
        f"未关闭:急 {page},工单 {ticket},知会 {quiet};其中各区 {districts} 项",
        f"open: {page} pages, {ticket} tickets, {quiet} for information; {districts} of them of districts",
    )


def _health_line(health: OurHealth) -> Text:
    clock = local_text(health.clock)
    return Text(
        f"平台时钟 {clock};判定至 {local_text(health.judged_until)};死信 {health.dead_letters};缺序号 {health.missing_numbers}",
        f"platform clock {clock}; judged until {local_text(health.judged_until)}; dead letters {health.dead_letters}; "
        f"missing numbers {health.missing_numbers}",
    )


def _kind(finding: Finding, register: Register) -> UnitKind | None:
    unit = None if finding.unit_id is None else register.units.get(finding.unit_id)
    return None if unit is None else unit.kind


def _by_severity(findings: Sequence[Finding]) -> Counter[str]:
    return Counter(str(finding.severity) for finding in findings)


def _by_unit(findings: Sequence[Finding]) -> dict[str, int]:
    return dict(Counter(finding.unit_id or "" for finding in findings))


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
