"""Open findings on the page and at /metrics, from a ledger in which somebody wrote them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor.judgement.find import row_of
from monitor.judgement.findings import Finding
from monitor.judgement.rules.verdict import Severity, Text
from monitor.ledger.findings import write_findings
from schemas.events import UnitId
from tests.factories import NOON, UNIT
from tests.unit.monitor.sites import Site, running

LOOK_BACK: Final = timedelta(days=62)
DROP: Final = Finding(
    "sudden_drop",
    UNIT,
    "scheduled",
    NOON,
    Severity.TICKET,
    date(2024, 9, 8),
    NOON,
    Text("鼓楼区定时上传骤降", "Gulou District dropped <b>"),
    Text("请核对", "please check"),
)
WIDE: Final = replace(DROP, rule="tables_dead_everywhere", unit_id=None, feed=None, what=Text("多家停传", "many stopped"))
QUIET: Final = replace(DROP, rule="never_declared", severity=Severity.SUMMARY, what=Text("未反馈申明", "never declared"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(tmp_path) as site:
        write_findings(site.engine, (None, NOON), [row_of(found) for found in (DROP, WIDE, QUIET)], [], LOOK_BACK)
        site.findings.refresh(None)
        yield site


def test_page_shows_what_somebody_has_to_do_and_counts_the_rest(site: Site) -> None:
    page = site.page()
    assert "鼓楼区定时上传骤降" in page
    assert "Gulou District dropped &lt;b&gt;" in page
    assert "多家停传" in page
    assert "未反馈申明" not in page
    assert "(2, +1 知会" in page


def test_page_shows_the_ten_worst_and_folds_the_others(site: Site) -> None:
    many = [row_of(replace(DROP, unit_id=UnitId(f"unit-{number}"), what=Text(f"第{number}项", ""))) for number in range(12)]
    later = NOON + timedelta(hours=1)
    write_findings(site.engine, (NOON, later), many, [], LOOK_BACK)
    site.findings.refresh(None)
    page = site.page()
    assert "其余 4 项" in page
    assert page.index("<details>") < page.index("第9项")


def test_page_without_findings_has_no_section(tmp_path: Path) -> None:
    with running(tmp_path) as site:
        assert 'id="findings"' not in site.page()


def test_open_findings_are_metrics_and_go_when_they_close(site: Site) -> None:
    def series() -> list[dict[str, str]]:
        families = {family.name: family for family in text_string_to_metric_families(site.client.get("/metrics").text)}
        assert [sample.value for sample in families["hip_findings_judged_timestamp_seconds"].samples]
        return [sample.labels for sample in families["hip_finding_open"].samples]

    labels = {"feed": "scheduled", "rule": "sudden_drop", "severity": "ticket", "unit_id": UNIT}
    assert labels in series()
    assert len(series()) == 3
    later = NOON + timedelta(hours=1)
    write_findings(site.engine, (NOON, later), [], [row_of(replace(DROP, closed_at=later))], LOOK_BACK)
    site.findings.refresh(None)
    assert labels not in series()
    assert len(series()) == 2


def test_unreadable_ledger_keeps_the_findings_and_says_so_once(site: Site) -> None:
    whole = site.break_ledger()
    site.findings.refresh(None)
    site.findings.refresh(None)
    assert site.findings.problem is not None
    assert len(site.findings.open) == 3
    site.path.write_bytes(whole)
    site.findings.refresh(None)
    assert site.findings.problem is None
