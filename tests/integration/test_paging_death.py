"""Prometheus dies and comes back, on real programs: nobody is told a recovery that was none, and its death is told."""

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import yaml
from sqlalchemy import Engine

from hipwatch.local.processes import Processes
from hipwatch.local.prometheus import find_paging, start_paging
from monitor.counting.batch import Position
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from monitor.ledger.incidents import list_incidents
from monitor.ledger.tables.paging import Incident
from schemas.events import UnitId
from schemas.register import load_register
from tests.conftest import prepare
from tests.factories import NOON, make_batch, make_forms
from tests.integration.stack import Started, end, fetch, free_port, home_in, wait_until
from tests.services.robots import DingTalkRobot, RobotServer

TOKEN: Final = "a-token-of-the-test"
NOW: Final = NOON + timedelta(hours=4)
"""The platform's four o'clock in the afternoon: who was last heard of at noon has been silent since three."""
TARGETS: Final = """
[pace]
settle_seconds = 0.5
apart_seconds = 0
[[target]]
name = "duty"
kind = "dingtalk"
allow_private = true
url = "{url}"
secret = "SEC"
"""


@dataclass
class Play:
    engine: Engine
    ledger: Ledger
    robot: DingTalkRobot
    log: Callable[[], str]
    processes: Processes

    def count(self, unit: str, at_hour: int, offset: int) -> None:
        moment = NOON + timedelta(hours=at_hour)
        event = make_forms(unit_id=UnitId(unit), event_id=f"{unit}-{offset}", sequence=offset + 1, event_time=moment)
        assert self.ledger.append(make_batch(event, first=offset, received_at=NOW)).moved

    def go_on(self) -> None:
        offsets = self.ledger.next_offsets().items()
        self.ledger.raise_complete_until([Position(topic_id, number, at) for (topic_id, number), at in offsets], NOW)

    def incident(self, alertname: str = "UnitFeedSilent") -> Incident | None:
        found = [incident for incident in list_incidents(self.engine) if incident.alertname == alertname]
        assert len(found) <= 1, "it is one incident, whatever dies"
        return found[0] if found else None

    def told(self, title: str) -> int:
        return sum(str(post.content["markdown"]["title"]).startswith(title) for post in self.robot.taken)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    programs = find_paging()
    if programs is None:
        pytest.fail("Prometheus and Alertmanager are not installed")
    robot = DingTalkRobot(secret="SEC")
    with ExitStack() as stack:
        home = stack.enter_context(home_in(tmp_path / "home"))
        server = stack.enter_context(RobotServer({"/ding": robot}))
        engine = open_database(home.database, create=True)
        stack.callback(engine.dispose)
        processes = stack.enter_context(Processes(tmp_path / "logs"))
        started: list[Started] = []
        ledger = prepare(Ledger(engine, load_register().units))
        play = Play(engine, ledger, robot, lambda: started[0].err, processes)
        for offset, (unit, hour) in enumerate((("qinhuai", 0), ("gulou", 4), ("xuanwu", 4), ("jianye", 4))):
            play.count(unit, hour, offset)
        play.go_on()
        targets, token, port = tmp_path / "targets.toml", tmp_path / "token", free_port()
        targets.write_text(TARGETS.format(url=server.url("/ding", "access_token=a")))
        targets.chmod(0o600)
        token.write_text(TOKEN)
        options = ("--database", home.database, "--port", str(port), "--webhook-token-file", str(token), "--refresh", "0.3")
        rhythms = tmp_path / "rhythms.toml"
        rhythms.write_text("[units.qinhuai]\nrealtime_quiet = 3\n")
        also = ("--targets", targets, "--rhythms", rhythms, "--watchdog-after", "8")
        serve = home.start("serve", *options, *also)
        stack.callback(end, serve)
        started.append(serve)
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200, "serve answers")
        paging = start_paging(processes, programs, tmp_path / "paging", port, token, len(load_register().units))
        _hurry(tmp_path / "paging" / "alertmanager.yml", paging.alertmanager)
        yield play


def _hurry(config: Path, alertmanager: str) -> None:
    """The Watchdog repeats every second or two, so that its absence shows within seconds."""
    routes = yaml.safe_load(config.read_text())
    routes["route"]["routes"][0] |= {"group_interval": "1s", "repeat_interval": "1s"}
    config.write_text(yaml.safe_dump(routes))
    with urllib.request.urlopen(urllib.request.Request(f"{alertmanager}-/reload", method="POST"), timeout=60) as answer:
        assert answer.status == 200


def _prometheus(play: Play) -> tuple[list[str], int]:
    child = next(child for child in reversed(play.processes._children) if child.name == "prometheus")
    return list(child.command), child.process.pid


def test_a_dead_prometheus_recovers_nobody_and_is_itself_told(play: Play) -> None:
    wait_until(lambda: play.told("【告警】秦淮区 实时上传中断") == 1, "the unit's silence is told")
    assert "自 9月10日 15:00 起，已 1 小时" in play.robot.text()
    command, pid = _prometheus(play)
    next(child for child in play.processes._children if child.process.pid == pid).process.kill()
    wait_until(lambda: play.told("【告警】告警链路中断") == 1, "its death is told by our own outbox")
    incident = play.incident()
    assert incident is not None
    assert (incident.closed_at, play.told("【恢复】")) == (None, 0)

    play.processes.start("prometheus", command)
    wait_until(lambda: play.told("【恢复】告警链路已恢复") == 1, "the Watchdog is back")
    wait_until(lambda: not _resolved(play), "the alert fires again")
    incident = play.incident()
    assert incident is not None
    assert (incident.closed_at, incident.change) == (None, 1), "nothing ended, nothing is doubled"

    play.count("qinhuai", 4, 4)
    play.go_on()
    wait_until(lambda: play.told("【恢复】秦淮区 实时上传已恢复") == 1, "the true recovery is told")
    incident = play.incident()
    assert incident is not None
    assert (incident.closed_by, incident.began_at, incident.ended_at) == ("ledger", NOON + timedelta(hours=3), NOW)
    assert "9月10日 15:00 至 9月10日 16:00，历时 1 小时" in play.robot.text()
    assert play.told("【告警】秦淮区") == 1
    assert play.robot.refused == []
    assert "access_token" not in play.log(), "a robot's URL is its key"


def _resolved(play: Play) -> bool:
    incident = play.incident()
    return incident is not None and incident.resolved_at is not None
