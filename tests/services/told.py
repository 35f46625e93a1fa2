"""What the targets were told, and whether anything was lost or came twice.

A message tells of the units whose names stand in it: that they fell silent, or that they are back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.services.mailbox import Mailbox
from tests.services.robots import DingTalkRobot, FeishuRobot, Robot, RobotServer, WeComRobot

RECOVERY: Final = "【恢复】"
_PERHAPS_TWICE: Final = "可能重复"
"""A message that says so may be a repetition: the process that sent it first was killed before it could note that."""


@dataclass(frozen=True)
class Told:
    """A message as a person reads it; `at` is the moment on the monotonic clock."""

    at: float
    text: str

    @property
    def title(self) -> str:
        """Its first line."""
        return self.text.splitlines()[0].lstrip("# ")


@dataclass(frozen=True)
class Channel:
    """A target: what a person has read there so far, oldest first."""

    name: str
    read: Callable[[], list[Told]]

    def of(self, title: str) -> list[Told]:
        """The messages whose title has these words."""
        return [told for told in self.read() if title in told.title]


def channels_of(robots: Mapping[str, Robot], mailbox: Mailbox) -> list[Channel]:
    """What is read at each robot, named by its path, and in the mailbox."""
    return [
        *(Channel(path.strip("/"), partial(_posts, robot)) for path, robot in robots.items()),
        Channel("mail", partial(_mails, mailbox)),
    ]


def target(kind: str, url: str, secret: str = "", token: str = "") -> str:
    """The entry of a robot in a targets file; it is named after its kind."""
    secrets = f"url = '{url}'\nsecret = '{secret}'\ntoken = '{token}'\n"
    return f"[[target]]\nname = '{kind}'\nkind = '{kind}'\nallow_private = true\n{secrets}"


def targets(server: RobotServer, mailbox: Mailbox, ca_file: Path) -> str:
    """A targets file of the three vendors' robots and a mailbox, whose password is in SMTP_PASSWORD; without routes."""
    smtp = f"host = 'localhost'\nport = {mailbox.port}\nsender = 'hipwatch@example.cn'\nto = ['duty@example.cn']\n"
    smtp += f"user = 'hipwatch'\npassword_env = 'SMTP_PASSWORD'\nca_file = '{ca_file}'\n"
    entries = [
        target("dingtalk", server.url("/dingtalk", "access_token=a"), "SEC1"),
        target("wecom", server.url("/wecom", "key=k")),
        target("feishu", server.url("/feishu"), "SEC2"),
        f"[[target]]\nname = 'mail'\nkind = 'mail'\nallow_private = true\n[target.smtp]\n{smtp}",
    ]
    return "\n".join(entries)


def vendors() -> dict[str, Robot]:
    """The three vendors' robots by their paths, with the secrets that `targets` has."""
    return {"/dingtalk": DingTalkRobot(secret="SEC1"), "/wecom": WeComRobot(), "/feishu": FeishuRobot(secret="SEC2")}


def standing(messages: Iterable[Told], names: Mapping[str, str]) -> dict[str, bool]:
    """Who of `names` (by unit id) was last said to be silent; nobody was told of a unit that is missing."""
    last: dict[str, bool] = {}
    for told in messages:
        last |= {unit: RECOVERY not in told.title for unit, name in names.items() if name in told.text}
    return last


def told_twice(messages: Iterable[Told], names: Mapping[str, str]) -> list[str]:
    """The units of which two messages in a row say that they fell silent, as often as that is so."""
    found: list[str] = []
    last: dict[str, bool] = {}
    for told in messages:
        if _PERHAPS_TWICE in told.text:
            continue
        is_open = RECOVERY not in told.title
        for unit, name in names.items():
            if name in told.text:
                if is_open and last.get(unit):
                    found.append(unit)
                last[unit] = is_open
    return found


def _posts(robot: Robot) -> list[Told]:
    return [Told(post.at, robot.text(index)) for index, post in enumerate(list(robot.taken))]


def _mails(mailbox: Mailbox) -> list[Told]:
    mails = zip(mailbox.taken_at, mailbox.mails, strict=False)  # one may be coming in
    return [Told(at, f"{mail['Subject']}\n{mail.get_content()}") for at, mail in mails]
