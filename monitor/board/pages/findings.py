"""The open findings on the page, as plain values for its template. Core."""

from collections.abc import Sequence
from typing import Any

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.findings import Finding
from monitor.judgement.rules import RANK, RULES
from monitor.judgement.rules.verdict import Severity

_TITLES = {rule.name: rule.title for rule in RULES}
_WORDS = {Severity.PAGE: "急 page", Severity.TICKET: "工单 ticket", Severity.SUMMARY: "知会 summary"}


def findings_section(findings: Sequence[Finding]) -> dict[str, Any]:
    """Pages and tickets, worst first; of those that only the summary tells, how many there are."""
    told = [finding for finding in findings if finding.severity is not Severity.SUMMARY]
    order = list(Severity)
    told.sort(key=lambda finding: (order.index(finding.severity), RANK.get(finding.rule, len(RANK)), finding.since))
    return {"rows": [_row(finding) for finding in told], "quiet": len(findings) - len(told)}


def _row(finding: Finding) -> dict[str, str]:
    title = _TITLES.get(finding.rule)
    return {
        "severity": finding.severity,
        "word": _WORDS[finding.severity],
        "title_zh": finding.rule if title is None else title.zh,
        "title_en": finding.rule if title is None else title.en,
        "what_zh": finding.what.zh,
        "what_en": finding.what.en,
        "feed": FEED_ZH[Feed(finding.feed)] if finding.feed else "—",
        "since": str(finding.since),
    }
