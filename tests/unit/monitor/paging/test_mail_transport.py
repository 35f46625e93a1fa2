"""What a mail server's answers mean: no mail is lost by what is not its fault, and none is sent again that was taken."""

from typing import Any

import pytest

from monitor.paging import mail_transport
from monitor.paging.channels.all import CHANNELS
from monitor.paging.channels.channel import Answer, Verdict
from monitor.paging.target import Kind, Secret, Target
from monitor.paging.transport import send
from tests.services.scripted_mail import ScriptedMail
from tests.unit.monitor.paging.messages import NOW, make_mail_target, make_message


def mail_target(port: int, **overrides: Any) -> Target:
    return make_mail_target(port, **({"security": "none"} | overrides))


def deliver(target: Target) -> Answer:
    return send(CHANNELS[Kind.MAIL].render(make_message(), target, NOW), target)


@pytest.mark.parametrize(
    ("answers", "verdict", "taken"),
    [
        ({}, Verdict.DELIVERED, 1),
        ({"QUIT": "421 closing"}, Verdict.DELIVERED, 1),
        ({"QUIT": "500 what"}, Verdict.DELIVERED, 1),
        ({"": "421 too busy"}, Verdict.LATER, 0),
        ({"": "554 no mail from there"}, Verdict.BROKEN, 0),
        ({"EHLO": "421 too busy", "HELO": "421 too busy"}, Verdict.LATER, 0),
        ({"EHLO": "554 no", "HELO": "554 no"}, Verdict.BROKEN, 0),
        ({"MAIL": "451 greylisted"}, Verdict.LATER, 0),
        ({"MAIL": "550 not yours"}, Verdict.BROKEN, 0),
        ({"RCPT": "450 greylisted"}, Verdict.LATER, 0),
        ({"RCPT": "550 nobody"}, Verdict.BROKEN, 0),
        ({"RCPT it@example.cn": "450 greylisted"}, Verdict.DELIVERED, 1),
        ({"RCPT it@example.cn": "550 nobody"}, Verdict.DELIVERED, 1),
        ({"DATA": "451 later"}, Verdict.LATER, 0),
        ({"DATA": "554 no"}, Verdict.BROKEN, 0),
        ({".": "452 disk full"}, Verdict.LATER, 0),
        ({".": "554 this mail never"}, Verdict.REFUSED, 0),
    ],
)
def test_each_answer_of_a_mail_server_has_its_meaning(answers: dict[str, str], verdict: Verdict, taken: int) -> None:
    with ScriptedMail(answers) as server:
        assert deliver(mail_target(server.port)).verdict is verdict
        assert server.taken == taken


def test_a_recipient_who_is_refused_is_named_though_the_others_have_the_mail() -> None:
    with ScriptedMail({"RCPT it@example.cn": "550 nobody"}) as server:
        assert deliver(mail_target(server.port)) == Answer(Verdict.DELIVERED, "recipients refused: it@example.cn")


def test_a_server_may_look_at_a_mail_for_longer_than_at_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_transport, "STEP_SECONDS", 0.3)
    with ScriptedMail(waits={".": 1.0}) as server:
        assert deliver(mail_target(server.port)) == Answer(Verdict.DELIVERED)
    with ScriptedMail(waits={"RCPT": 1.0}) as server:
        answer = deliver(mail_target(server.port))
        assert (answer.verdict, answer.doubtful, server.taken) == (Verdict.LATER, False, 0)


def test_a_mail_whose_end_is_not_answered_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_transport, "WHOLE_SECONDS", 0.5)
    with ScriptedMail(waits={".": 3.0}) as server:
        answer = deliver(mail_target(server.port))
        assert (answer.verdict, answer.doubtful) == (Verdict.LATER, True)


def test_a_server_that_takes_its_time_with_each_recipient_is_left_before_the_mail_is_anothers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail_transport, "WHOLE_SECONDS", 0.5)
    with ScriptedMail(waits={"RCPT": 0.2}) as server:
        answer = deliver(mail_target(server.port, to=tuple(f"duty{number}@example.cn" for number in range(20))))
        assert (answer.verdict, answer.doubtful, server.taken) == (Verdict.LATER, False, 0)


@pytest.mark.parametrize("overrides", [{"user": "hipwatch", "password": Secret("密")}, {"host": "a..b"}, {"host": "x" * 70}])
def test_what_cannot_be_sent_at_all_is_for_a_person_to_mend_and_quotes_no_secret(overrides: dict[str, Any]) -> None:
    with ScriptedMail({"EHLO": "250-here\r\n250 AUTH PLAIN"}) as server:
        answer = deliver(mail_target(server.port, **overrides))
        assert answer.verdict is Verdict.BROKEN
        assert "密" not in answer.reason
        assert "\\u" not in answer.reason
