"""Messages and targets for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.paging.message import Item, Message, MessageKind, Now, Severity
from monitor.paging.target import Kind, Mail, Secret, Target

NOON = datetime(2024, 9, 10, 4, 0, tzinfo=UTC)  # 12:00 in Beijing
NOW = Now(wall=NOON + timedelta(hours=2, minutes=15), platform=NOON + timedelta(hours=2, minutes=15))
PAGE_URL = "https://hipwatch.example.cn"


def make_item(number: int = 1, **overrides: Any) -> Item:
    values: dict[str, Any] = {
        "incident_id": number,
        "unit_id": "qinhuai",
        "name_zh": "秦淮区",
        "name_en": "Qinhuai District",
        "district": "qinhuai",
        "unit_kind": "district",
        "feed": "realtime",
        "since": NOON,
        "platform_time": True,
        "last_upload": NOON - timedelta(hours=2),
    }
    return Item(**(values | overrides))


def make_units(count: int, name: str = "第{}家很长名字的医院") -> tuple[Item, ...]:
    return tuple(make_item(number, unit_id=f"unit-{number}", name_zh=name.format(number)) for number in range(1, count + 1))


def make_message(*items: Item, **overrides: Any) -> Message:
    values: dict[str, Any] = {
        "kind": MessageKind.OPENED,
        "alertname": "UnitFeedSilent",
        "severity": Severity.PAGE,
        "scope": "unit",
        "feed": "realtime",
        "items": items or (make_item(),),
        "number": 7,
        "created_at": NOW.wall,
    }
    return Message(**(values | overrides))


def make_target(kind: Kind = Kind.DINGTALK, **overrides: Any) -> Target:
    values: dict[str, Any] = {
        "name": "duty",
        "kind": kind,
        "url": Secret("https://robot.example/send?access_token=abc"),
        "page_url": PAGE_URL,
    }
    return Target(**(values | overrides))


def make_mail_target(port: int, **overrides: Any) -> Target:
    """A target at a mail server on this machine."""
    values: dict[str, Any] = {
        "host": "localhost",
        "port": port,
        "sender": "hipwatch@example.cn",
        "to": ("duty@example.cn", "it@example.cn"),
    }
    return make_target(Kind.MAIL, url=Secret(), mail=Mail(**(values | overrides)), allow_private=True)
