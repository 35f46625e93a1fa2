"""Our own failures by name: a real worker loses what it needs, or its life, and a real Prometheus says which."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.contract.until import until
from tests.faults.stage import Stage, begin
from tests.faults.stream import UNITS, publish
from tests.ops.metrics_page import described, of_worker
from tests.ops.test_delivery import free_port, get_json, is_ready
from tests.ops.tools import PROMETHEUS_CONFIG, RULE_FILES, load, program
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceProcess, lasting_port

OURS: Final = {"NoWorker", "WorkerDown", "WorkerRestarts", "BrokerAway", "LedgerAway"}


@contextmanager
def prometheus(folder: Path, worker_port: int) -> Iterator[Callable[[], set[str]]]:
    """Scrapes one worker as the shipped configuration does, only sooner, and evaluates the shipped rules at once.

    Yields what asks which alerts of ours are firing.
    """
    folder.mkdir()
    rules = load(next(path for path in RULE_FILES if path.stem == "health"))
    for rule in rules["groups"][0]["rules"]:
        rule.pop("for", None)
        rule.pop("keep_firing_for", None)
    (folder / "health.yaml").write_text(yaml.safe_dump(rules, allow_unicode=True), encoding="utf-8")
    config = load(PROMETHEUS_CONFIG)
    del config["alerting"]
    every: dict[str, Any] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    text = yaml.safe_dump({**config, "global": every, "rule_files": [str(folder / "health.yaml")]})
    (folder / "prometheus.yml").write_text(text.replace("127.0.0.1:8081", f"127.0.0.1:{worker_port}"), encoding="utf-8")
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    process = ServiceProcess("prometheus", [*command, f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.log")
    process.start(lambda: is_ready(address))

    def firing() -> set[str]:
        alerts = get_json(f"{address}/api/v1/alerts")["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"} & OURS

    try:
        until(lambda: get_json(f"{address}/api/v1/query?query=hip_worker_healthy")["data"]["result"])
        yield firing
    finally:
        process.kill()


def test_what_is_away_is_named_and_its_return_ends_the_alert(
    stage: Stage, broker: KafkaServer, database: PostgresServer, tmp_path: Path
) -> None:
    port = lasting_port()
    worker = stage.counting("a", "--metrics-port", str(port))
    with prometheus(tmp_path / "prometheus", port) as firing:
        until(lambda: firing() == set())
        database.pause()
        until(lambda: firing() == {"LedgerAway"})
        database.resume()
        until(lambda: firing() == set())
        broker.pause()
        until(lambda: firing() == {"BrokerAway"})
        broker.resume()
        until(lambda: firing() == set())
        worker.kill()
        until(lambda: firing() == {"NoWorker"})
        begin(worker)
        until(lambda: firing() == set())


def test_a_worker_that_is_started_again_and_again_is_told_of(stage: Stage, tmp_path: Path) -> None:
    port = lasting_port()
    worker = stage.counting("a", "--metrics-port", str(port))
    with prometheus(tmp_path / "prometheus", port) as firing:
        for _ in range(3):
            assert "WorkerRestarts" not in firing()
            worker.kill()
            until(lambda: firing() == {"NoWorker"})
            begin(worker)
            until(lambda: "NoWorker" not in firing())  # it has been scraped in this life
        until(lambda: firing() == {"WorkerRestarts"})


def test_what_a_worker_exports_is_what_the_page_of_the_metrics_says(stage: Stage) -> None:
    port = lasting_port()
    stage.counting("a", "--metrics-port", str(port))
    publish(stage.kafka, range(1, 3), UNITS[:3])
    until(lambda: stage.passed() == 6)
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        exposed = list(described(text_string_to_metric_families(answer.read().decode())))
    documented = {metric.name: metric for metric in of_worker()}
    assert {metric.name for metric in exposed if metric.name.startswith("hip_")} == set(documented)
    for metric in exposed:
        assert metric.name.startswith("process_") or metric.help_text == documented[metric.name].help_text
        assert metric.name.startswith("process_") or set(metric.labels) <= set(documented[metric.name].labels)
