"""Sending over real sockets to robots and a mail server that check as their vendors do."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from monitor.paging import transport
from monitor.paging.channels.all import CHANNELS
from monitor.paging.channels.channel import Answer, Verdict
from monitor.paging.message import Message, Now
from monitor.paging.target import Kind, Mention, Secret, Target
from monitor.paging.transport import ForbiddenAddress, checked_address, send
from schemas.clock import from_millis
from tests.services.certificates import Authority
from tests.services.mailbox import Mailbox
from tests.services.robots import DingTalkRobot, FeishuRobot, OwnWebhook, Robot, RobotServer, WeComRobot
from tests.unit.monitor.paging.messages import NOW, make_mail_target, make_message, make_target, make_units

CLOCK = NOW.wall.timestamp()


@pytest.fixture
def robots() -> Iterator[RobotServer]:
    found: dict[str, Robot] = {
        "/ding": DingTalkRobot(secret="SEC1", clock=lambda: CLOCK),
        "/wecom": WeComRobot(clock=lambda: CLOCK),
        "/feishu": FeishuRobot(secret="SEC2", clock=lambda: CLOCK),
        "/own": OwnWebhook(secret="SEC3", token="TOKEN", clock=lambda: CLOCK),
    }
    with RobotServer(found) as server:
        yield server


def target_of(robots: RobotServer, kind: Kind, **overrides: Any) -> Target:
    address = {
        Kind.DINGTALK: (robots.url("/ding", "access_token=a"), "SEC1"),
        Kind.WECOM: (robots.url("/wecom", "key=k"), ""),
        Kind.FEISHU: (robots.url("/feishu"), "SEC2"),
        Kind.WEBHOOK: (robots.url("/own"), "SEC3"),
    }[kind]
    values: dict[str, Any] = {
        "url": Secret(address[0]),
        "secret": Secret(address[1]),
        "token": Secret("TOKEN"),
        "allow_private": True,
    }
    return make_target(kind, **(values | overrides))


def deliver(target: Target, message: Message | None = None, now: Now = NOW) -> Answer:
    return send(CHANNELS[target.kind].render(message or make_message(), target, now), target)


PATHS = {Kind.DINGTALK: "/ding", Kind.WECOM: "/wecom", Kind.FEISHU: "/feishu", Kind.WEBHOOK: "/own"}


@pytest.mark.parametrize("kind", PATHS)
def test_a_robot_that_checks_everything_takes_small_and_large_messages(robots: RobotServer, kind: Kind) -> None:
    target = target_of(robots, kind, mentions=[Mention(["13800000000"])])
    for message in (make_message(), make_message(*make_units(72)), make_message(*make_units(5000))):
        assert deliver(target, message) == Answer(Verdict.DELIVERED)
    robot = robots.robots[PATHS[kind]]
    assert len(robot.taken) == 3
    assert "秦淮区" in robot.text(0)
    assert "72 家单位" in robot.text(1)


@pytest.mark.parametrize("kind", [Kind.DINGTALK, Kind.FEISHU, Kind.WEBHOOK])
def test_a_wrong_secret_is_for_a_person_to_mend(robots: RobotServer, kind: Kind) -> None:
    assert deliver(target_of(robots, kind, secret=Secret("wrong"))).verdict is Verdict.BROKEN
    assert robots.robots[PATHS[kind]].taken == []


@pytest.mark.parametrize("kind", [Kind.DINGTALK, Kind.FEISHU])
def test_a_signature_that_is_hours_old_is_refused(robots: RobotServer, kind: Kind) -> None:
    stale = Now(wall=from_millis(int((CLOCK - 7200) * 1000)))
    assert deliver(target_of(robots, kind), now=stale).verdict is Verdict.BROKEN


def test_too_many_messages_are_to_be_sent_later(robots: RobotServer) -> None:
    target = target_of(robots, Kind.WECOM)
    verdicts = [deliver(target).verdict for _ in range(21)]
    assert verdicts == [Verdict.DELIVERED] * 20 + [Verdict.LATER]


def test_a_robot_that_is_away_or_falters_is_tried_later(robots: RobotServer) -> None:
    target = target_of(robots, Kind.DINGTALK)
    robots.robots["/ding"].faults.append(502)
    assert deliver(target).verdict is Verdict.LATER
    robots.stop()
    assert deliver(target).verdict is Verdict.LATER
    robots.start()
    assert deliver(target).verdict is Verdict.DELIVERED


def answer_of(talk: Callable[[socket.socket], object]) -> Answer:
    """What is made of a robot that does this with the connection, and hangs up."""

    def take_one() -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=take_one)
        thread.start()
        url = Secret(f"http://127.0.0.1:{server.getsockname()[1]}/robot")
        answer = deliver(make_target(Kind.WECOM, url=url, allow_private=True))
        thread.join()
    return answer


def test_a_robot_that_hangs_up_without_an_answer_may_have_posted_the_message() -> None:
    answer = answer_of(lambda connection: connection.recv(1 << 16))
    assert (answer.verdict, answer.doubtful) == (Verdict.LATER, True)


def test_an_answer_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            time.sleep(0.05)

    monkeypatch.setattr(transport, "_WHOLE_ANSWER_SECONDS", 0.5)
    answer = answer_of(drip)
    assert (answer.verdict, answer.doubtful) == (Verdict.LATER, True)
    assert "does not end" in answer.reason


def test_a_private_address_is_reached_only_if_allowed(robots: RobotServer) -> None:
    answer = deliver(target_of(robots, Kind.DINGTALK, allow_private=False))
    assert answer.verdict is Verdict.BROKEN
    assert "127.0.0.1 is the private address 127.0.0.1: allow_private permits it" in answer.reason
    assert robots.robots["/ding"].taken == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
        "0.0.0.0",
        "100.64.0.1",
        "fd00::1",
    ],
)
def test_every_kind_of_private_address_is_known(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        checked_address(host, 443, allow_private=False)


def test_a_public_address_may_be_reached() -> None:
    assert checked_address("8.8.8.8", 443, allow_private=False) == "8.8.8.8"


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(ForbiddenAddress, match=r"10\.0\.0\.1"):
        checked_address("robot.example", 443, allow_private=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def mail_target(authority: Authority, port: int, **overrides: Any) -> Target:
    login = {"user": "hipwatch", "password": Secret("geheim"), "ca_file": str(authority.certificate)}
    return make_mail_target(port, **(login | overrides))


def test_a_mail_goes_over_starttls_with_a_login(authority: Authority) -> None:
    with Mailbox(authority.server()) as mailbox:
        assert deliver(mail_target(authority, mailbox.port), make_message(*make_units(72))) == Answer(Verdict.DELIVERED)
        (mail,) = mailbox.mails
    assert mail["Subject"] == "【告警】72 家单位 实时上传中断"
    assert mail.get_content().count("家很长名字的医院") == 72


def test_a_mail_goes_over_tls_from_the_first_byte(authority: Authority) -> None:
    with Mailbox(authority.server(), tls_at_once=True) as mailbox:
        assert deliver(mail_target(authority, mailbox.port, security="tls")) == Answer(Verdict.DELIVERED)
        assert len(mailbox.mails) == 1


@pytest.mark.parametrize("at_once", [False, True])
def test_a_mail_server_that_nobody_vouches_for_gets_no_password(authority: Authority, tmp_path: Path, at_once: bool) -> None:
    other = Authority(tmp_path / "other", "other authority")
    with Mailbox(other.server(), tls_at_once=at_once) as mailbox:
        answer = deliver(mail_target(authority, mailbox.port, security="tls" if at_once else "starttls"))
        assert (answer.verdict, mailbox.mails) == (Verdict.BROKEN, [])
        assert "CERTIFICATE_VERIFY_FAILED" in answer.reason


def test_a_certificate_of_another_host_is_refused(authority: Authority) -> None:
    with Mailbox(authority.server(host="DNS:elsewhere.example")) as mailbox:
        assert deliver(mail_target(authority, mailbox.port)).verdict is Verdict.BROKEN


@pytest.mark.parametrize(("said", "verdict"), [("450 later", Verdict.LATER), ("554 never", Verdict.REFUSED)])
def test_a_mail_server_says_whether_to_come_again(authority: Authority, said: str, verdict: Verdict) -> None:
    with Mailbox(authority.server()) as mailbox:
        mailbox.refuse.append(said)
        assert deliver(mail_target(authority, mailbox.port)).verdict is verdict


def test_a_wrong_password_is_for_a_person_to_mend(authority: Authority) -> None:
    with Mailbox(authority.server()) as mailbox:
        assert deliver(mail_target(authority, mailbox.port, password=Secret("wrong"))).verdict is Verdict.BROKEN
