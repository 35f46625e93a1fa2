"""Two `serve` on one ledger, four robots and a mail server, all of them restarted at random: nothing lost, nothing twice."""

import itertools
import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.factories import make_alert, make_delivery
from tests.integration.stack import Home, Started, end, fetch, free_port, home_in, wait_until
from tests.services.certificates import Authority
from tests.services.mailbox import Mailbox
from tests.services.robots import DingTalkRobot, FeishuRobot, OwnWebhook, Robot, RobotServer, WeComRobot

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
class Channel:
    """What a person reads at one target, oldest first."""

    name: str
    read: Callable[[], list[str]]


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
    robots: dict[str, Robot] = {
        "/ding": DingTalkRobot(secret="SEC1"),
        "/wecom": WeComRobot(),
        "/feishu": FeishuRobot(secret="SEC2"),
        "/own": OwnWebhook(secret="SEC3", token="TOK"),
    }
    authority = Authority(tmp_path / "authority")
    with ExitStack() as stack:
        home = stack.enter_context(home_in(tmp_path / "home"))
        server = stack.enter_context(RobotServer(robots))
        mailbox = stack.enter_context(Mailbox(authority.server()))
        channels = [Channel(path, partial(_texts, robot)) for path, robot in robots.items()]
        channels.append(Channel("mail", lambda: [f"{mail['Subject']}\n{mail.get_content()}" for mail in mailbox.mails]))
        ports = free_port(), free_port()
        play = Play(home, server, channels, _targets(tmp_path, server, mailbox, authority), ports)
        stack.callback(lambda: [end(started) for started in play.serves.values()])
        for index in (0, 1):
            play.start(index)
            play.wait(index)
        yield play


def _texts(robot: Robot) -> list[str]:
    return [robot.text(index) for index in range(len(robot.taken))]


def _targets(folder: Path, server: RobotServer, mailbox: Mailbox, authority: Authority) -> Path:
    path = folder / "targets.toml"
    robots = [
        ("dingtalk", server.url("/ding", "access_token=a"), "SEC1", ""),
        ("wecom", server.url("/wecom", "key=k"), "", ""),
        ("feishu", server.url("/feishu"), "SEC2", ""),
        ("webhook", server.url("/own"), "SEC3", "TOK"),
    ]
    entries = [
        f"[[target]]\nname = '{kind}'\nkind = '{kind}'\nallow_private = true\n"
        f"url = '{url}'\nsecret = '{secret}'\ntoken = '{token}'\n"
        for kind, url, secret, token in robots
    ]
    smtp = f"host = 'localhost'\nport = {mailbox.port}\nsender = 'hipwatch@example.cn'\nto = ['duty@example.cn']\n"
    smtp += f"user = 'hipwatch'\npassword_env = 'SMTP_PASSWORD'\nca_file = '{authority.certificate}'\n"
    entries.append(f"[[target]]\nname = 'mail'\nkind = 'mail'\nallow_private = true\n[target.smtp]\n{smtp}")
    path.write_text(PACE + "\n".join(entries), encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_storm_and_its_end_are_one_message_each_at_every_target(play: Play) -> None:
    play.deliver(*(alert(unit) for unit in UNITS))
    wait_until(lambda: all(len(channel.read()) == 1 for channel in play.channels), "everybody knows")
    play.deliver(*(alert(unit, "resolved") for unit in UNITS))
    wait_until(lambda: all(len(channel.read()) == 2 for channel in play.channels), "everybody knows that it is over")
    for channel in play.channels:
        first, second = channel.read()
        assert "6 家单位 实时上传中断" in first
        assert "6 家单位 实时上传已恢复" in second


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
        _assert_told_in_turns(channel)


def _knows(channel: Channel, silent: set[str]) -> bool:
    last: dict[str, bool] = {}
    for text in channel.read():
        last |= {unit: "恢复】" not in text for unit, name in NAMES.items() if name in text}
    return all(last.get(unit, False) is (unit in silent) for unit in UNITS)


def _assert_told_in_turns(channel: Channel) -> None:
    """Nobody is told twice in a row that a unit fell silent: that would be the same message twice."""
    last: dict[str, bool] = {}
    for text in channel.read():
        is_open = "恢复】" not in text
        for name in NAMES.values():
            if name in text and "可能重复" not in text:
                assert not (is_open and last.get(name)), f"{channel.name}: {name} twice"
                last[name] = is_open
