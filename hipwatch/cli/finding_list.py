"""Findings, calls, scores, debts and forecasts as lines of text. Core."""

from collections.abc import Mapping, Sequence
from datetime import date

from hipwatch.cli.aligned import aligned
from monitor.counting.feeds import Feed
from monitor.judgement.call_list import Call
from monitor.judgement.findings import Finding
from monitor.judgement.forecast import Forecast
from monitor.judgement.rules.verdict import Text
from monitor.judgement.score import Score
from schemas.clock import local_text
from schemas.register import Register


def said(text: Text, lang: str) -> str:
    """A sentence in the language that was asked for."""
    return text.en if lang == "en" else text.zh


def finding_lines(findings: Sequence[Finding], lang: str) -> list[str]:
    """A heading and one line for each finding. Times are Asia/Shanghai."""
    rows = [("since", "opened", "closed", "severity", "rule", "unit", "feed", "what")]
    rows += [
        (
            str(finding.since),
            local_text(finding.opened_at),
            local_text(finding.closed_at),
            finding.severity,
            finding.rule,
            finding.unit_id or "—",
            finding.feed or "—",
            said(finding.what, lang),
        )
        for finding in findings
    ]
    return aligned(rows)


def call_lines(calls: Sequence[Call], lang: str) -> list[str]:
    """One line a unit, most urgent first; under it what to say, for each of its findings."""
    lines = []
    for number, call in enumerate(calls, 1):
        lines.append(f"{number:>3}. {said(call.name, lang)} [{call.urgency}] {call.since} — {said(call.line, lang)}")
        lines += [f"       → {said(finding.ask, lang)}" for finding in call.findings]
    return lines


def score_lines(found: Sequence[Score], register: Register, lang: str) -> list[str]:
    """A heading and one line for each unit, best first. Shares: on time/late/missing in percent, which add up to 100."""
    rows: list[tuple[str, ...]] = [("points", "unit", "scheduled %", "realtime %", "complete", "consistent", "against")]
    for score in found:
        unit = register.units[score.unit_id]
        rows.append(
            (
                "—" if score.points is None else f"{score.points:.1f}",
                unit.name_en if lang == "en" else unit.name_zh,
                *(_shares(score, feed) for feed in Feed),
                f"{score.completeness:.0%}",
                f"{score.consistency:.0%}",
                " ".join(score.against) or "—",
            )
        )
    return aligned(rows)


def _shares(score: Score, feed: Feed) -> str:
    delivery = score.deliveries.get(feed)
    if delivery is None or not delivery.owed:
        return "—"
    return "/".join(f"{share / 10:.1f}" for share in delivery.shares())


def owed_lines(feed: Feed, owed: Mapping[date, Sequence[str]]) -> list[str]:
    """One line for each date, with the tables (or forms) that are owed for it."""
    return [f"{day}  {feed}  {len(codes):>3}  {' '.join(codes)}" for day, codes in sorted(owed.items())]


def forecast_lines(found: Sequence[Forecast], register: Register, lang: str) -> list[str]:
    """A heading and one line for each unit: what is here, and what the month will come to."""
    rows = [("unit", "upload days", "realtime days", "forms", "tables", "records")]
    for one in found:
        unit = register.units[one.unit_id]
        rows.append(
            (
                unit.name_en if lang == "en" else unit.name_zh,
                f"{one.upload_days} → {one.upload_days_by_end}",
                f"{one.realtime_days} → {one.realtime_days_by_end}",
                f"{one.forms} → {one.forms_by_end}",
                f"{one.tables} → {one.tables_by_end}",
                f"{one.records:,} → {one.records_by_end:,}",
            )
        )
    return aligned(rows)
