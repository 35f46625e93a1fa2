"""The web process and what it shows: page, metrics, health, webhook, and the incidents that came in."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from socket import create_connection
from typing import Any

import pytest

from tests.factories import make_alert, make_delivery
from tests.integration.ledgers import counters
from tests.integration.months import NEW, write_month
from tests.integration.stack import Home, ask, fetch, free_port, home_in, program, running, wait_until

TOKEN = "a-token-of-the-test"


class Site:
    """A running `hipwatch serve` over a ledger that has counted `events` of a month."""

    def __init__(self, home: Home, address: str, events: int, settings: dict[str, str | None]) -> None:
        self.home = home
        self.address = address
        self.events = events
        self.settings = settings

    def deliver(self, *alerts: dict[str, Any], token: str = TOKEN) -> int:
        body = json.dumps(make_delivery(*alerts)).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return fetch(f"{self.address}/webhooks/alertmanager", body=body, headers=headers)[0]

    def incidents(self, *options: str) -> str:
        ended = ask(self.home, "incidents", *options, settings=self.settings)
        assert ended.code == 0, ended.told
        return ended.out


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Every setting comes from the environment."""
    with home_in(tmp_path_factory.mktemp("site")) as home:
        month = write_month(home.folder / "month", 9, NEW, units=4)
        replay = home.run("replay", month.folder, "--period", "2023-02", "--verify", "--database", home.database)
        assert replay.code == 0, replay.told
        token_file = home.folder / "token"
        token_file.write_text(TOKEN + "\n", encoding="ascii")
        port = free_port()
        settings: dict[str, str | None] = {
            "HIPWATCH_DATABASE": home.database,
            "HIPWATCH_PORT": str(port),
            "HIPWATCH_WEBHOOK_TOKEN_FILE": str(token_file),
            "HIPWATCH_REFRESH": "0.2",
        }
        with running(home, "serve", settings=settings) as process:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: fetch(f"{address}/healthz")[0] == 200 or not process.runs, "the site answers")
            yield Site(home, address, counters(home.ledger).accepted, settings)


def test_the_page_shows_every_unit_and_the_counts(site: Site) -> None:
    status, page = fetch(f"{site.address}/")
    assert status == 200
    for name in ("秦淮区", "Qinhuai District", "泰康仙林鼓楼医院", "东部战区总医院秦淮医疗区"):
        assert name in page
    assert f"<b>{site.events}</b>" in page
    assert "no Watchdog alert has ever arrived" in page


def test_the_metrics_pass_promtool_and_name_every_unit(site: Site) -> None:
    promtool = program("promtool")
    status, text = fetch(f"{site.address}/metrics")
    assert status == 200
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert sum(line.startswith("hip_unit_info{") for line in text.splitlines()) == 52


def test_health_turns_bad_with_the_ledger_and_good_again(site: Site) -> None:
    assert json.loads(fetch(f"{site.address}/healthz")[1]) == {"status": "ok"}
    with closing(sqlite3.connect(site.home.ledger, timeout=30)) as connection:
        connection.execute("ALTER TABLE feed_state RENAME TO hidden")
        wait_until(lambda: fetch(f"{site.address}/healthz")[0] == 503, "the ledger is found unreadable")
        status, page = fetch(f"{site.address}/")
        connection.execute("ALTER TABLE hidden RENAME TO feed_state")
    assert status == 200
    assert "the ledger cannot be read" in page
    assert "秦淮区" in page, "what was read before still stands"
    wait_until(lambda: fetch(f"{site.address}/healthz")[0] == 200, "the ledger is read again")


def test_the_webhook_wants_its_token_and_records_what_the_command_then_lists(site: Site) -> None:
    alert = make_alert(labels={"alertname": "UnitFeedSilent", "unit_id": "qinhuai", "feed": "realtime"})
    assert site.incidents() == "no incident\n"
    assert site.deliver(alert, token="guessed") == 401
    assert json.loads(site.incidents("--json")) == []

    assert site.deliver(alert) == 200
    assert site.deliver(alert) == 200
    (incident,) = json.loads(site.incidents("--json"))
    assert (incident["alertname"], incident["unit_id"], incident["feed"]) == ("UnitFeedSilent", "qinhuai", "realtime")
    assert (incident["deliveries"], incident["closed_at"]) == (2, None)
    wait_until(lambda: fetch(f"{site.address}/")[1].count("UnitFeedSilent") == 1, "the page shows the latest reading")

    assert site.deliver(alert | {"status": "resolved"}) == 200
    assert site.incidents("--open") == "no open incident\n"
    (incident,) = json.loads(site.incidents("--json"))
    assert incident["closed_at"] is not None


def test_a_list_of_incidents_is_never_cut_nor_broken(site: Site) -> None:
    summary = "秦淮区实时上传中断：" + "很长的说明" * 60
    labels = {"alertname": "UnitFeedSilent" * 5, "unit_id": "eastern-theater-qinhuai-branch", "feed": "realtime"}
    assert site.deliver(make_alert(labels=labels, annotations={"summary_zh": summary}, fingerprint="long")) == 200
    heading, *lines = site.incidents().splitlines()
    assert heading.split() == [
        "number",
        "opened",
        "closed",
        "platform",
        "time",
        "alert",
        "unit",
        "feed",
        "state",
        "deliveries",
        "summary",
    ]
    (line,) = [line for line in lines if summary in line]
    assert all(word in line for word in labels.values())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_site_ends_in_order_when_told_though_a_client_holds_on(home: Home, number: signal.Signals) -> None:
    port = free_port()
    with running(home, "serve", "--port", str(port)) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200, "the site answers")
        with closing(create_connection(("127.0.0.1", port))) as lingering:
            lingering.sendall(b"GET / HTTP/1.1\r\n")
            process.signal(number)
            ended = process.wait()
    assert "Traceback" not in ended.err, ended.told
    assert ended.code in (0, -number, 128 + number), ended.told
