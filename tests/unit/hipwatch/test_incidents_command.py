"""`hipwatch incidents …` and `hipwatch notify …`, over the command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hipwatch.cli.incidents import span_of
from hipwatch.cli.main import app
from monitor.ledger.database import open_database
from monitor.paging.receive import record
from monitor.paging.webhook_message import WebhookMessage
from schemas.errors import HipwatchError
from tests.factories import make_alert, make_delivery
from tests.services.robots import DingTalkRobot, RobotServer

FORGED = "x\x1b[2J\n99  2026-01-01 00:00:00  closed\u202e"


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    engine = open_database(url, create=True)
    alerts = make_alert(), make_alert(fingerprint="b", labels={"unit_id": "qinhuai"}, annotations={"summary_zh": FORGED})
    record(engine, WebhookMessage.model_validate(make_delivery(*alerts)))
    engine.dispose()
    return url


def run(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, HipwatchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_an_incident_is_taken_care_of_from_the_command_line(database: str) -> None:
    at = ("--database", database)
    assert run("incidents", "ack", "1", "--by", "wang", "--note", "rings them up", *at) == ["incident 1: acknowledged"]
    run("incidents", "note", "1", "their firewall", "--by", "wang", *at)
    run("incidents", "mute", "1", "--for", "4h", "--by", "li", *at)
    assert "acknowledged by wang" in run("incidents", "list", *at)[1]
    run("incidents", "close", "1", "--by", "li", *at)
    life = [" ".join(line.split()[2:]) for line in run("incidents", "show", "1", *at)[-5:]]
    assert life == [
        "opened alertmanager",
        "acknowledged wang rings them up",
        "noted wang their firewall",
        "muted li",
        "closed li",
    ]
    assert [one["id"] for one in json.loads("\n".join(run("incidents", "--open", "--json", *at)))] == [2]
    with pytest.raises(HipwatchError, match="the incident 1 is over already"):
        run("incidents", "ack", "1", "--by", "li", *at)
    with pytest.raises(HipwatchError, match="the incident 7 does not exist"):
        run("incidents", "close", "7", "--by", "li", *at)


def test_the_plain_command_lists_as_before(database: str) -> None:
    lines = run("incidents", "--database", database)
    assert (len(lines), lines[1].split()[-1]) == (3, "鼓楼区中断")
    assert len(run("incidents", "--open", "--database", database)) == 3


@pytest.mark.parametrize("command", [["incidents"], ["incidents", "show", "2"]])
def test_text_of_others_forges_no_line_and_moves_no_cursor(database: str, command: list[str]) -> None:
    lines = run(*command, "--database", database)
    assert not any(character in "".join(lines) for character in "\x1b\u202e")
    assert not any(line.startswith("99") for line in lines)
    assert any("\\x1b[2J" in line and "\\u202e" in line for line in lines)


@pytest.mark.parametrize("text", ["", "4", "h", "4y", "0h", "-4h", "100d", "4 h", "999999999999h"])
def test_a_time_to_mute_is_bounded(text: str) -> None:
    with pytest.raises(HipwatchError, match="write 30m, 4h or 2d"):
        span_of(text)


@pytest.fixture
def robots() -> Iterator[RobotServer]:
    with RobotServer({"/robot/send": DingTalkRobot(secret="SEC000")}) as server:
        yield server


@pytest.fixture
def targets(tmp_path: Path, robots: RobotServer) -> Path:
    path = tmp_path / "targets.toml"
    url = robots.url("/robot/send", "access_token=KEY000")
    path.write_text(f"[[target]]\nname='duty'\nkind='dingtalk'\nallow_private=true\nurl='{url}'\nsecret='SEC000'\n")
    path.chmod(0o600)
    return path


def test_a_targets_file_is_checked_without_sending_or_telling_secrets(targets: Path, robots: RobotServer) -> None:
    line, nobody = run("notify", "check", str(targets))
    assert line.startswith("ok  duty: dingtalk, 127.0.0.1:")
    assert ", pages, 18 a minute" in line
    assert nobody.startswith("nobody is told of tickets")
    assert "000" not in line.replace(str(robots.port), "")
    assert robots.robots["/robot/send"].taken == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("summary_at='08:30'\n", "pages, a summary at 08:30"),
        ("[[target.route]]\nseverity=['page', 'ticket']\n", "1 routes"),
        ("[[target.route]]\nscope=['unit']\n", "1 routes"),
    ],
)
def test_whoever_hears_of_tickets_one_by_one_or_in_the_summary_is_enough(targets: Path, more: str, said: str) -> None:
    targets.write_text(targets.read_text() + more)
    (line,) = run("notify", "check", str(targets))
    assert f", {said}, " in line


@pytest.mark.parametrize("like", ["test", "alert", "storm", "recovery"])
def test_a_test_message_arrives_and_says_that_it_is_one(targets: Path, robots: RobotServer, like: str) -> None:
    assert run("notify", "test", "duty", "--targets", str(targets), "--like", like) == ["duty: delivered"]
    assert "测试" in robots.robots["/robot/send"].text()


def test_a_dry_run_shows_the_very_bytes_without_the_secrets_and_sends_nothing(targets: Path, robots: RobotServer) -> None:
    lines = run("notify", "test", "duty", "--targets", str(targets), "--dry-run")
    assert lines[0] == f"POST http://127.0.0.1:{robots.port}/robot/***?***"
    assert json.loads(lines[-1])["msgtype"] == "markdown"
    assert "KEY000" not in "".join(lines)
    whole = run("notify", "test", "duty", "--targets", str(targets), "--dry-run", "--show-secrets")[0]
    assert "access_token=KEY000&timestamp=" in whole
    assert robots.robots["/robot/send"].taken == []


def test_a_test_message_that_is_not_taken_is_an_error(targets: Path) -> None:
    targets.write_text(targets.read_text().replace("SEC000", "wrong"))
    result = CliRunner().invoke(app, ["notify", "test", "duty", "--targets", str(targets)])
    assert (result.exit_code, result.output) == (1, "duty: broken (errcode 310000: refused)\n")


def test_a_target_that_is_not_in_the_file_is_named_with_those_that_are(targets: Path) -> None:
    with pytest.raises(HipwatchError, match="has no target 'mail'; it has duty"):
        run("notify", "test", "mail", "--targets", str(targets))
