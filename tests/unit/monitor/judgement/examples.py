"""Findings for what is made of findings: calls, summaries."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from monitor.judgement.findings import Finding
from monitor.judgement.rules.verdict import Severity, Text
from tests.factories import HOSPITAL, NOON, OTHER_UNIT, UNIT

TODAY: Final = date(2024, 9, 10)
DROP: Final = Finding(
    "sudden_drop", UNIT, "scheduled", NOON, Severity.TICKET, TODAY - timedelta(days=2), NOON,
    Text("骤降", "dropped"), Text("请核对", "check"), {}, 1_000, 5.0,
)  # fmt: skip
SILENT: Final = replace(
    DROP, rule="silent", severity=Severity.PAGE, unit_id=OTHER_UNIT, unusual=10.0, what=Text("中断", "silent")
)
LADDER: Final = replace(DROP, rule="declared_not_uploaded", unusual=2.5, lost=0, since=TODAY - timedelta(days=300))
FOR_INFORMATION: Final = replace(DROP, rule="never_declared", severity=Severity.SUMMARY, unit_id=HOSPITAL)
