"""The bytes for each robot: signature, size, mentions, and what its answers mean."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.paging.channels.all import CHANNELS
from monitor.paging.channels.channel import Answer, HttpRequest, MailRequest, Verdict
from monitor.paging.channels.dingtalk import signed
from monitor.paging.channels.feishu import signature
from monitor.paging.message import Message, MessageKind, Now
from monitor.paging.target import Kind, Mail, Match, Mention, Secret, Target
from monitor.paging.wording import Language
from tests.unit.monitor.paging.messages import NOW, make_item, make_message, make_target, make_units

ROBOTS = (Kind.DINGTALK, Kind.WECOM, Kind.FEISHU)


def rendered(kind: Kind, message: Message | None = None, target: Target | None = None, now: Now = NOW) -> HttpRequest:
    request = CHANNELS[kind].render(message or make_message(), target or make_target(kind), now)
    assert isinstance(request, HttpRequest)
    return request


def text_of(kind: Kind, request: HttpRequest) -> str:
    content: Any = json.loads(request.body)
    if kind is Kind.DINGTALK:
        return str(content["markdown"]["text"])
    if kind is Kind.WECOM:
        return str(content["markdown"]["content"])
    return "\n".join(element["content"] for element in content["card"]["elements"])


def size_of(kind: Kind, request: HttpRequest) -> int:
    return len(text_of(kind, request).encode()) if kind is Kind.WECOM else len(request.body)


EXPECTED_DINGTALK = "DjsvbF%2Bq4IuonHXNpOnT8yfJe45LfclEgEhD9HAlUqk%3D"
EXPECTED_FEISHU = "Cs5ubXD6vN/43LsFXQKmoYjrU8JllJxNQc755YkJIEQ="
LIMITS = {Kind.DINGTALK: 20_000, Kind.WECOM: 4_096, Kind.FEISHU: 20_000}


def test_dingtalk_signs_milliseconds_and_secret_in_the_url() -> None:
    # computed with openssl: printf '1725948900000\nSEC000' | openssl dgst -sha256 -hmac SEC000 -binary | base64
    now = Now(wall=NOW.wall)
    url = signed(Secret("https://x/send?access_token=a"), Secret("SEC000"), now)
    assert url.startswith("https://x/send?access_token=a&timestamp=1725948900000&sign=")
    assert url.endswith(EXPECTED_DINGTALK)


def test_feishu_signs_the_empty_message_with_seconds_and_secret_in_the_body() -> None:
    # printf '' | openssl dgst -sha256 -binary -mac HMAC -macopt hexkey:KEY | base64, KEY being timestamp\nsecret in hexadecimal
    assert signature(Secret("SEC000"), NOW) == {"timestamp": "1725948900", "sign": EXPECTED_FEISHU}


def test_without_a_secret_nothing_is_signed() -> None:
    assert rendered(Kind.DINGTALK).url == "https://robot.example/send?access_token=abc"
    assert set(json.loads(rendered(Kind.FEISHU).body)) == {"msg_type", "card"}


@pytest.mark.parametrize("kind", ROBOTS)
@pytest.mark.parametrize("count", [1, 2, 72, 1000])
def test_a_message_is_never_larger_than_the_robot_takes_and_says_what_it_leaves_out(kind: Kind, count: int) -> None:
    request = rendered(kind, make_message(*make_units(count)))
    assert size_of(kind, request) <= LIMITS[kind]
    text = text_of(kind, request)
    shown = text.count("家很长名字的医院")
    if count == 1:
        return
    assert shown == count or f"…等 {count - shown} 家" in text
    assert shown > 10 or shown == count


@pytest.mark.parametrize("kind", ROBOTS)
def test_as_many_units_are_shown_as_fit(kind: Kind) -> None:
    request = rendered(kind, make_message(*make_units(1000)))
    assert size_of(kind, request) > LIMITS[kind] - 400, "one more line would not have fitted"


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_single_endless_summary_is_cut_between_characters(kind: Kind) -> None:
    item = make_item(unit_id=None, name_zh="", summary_zh="汉" * 30_000)
    request = rendered(kind, make_message(item, alertname="Unknown"))
    assert size_of(kind, request) <= LIMITS[kind]
    assert "�" not in request.body.decode()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    "name", ["医" * 2_000, "🏥" * 2_000, "👨‍👩‍👧‍👦" * 300, '"\\' * 2_000], ids=["Chinese", "emoji", "joined", "escaped"]
)
@pytest.mark.parametrize("kind", ROBOTS)
def test_an_endless_name_does_not_make_a_message_too_large(kind: Kind, name: str, language: Language) -> None:
    target = make_target(kind, language=language)
    for count in (1, 2, 80):
        items = [make_item(unit_id=f"unit-{number}", name_zh=name, name_en=name, contact=name) for number in range(count)]
        request = rendered(kind, make_message(*items), target)
        assert size_of(kind, request) <= LIMITS[kind]
        assert "�" not in request.body.decode()


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_name_cannot_call_everybody_or_lead_astray(kind: Kind) -> None:
    item = make_item(name_zh="<at id=all></at><@all>[here](http://evil)")
    text = rendered(kind, make_message(item)).body.decode()
    assert "<at id=all>" not in text.replace("plain_text", "").split('"elements"')[-1]
    assert "<@all>" not in text.split('"elements"')[-1]
    assert "](http://evil)" not in text.split('"elements"')[-1]


@pytest.mark.parametrize(
    ("kind", "who", "expected"),
    [
        (Kind.DINGTALK, ["13800000000", "user1", "all"], {"atMobiles": ["13800000000"], "atUserIds": ["user1"], "isAtAll": True}),
        (Kind.WECOM, ["zhang"], "<@zhang>"),
        (Kind.FEISHU, ["ou_1", "all"], "<at id=ou_1></at><at id=all></at>"),
    ],
)
def test_mentions_are_made_as_the_vendor_wants_them(kind: Kind, who: list[str], expected: Any) -> None:
    request = rendered(kind, target=make_target(kind, mentions=[Mention(who)]))
    if kind is Kind.DINGTALK:
        content = json.loads(request.body)
        assert content["at"] == expected
        assert "@13800000000 @user1" in content["markdown"]["text"]
    else:
        assert expected in text_of(kind, request)


def test_only_those_are_mentioned_whose_district_or_severity_it_is() -> None:
    mentions = [Mention(["1"], Match(district=("qinhuai",))), Mention(["2"], Match(district=("gulou",))), Mention(["3"])]
    request = rendered(Kind.DINGTALK, target=make_target(mentions=mentions))
    assert json.loads(request.body)["at"]["atMobiles"] == ["1", "3"]


@pytest.mark.parametrize(
    ("kind", "body", "verdict"),
    [
        (Kind.DINGTALK, {"errcode": 0, "errmsg": "ok"}, Verdict.DELIVERED),
        (Kind.DINGTALK, {"errcode": 130101, "errmsg": "send too fast"}, Verdict.LATER),
        (Kind.DINGTALK, {"errcode": -1, "errmsg": "system busy"}, Verdict.LATER),
        (Kind.DINGTALK, {"errcode": 310000, "errmsg": "sign not match"}, Verdict.BROKEN),
        (Kind.DINGTALK, {"errcode": 300001, "errmsg": "token is not exist"}, Verdict.BROKEN),
        (Kind.DINGTALK, {"errcode": 430102, "errmsg": "unfit text"}, Verdict.REFUSED),
        (Kind.DINGTALK, {"something": "else"}, Verdict.LATER),
        (Kind.WECOM, {"errcode": 0, "errmsg": "ok"}, Verdict.DELIVERED),
        (Kind.WECOM, {"errcode": 45009, "errmsg": "api freq out of limit"}, Verdict.LATER),
        (Kind.WECOM, {"errcode": 93000, "errmsg": "invalid webhook url"}, Verdict.BROKEN),
        (Kind.WECOM, {"errcode": 40058, "errmsg": "exceed max length 4096"}, Verdict.REFUSED),
        (Kind.FEISHU, {"code": 0, "msg": "success"}, Verdict.DELIVERED),
        (Kind.FEISHU, {"StatusCode": 0, "StatusMessage": "success"}, Verdict.DELIVERED),
        (Kind.FEISHU, {"code": 11232, "msg": "frequency limited"}, Verdict.LATER),
        (Kind.FEISHU, {"code": 19021, "msg": "sign match fail"}, Verdict.BROKEN),
        (Kind.FEISHU, {"code": 9499, "msg": "Bad Request"}, Verdict.REFUSED),
        (Kind.FEISHU, {"code": 9499, "msg": "too many request"}, Verdict.LATER),
        (Kind.FEISHU, {"code": 19024, "msg": "Key Words Not Found"}, Verdict.BROKEN),
        (Kind.DINGTALK, {"errcode": 310000, "errmsg": "keywords not in content"}, Verdict.BROKEN),
        (Kind.WEBHOOK, {}, Verdict.DELIVERED),
    ],
    ids=str,
)
def test_errors_under_http_200_are_understood(kind: Kind, body: dict[str, Any], verdict: Verdict) -> None:
    assert CHANNELS[kind].read_answer(200, json.dumps(body).encode()).verdict is verdict


@pytest.mark.parametrize("kind", [*ROBOTS, Kind.WEBHOOK])
@pytest.mark.parametrize(
    ("status", "verdict"),
    [(500, Verdict.LATER), (429, Verdict.LATER), (302, Verdict.BROKEN), (404, Verdict.BROKEN), (413, Verdict.REFUSED)],
)
def test_a_status_that_is_no_success_never_counts_as_delivered(kind: Kind, status: int, verdict: Verdict) -> None:
    assert CHANNELS[kind].read_answer(status, b"<html>").verdict is verdict


def test_too_fast_at_dingtalk_waits_for_the_ten_minutes_that_it_is_shut() -> None:
    answer = CHANNELS[Kind.DINGTALK].read_answer(200, b'{"errcode": 130101, "errmsg": "too fast"}')
    assert answer == Answer(Verdict.LATER, "errcode 130101: too fast", timedelta(minutes=10))


def test_a_webhook_carries_facts_for_programs_and_the_same_key_when_sent_again() -> None:
    target = make_target(Kind.WEBHOOK, secret=Secret("s"), token=Secret("t"))
    first, again = (rendered(Kind.WEBHOOK, make_message(repeated=again), target) for again in (False, True))
    content = json.loads(first.body)
    assert (content["kind"], content["total"], content["items"][0]["unit_id"]) == ("opened", 1, "qinhuai")
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"] == "hipwatch-duty-7"
    assert first.headers["Authorization"] == "Bearer t"


def test_a_mail_is_plain_text_with_a_message_id_that_stays() -> None:
    mail = Mail("mail.example.cn", 587, "hipwatch@example.cn", ("duty@example.cn",))
    target = make_target(Kind.MAIL, mail=mail)
    requests = [CHANNELS[Kind.MAIL].render(make_message(*make_units(72), repeated=again), target, NOW) for again in (False, True)]
    first, again = (request.mail for request in requests if isinstance(request, MailRequest))
    assert first["Subject"] == "【告警】72 家单位 实时上传中断"
    assert first["Message-ID"] == again["Message-ID"]
    assert first.get_content().count("家很长名字的医院") == 72
    assert first["Auto-Submitted"] == "auto-generated"


def test_a_recovery_is_not_marked_as_urgent() -> None:
    mail = Mail("mail.example.cn", 587, "hipwatch@example.cn", ("duty@example.cn",))
    request = CHANNELS[Kind.MAIL].render(
        replace_kind(make_message(make_item(until=NOW.wall))), make_target(Kind.MAIL, mail=mail), NOW
    )
    assert isinstance(request, MailRequest)
    assert request.mail["Importance"] is None


def replace_kind(message: Message) -> Message:
    return message.model_copy(update={"kind": MessageKind.RECOVERED})


def test_a_secret_shows_in_no_repr() -> None:
    target = make_target(secret=Secret("SEC000"))
    request = rendered(Kind.DINGTALK, target=target)
    assert "SEC000" not in repr(target)
    assert "access_token" not in repr(target) + repr(request) + repr(replace(target, name="b"))
