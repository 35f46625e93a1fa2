"""The figures as tables for people, which are also those of docs/judge.md. Core."""

from typing import Any


def texts(found: dict[str, Any]) -> dict[str, str]:
    """Markdown: the table of silences, and that of contents, where those were judged."""
    tables = {"silences": _silences(found)}
    if "contents" in found:
        tables["contents"] = "\n".join([*_contents(found["contents"]), "", _verdict(found["failed_contents"])])
    return tables


def _silences(found: dict[str, Any]) -> str:
    lines = [
        f"Seed {found['seed']}: {found['units']} units, {found['months']} months from {found['first_day']}, "
        f"{found['events']:,} uploads, {found['cpu_seconds']} CPU-seconds.",
        "",
        "| judge | false alarms per unit-month (first 28 days) | outages that were none | calls a day |",
        "|---|---|---|---|",
    ]
    lines += [_rates(score) for score in found["scores"]]
    lines += [
        "",
        "| judge | fault | faults | had to be found | missed | found | delay median / p95, h | incidents for one |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for score in found["scores"]:
        for kind, line in sorted(score["kinds"].items()):
            delay = f"{line['delay_median']:.1f} / {line['delay_p95']:.1f}" if "delay_p95" in line else ""
            many = f"{line['incidents_least']} to {line['incidents_most']}" if "incidents_most" in line else ""
            cells = (score["judge"], kind, line["faults"], line["due"], line["missed"], line["found"], delay, many)
            lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join([*lines, "", _verdict(found["failed"])])


def _verdict(failed: list[str]) -> str:
    return "Passed." if not failed else "Failed: " + "; ".join(failed) + "."


def _contents(contents: dict[str, Any]) -> list[str]:
    """What the rules found in the contents of the uploads, and how often the first calls of a morning were right."""
    lines = [
        "| half-dead feeds | had to be found | within two own days | within a week more | missed |",
        "|---|---|---|---|---|",
    ]
    for kind, line in contents["kinds"].items():
        lines.append(f"| {kind} | {line['faults']} | {line['in_time']} | {line['later']} | {line['missed']} |")
    return [
        *lines,
        "",
        f"First five of the call list: {contents['call_precision']:.3f} of {contents['first_calls']:,} right. "
        f"Tickets that nothing explains: {contents['false_findings_per_unit_month']:.3f} per unit-month.",
    ]


def _rates(score: dict[str, Any]) -> str:
    later, first = score["false_alarms_per_unit_month"], score["false_alarms_per_unit_month_first_28_days"]
    return f"| {score['judge']} | {later:.4f} ({first:.3f}) | {score['false_outages']} | {score['pages_a_day']:.2f} |"
