"""The real path, time-shortened: a served /metrics, Prometheus, Alertmanager, a webhook. What arrives, and what must not."""

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops.tools import ALERTMANAGER_CONFIG, PROMETHEUS_CONFIG, RULE_FILES, load, program

TOKEN = "a-token-of-the-test"
PLATFORM_NOW = 1_726_500_000
PATIENCE = 60.0
"""Seconds until a condition counts as never coming; the usual wait is one to six."""


@dataclass
class Unit:
    """A unit with the realtime feed; `left` is its time to the deadline, negative when it is overdue and so silent."""

    left: int
    name_zh: str = "秦淮区"


@dataclass
class Scene:
    """What the monitor would export right now. Tests turn its knobs while Prometheus scrapes."""

    units: dict[str, Unit]
    stalled: bool = False
    down: bool = False

    def metrics(self) -> str:
        now = time.time()
        lines = [
            f"hip_snapshot_timestamp_seconds {now}",
            "hip_snapshot_stale_after_seconds 60",
            f"hip_platform_clock_timestamp_seconds {PLATFORM_NOW}",
            f"hip_platform_clock_advanced_timestamp_seconds {now - (3600 if self.stalled else 0)}",
            "hip_platform_stall_after_seconds 600",
            'hip_events_total{topic="realtime-forms"} 1000',
        ]
        for unit_id, unit in self.units.items():
            lines += [
                f'hip_unit_info{{unit_id="{unit_id}",kind="district",name_zh="{unit.name_zh}",name_en="{unit_id}"}} 1',
                f'hip_unit_seen{{unit_id="{unit_id}"}} 1',
                f'hip_feed_seen{{unit_id="{unit_id}",feed="realtime"}} 1',
            ]
            if unit.left < 0:
                labels = f'unit_id="{unit_id}",feed="realtime",condition="silent"'
                lines.append(f"hip_feed_condition_since_timestamp_seconds{{{labels}}} {PLATFORM_NOW + unit.left}")
        return "\n".join(lines) + "\n"


