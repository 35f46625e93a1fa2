"""Two `serve` on one ledger, four robots and a mail server, all of them restarted at random: nothing lost, nothing twice."""

import itertools
import json
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.factories import make_alert, make_delivery
from tests.integration.stack import Home, Started, end, fetch, free_port, home_in, wait_until
from tests.services.certificates import Authority
from tests.services.mailbox import Mailbox
from tests.services.robots import OwnWebhook, RobotServer
from tests.services.told import Channel, channels_of, standing, target, targets, told_twice, vendors

TOKEN: Final = "a-token-of-the-test"
NAMES: Final = {
    "qinhuai": "秦淮区",
    "gulou": "鼓楼区",
    "xuanwu": "玄武区",
    "jianye": "建邺区",
    "qixia": "栖霞区",
    "yuhuatai": "雨花台区",
}
UNITS: Final = tuple(NAMES)
PACE: Final = "[pace]\nsettle_seconds = 0.5\nat_most_seconds = 3\napart_seconds = 0\nflaps_per_hour = 100\n"


@dataclass
class Play:
    """The processes and the robots."""

    home: Home
    robots: RobotServer
    channels: list[Channel]
    targets: Path
    ports: tuple[int, int]
    serves: dict[int, Started] = field(default_factory=dict)

    def start(self, index: int) -> None:
        settings: dict[str, str | None] = {
            "HIPWATCH_DATABASE": self.home.database,
            "HIPWATCH_PORT": str(self.ports[index]),
            "HIPWATCH_WEBHOOK_TOKEN": TOKEN,
            "HIPWATCH_TARGETS": str(self.targets),
            "SMTP_PASSWORD": "geheim",
        }
        self.serves[index] = self.home.start("serve", settings=settings)

    def wait(self, index: int) -> None:
        healthy = f"http://127.0.0.1:{self.ports[index]}/healthz"
        wait_until(lambda: fetch(healthy)[0] == 200, f"serve {index} answers")

    def deliver(self, *alerts: dict[str, Any]) -> None:
        """As Alertmanager does it: until somebody takes it."""
        body = json.dumps(make_delivery(*alerts)).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        hooks = itertools.cycle(f"http://127.0.0.1:{port}/webhooks/alertmanager" for port in self.ports)
        wait_until(lambda: fetch(next(hooks), body=body, headers=headers)[0] == 200, "somebody takes the delivery")


def alert(unit: str, status: str = "firing") -> dict[str, Any]:
    return make_alert(fingerprint=unit, status=status, labels={"unit_id": unit, "scope": "unit", "feed": "realtime"})


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    robots = vendors() | {"/own": OwnWebhook(secret="SEC3", token="TOK")}
    authority = Authority(tmp_path / "authority")
    with ExitStack() as stack:
        home = stack.enter_context(home_in(tmp_path / "home"))
        server = stack.enter_context(RobotServer(robots))
        mailbox = stack.enter_context(Mailbox(authority.server()))
        path = tmp_path / "targets.toml"
        own = target("webhook", server.url("/own"), "SEC3", "TOK")
        path.write_text("\n".join((PACE, own, targets(server, mailbox, authority.certificate))), encoding="utf-8")
        path.chmod(0o600)
        play = Play(home, server, channels_of(robots, mailbox), path, (free_port(), free_port()))
        stack.callback(lambda: [end(started) for started in play.serves.values()])
        for index in (0, 1):
            play.start(index)
            play.wait(index)
        yield play


def test_a_storm_and_its_end_are_one_message_each_at_every_target(play: Play) -> None:
    play.deliver(*(alert(unit) for unit in UNITS))
    wait_until(lambda: all(len(channel.read()) == 1 for channel in play.channels), "everybody knows")
    play.deliver(*(alert(unit, "resolved") for unit in UNITS))
    wait_until(lambda: all(len(channel.read()) == 2 for channel in play.channels), "everybody knows that it is over")
    for channel in play.channels:
        first, second = channel.read()
        assert "6 家单位 实时上传中断" in first.title
        assert "6 家单位 实时上传已恢复" in second.title


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_and_nothing_comes_twice_while_all_are_restarted(play: Play, seed: int) -> None:
    dice = random.Random(seed)
    silent: set[str] = set()
    for turn in range(12):
        unit = dice.choice(UNITS)
        status = "resolved" if unit in silent else "firing"
        silent ^= {unit}
        play.deliver(alert(unit, status))
        match dice.randrange(5):
            case 0:
                play.robots.stop()
            case 1:
                index = dice.randrange(2)
                play.serves[index].signal(signal.SIGKILL if turn % 2 else signal.SIGTERM)
                play.serves[index].wait()
                play.start(index)
            case 2 if not play.robots.runs:
                play.robots.start()
        time.sleep(dice.random() * 2)
    if not play.robots.runs:
        play.robots.start()
    for index in (0, 1):
        play.wait(index)
    wait_until(lambda: all(_knows(channel, silent) for channel in play.channels), "every target knows how everybody stands")
    for robot in play.robots.robots.values():
        assert robot.refused == []
    for channel in play.channels:
        assert told_twice(channel.read(), NAMES) == [], channel.name


def _knows(channel: Channel, silent: set[str]) -> bool:
    last = standing(channel.read(), NAMES)
    return all(last.get(unit, False) is (unit in silent) for unit in UNITS)
