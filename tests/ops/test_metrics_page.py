"""docs/metrics.md says what there is to ask for."""

from pathlib import Path

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from monitor.app.web import build_web, judge_findings
from monitor.ledger.append import Ledger
from monitor.ledger.database import closing_engine, open_database
from monitor.settings import ServeSettings
from schemas.register import load_register
from tests.conftest import prepare
from tests.contract.test_reading import advance
from tests.contract.until import until
from tests.factories import NOON, make_batch, make_event
from tests.ops.metrics_page import PAGE, described, of_serve, of_worker, page

NO_WATCHDOG = {"hip_watchdog_last_received_timestamp_seconds"}
NO_CANARY = {"hip_canary_expected_since_timestamp_seconds"}


def test_the_page_of_the_metrics_is_what_the_collectors_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.ops.metrics_page"


def test_every_metric_is_explained_in_a_sentence_and_has_a_name_of_its_own() -> None:
    found = [*of_serve(), *of_worker()]
    assert len({metric.name for metric in found}) == len(found)
    for metric in found:
        assert metric.help_text.endswith("."), metric.name
        assert metric.kind in ("gauge", "counter", "histogram"), metric.name


def test_what_serve_exports_is_what_the_page_says(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing_engine(open_database(database, create=True)) as engine:
        ledger = prepare(Ledger(engine, load_register().units))
        ledger.append(make_batch(make_event()))
        advance(ledger, NOON)
    with build_web(ServeSettings(database)) as web:
        judge_findings(web.keeper, web.findings)
        client = TestClient(web.site, base_url="http://127.0.0.1")
        until(lambda: "hip_outbox_waiting" in client.get("/metrics").text)  # read on schedule
        text = client.get("/metrics").text
    documented = {metric.name: metric for metric in of_serve()}
    found = {metric.name: metric for metric in described(text_string_to_metric_families(text))}
    assert set(documented) - set(found) == NO_WATCHDOG | NO_CANARY
    for name, metric in found.items():
        assert (metric.kind, metric.help_text) == (documented[name].kind, documented[name].help_text)
        assert set(metric.labels) <= set(documented[name].labels), "of a family without a series no label is told"