@dataclass
class Inbox:
    """What the webhook received: (status, alert name, unit id or empty), in order."""

    notices: list[tuple[str, str, str]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    credentials: set[str] = field(default_factory=set)

    def take(self, body: dict[str, Any], credentials: str) -> None:
        self.credentials.add(credentials)
        for alert in body["alerts"]:
            self.alerts.append(alert)
            self.notices.append((alert["status"], alert["labels"]["alertname"], alert["labels"].get("unit_id", "")))

    def without_watchdog(self) -> list[tuple[str, str, str]]:
        return [notice for notice in self.notices if notice[1] != "Watchdog"]


@dataclass(frozen=True)
class Stack:
    """Handles of the running processes."""

    scene: Scene
    inbox: Inbox
    alertmanager: str

    def active(self) -> dict[tuple[str, str], str]:
        """State (`active`, `suppressed`) of each (alert, unit) in Alertmanager."""
        return {
            (alert["labels"]["alertname"], alert["labels"].get("unit_id", "")): alert["status"]["state"]
            for alert in get_json(f"{self.alertmanager}/api/v2/alerts")
        }

    def let_notices_pass(self) -> None:
        """Waits for five more Watchdogs (2.5 s): scraped, evaluated and flushed meanwhile, so what has not come is not coming."""
        seen = self.inbox.notices.count(("firing", "Watchdog", ""))
        wait_for(lambda: self.inbox.notices.count(("firing", "Watchdog", "")) >= seen + 5, "five more Watchdogs")


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s in vain for: {what}"
        time.sleep(0.05)


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(scene: Scene, inbox: Inbox) -> Iterator[int]:
    """Plays `hipwatch serve`: GET anything is the scene's metrics, POST anything goes to the inbox."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = scene.metrics().encode()
            self.send_response(503 if scene.down else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            inbox.take(body, self.headers["Authorization"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running(log: Path, address: str, *command: str) -> Iterator[None]:
    """Runs `command` until the block ends; its log is the message if it does not become ready."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent) as process:
        try:
            wait_for(lambda: process.poll() is not None or is_ready(address), f"{command[0]} to be ready")
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def shortened_alertmanager_config(directory: Path, webhook_port: int) -> Path:
    config = load(ALERTMANAGER_CONFIG)
    token = directory / "webhook-token"
    token.write_text(TOKEN, encoding="utf-8")
    for receiver in config["receivers"]:
        (webhook,) = receiver["webhook_configs"]
        webhook["url"] = webhook["url"].replace("127.0.0.1:8080", f"127.0.0.1:{webhook_port}")
        webhook["http_config"] = {"authorization": {"credentials_file": str(token)}}
    config["route"] |= {"group_wait": "500ms", "group_interval": "500ms"}
    for route in config["route"]["routes"]:
        route |= {"group_interval": "500ms", "repeat_interval": "400ms"}
    path = directory / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def shortened_prometheus_config(directory: Path, monitor_port: int, alertmanager_port: int) -> Path:
    (directory / "rules").mkdir()
    for source in RULE_FILES:
        document = load(source)
        for group in document["groups"]:
            group.pop("interval", None)
            for rule in group["rules"]:
                rule |= {key: "0s" for key in ("for", "keep_firing_for") if key in rule}
        (directory / "rules" / source.name).write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    config = load(PROMETHEUS_CONFIG)
    (job,) = config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] == "hipwatch"]
    del job["scrape_interval"]
    config["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    text = yaml.safe_dump(config).replace("127.0.0.1:8080", f"127.0.0.1:{monitor_port}")
    path = directory / "prometheus.yml"
    path.write_text(text.replace("127.0.0.1:9093", f"127.0.0.1:{alertmanager_port}"), encoding="utf-8")
    return path


@contextmanager
def alertmanager(directory: Path, webhook_port: int) -> Iterator[int]:
    port = free_port()
    config = shortened_alertmanager_config(directory, webhook_port)
    with running(
        directory / "alertmanager.log",
        f"http://127.0.0.1:{port}",
        program("prometheus-alertmanager", "alertmanager"),
        f"--config.file={config}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ):
        yield port


@contextmanager
def stack(directory: Path, scene: Scene) -> Iterator[Stack]:
    inbox = Inbox()
    prometheus = program("prometheus")
    with ExitStack() as open_things:
        monitor_port = open_things.enter_context(serving(scene, inbox))
        alertmanager_port = open_things.enter_context(alertmanager(directory, monitor_port))
        config = shortened_prometheus_config(directory, monitor_port, alertmanager_port)
        port = free_port()
        open_things.enter_context(
            running(
                directory / "prometheus.log",
                f"http://127.0.0.1:{port}",
                prometheus,
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{port}",
                # What fires before Prometheus has found Alertmanager is sent again only after this delay (default: 1m).
                "--rules.alert.resend-delay=1s",
            )
        )
        yield Stack(scene, inbox, f"http://127.0.0.1:{alertmanager_port}")


def test_silent_unit_is_delivered_when_the_monitor_is_well(tmp_path: Path) -> None:
    scene = Scene({"qinhuai": Unit(left=-60), "gulou": Unit(left=60, name_zh="鼓楼区")})
    with stack(tmp_path, scene) as live:
        wait_for(lambda: ("firing", "UnitFeedSilent", "qinhuai") in live.inbox.notices, "UnitFeedSilent of qinhuai")
        live.let_notices_pass()
        assert "MonitorStalled" not in {name for name, _ in live.active()}
        assert {notice for notice in live.inbox.without_watchdog() if notice[2] == "gulou"} == set()
        assert live.inbox.credentials == {f"Bearer {TOKEN}"}
        (delivered,) = [alert for alert in live.inbox.alerts if alert["labels"].get("unit_id") == "qinhuai"]
        assert delivered["annotations"]["summary_zh"] == "秦淮区实时上传中断：已超时限 1分0秒（平台时间）"


def test_stall_with_silent_units_delivers_the_stall_and_no_unit(tmp_path: Path) -> None:
    scene = Scene({"qinhuai": Unit(left=-60), "gulou": Unit(left=-60)}, stalled=True)
    with stack(tmp_path, scene) as live:
        wait_for(lambda: ("firing", "MonitorStalled", "") in live.inbox.notices, "MonitorStalled")
        live.let_notices_pass()
        # Before the first scrape of a new Prometheus the monitor counts as down, which is true of what Prometheus knows.
        assert {name for _, name, _ in live.inbox.without_watchdog()} <= {"MonitorStalled", "MonitorDown"}


@pytest.mark.parametrize(("knob", "cause"), [("stalled", "MonitorStalled"), ("down", "MonitorDown")])
def test_our_own_failure_changes_nothing_about_units_and_the_recovery_tells_the_truth(
    tmp_path: Path, knob: str, cause: str
) -> None:
    scene = Scene({"qinhuai": Unit(left=-60), "gulou": Unit(left=60), "xuanwu": Unit(left=-60), "jianye": Unit(left=60)})
    with stack(tmp_path, scene) as live:
        wait_for(
            lambda: {("firing", "UnitFeedSilent", "qinhuai"), ("firing", "UnitFeedSilent", "xuanwu")} <= set(live.inbox.notices),
            "both silent units",
        )
        live.let_notices_pass()
        before = len(live.inbox.without_watchdog())

        setattr(scene, knob, True)
        wait_for(lambda: ("firing", cause, "") in live.inbox.without_watchdog()[before:], cause)
        scene.units["qinhuai"].left = 60  # comes back during our failure
        scene.units["gulou"].left = -60  # falls silent during our failure
        live.let_notices_pass()
        assert live.inbox.without_watchdog()[before:] == [("firing", cause, "")]
        assert live.active() == {
            ("Watchdog", ""): "active",
            (cause, ""): "active",
            ("UnitFeedSilent", "qinhuai"): "suppressed",
            ("UnitFeedSilent", "xuanwu"): "suppressed",
        }

        setattr(scene, knob, False)
        wait_for(lambda: len(live.inbox.without_watchdog()) >= before + 4, "three notices of the recovery")
        live.let_notices_pass()
        assert set(live.inbox.without_watchdog()[before + 1 :]) == {
            ("resolved", cause, ""),
            ("resolved", "UnitFeedSilent", "qinhuai"),
            ("firing", "UnitFeedSilent", "gulou"),
        }


# (source, target, inhibited): the alerts stand alone in Alertmanager, with the labels that inhibition looks at.
UNIT = {"scope": "unit", "unit_id": "qinhuai"}
SILENT = {"alertname": "UnitFeedSilent", "feed": "realtime", **UNIT}
FEED_NEVER = {"alertname": "UnitFeedNeverSeen", "feed": "realtime", **UNIT}
NEVER = {"alertname": "UnitNeverSeen", **UNIT}
GAPS = {"alertname": "SequenceGapsOpen", "topic": "cda-documents", **UNIT}
LETTERS = {"alertname": "DeadLettersGrowing", "scope": "topic", "topic": "cda-documents", "reason": "truncated"}
EVERYWHERE = {"alertname": "FeedSilentEverywhere", "scope": "feed", "feed": "realtime"}
DOWN, BLIND, STALLED, WATCHDOG, NO_WORKER, BROKER, LEDGER = (
    {"alertname": name, "scope": "monitor"}
    for name in ("MonitorDown", "MonitorBlind", "MonitorStalled", "Watchdog", "NoWorker", "BrokerAway", "LedgerAway")
)
CANARY = {"alertname": "CanaryLate", "scope": "monitor"}
LAG = {"alertname": "LagGrows", "scope": "topic", "topic": "hip.cda-documents.v1"}
INHIBITIONS = [
    *((source, target, True) for source in (NO_WORKER, BROKER, LEDGER) for target in (STALLED, LAG, CANARY)),
    *((source, target, False) for source in (NO_WORKER, BROKER, LEDGER) for target in (DOWN, SILENT, LETTERS, EVERYWHERE)),
    *((DOWN, target, False) for target in (NO_WORKER, BROKER, LEDGER)),
    (LEDGER, BLIND, True),
    (DOWN, CANARY, True),
    (BLIND, CANARY, True),
    (STALLED, CANARY, False),
    (CANARY, SILENT, False),
    (NO_WORKER, BLIND, False),
    (BROKER, LEDGER, False),
    *((source, target, True) for source in (DOWN, BLIND, STALLED) for target in (SILENT, FEED_NEVER, NEVER, GAPS, EVERYWHERE)),
    *((source, target, False) for source in (DOWN, BLIND, STALLED) for target in (LETTERS, WATCHDOG)),
    (DOWN, BLIND, True),
    (DOWN, STALLED, True),
    (BLIND, STALLED, True),
    (EVERYWHERE, SILENT, True),
    (EVERYWHERE, FEED_NEVER, True),
    (EVERYWHERE, SILENT | {"feed": "scheduled"}, False),
    (EVERYWHERE, NEVER, False),
    (EVERYWHERE, GAPS, False),
    (NEVER, FEED_NEVER, True),
    (NEVER, FEED_NEVER | {"unit_id": "gulou"}, False),
    (NEVER, SILENT, False),
    (SILENT, FEED_NEVER, False),
]


def test_inhibitions_are_exactly_these_and_never_mutual(tmp_path: Path) -> None:
    """Each pair has a namespace of its own in time: both are posted, the states are read, both are ended."""
    with serving(Scene({}), Inbox()) as webhook_port, alertmanager(tmp_path, webhook_port) as port:
        address = f"http://127.0.0.1:{port}/api/v2/alerts"

        def post(alerts: list[dict[str, str]], ends_in: int) -> None:
            now = time.time()
            stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)) for moment in (now - 60, now + ends_in)]
            body = [{"labels": labels, "startsAt": stamp[0], "endsAt": stamp[1]} for labels in alerts]
            request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=60).close()

        def states() -> dict[str, str]:
            return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in get_json(address)}

        for source, target, inhibited in INHIBITIONS:
            post([source, target], ends_in=600)
            expected = {source["alertname"]: "active", target["alertname"]: "suppressed" if inhibited else "active"}
            wait_for(lambda expected=expected: states() == expected, f"{source} and {target} to be {expected}")  # type: ignore[misc]
            post([source, target], ends_in=-1)
            wait_for(lambda: not states(), "both to end")
