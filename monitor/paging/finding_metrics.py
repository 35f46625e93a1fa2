"""The open findings as metrics: bounded by rules × units × feeds, gone when they are closed; and the rules' names. Shell."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.judgement.findings import Finding
from monitor.judgement.rules import RULES


class OpenFindings(Protocol):
    """What is open now, and the platform moment at which it was judged."""

    @property
    def open(self) -> Iterable[Finding]: ...

    @property
    def judged_until(self) -> datetime | None: ...


class FindingCollector(Collector):
    """Turns the open findings into metric families."""

    def __init__(self, findings: OpenFindings) -> None:
        self._findings = findings

    def collect(self) -> Iterable[Metric]:
        """One series for each open finding; the unit of one about the whole city is empty."""
        family = GaugeMetricFamily(
            "hip_finding_open", "1 for each finding that is open.", labels=["rule", "unit_id", "feed", "severity"]
        )
        for finding in self._findings.open:
            family.add_metric([finding.rule, finding.unit_id or "", finding.feed or "", finding.severity], 1)
        yield family
        names = GaugeMetricFamily("hip_finding_rule_info", "The rules of findings.", labels=["rule", "rule_zh", "rule_en"])
        for rule in RULES:
            names.add_metric([rule.name, rule.title.zh, rule.title.en], 1)
        yield names
        if self._findings.judged_until is not None:
            help_text = "The platform clock when the units were judged last."
            moment = self._findings.judged_until.timestamp()
            yield GaugeMetricFamily("hip_findings_judged_timestamp_seconds", help_text, value=moment)
