"""WeCom's group robot (企业微信群机器人). Core.

Source: developer.work.weixin.qq.com, "Group robot configuration". No signature: the key in the URL is the secret. 20
messages a minute; Markdown content of at most 4,096 bytes. Errors come as `errcode` under HTTP 200.
"""

import json
from datetime import timedelta
from typing import Final

from monitor.paging.channels.channel import DELIVERED, Answer, HttpRequest, Verdict, fitted, http_failure, subjects_of
from monitor.paging.channels.layout import blocks, links, safe
from monitor.paging.message import Message, MessageKind, Now, Severity
from monitor.paging.target import Target
from monitor.paging.wording import Wording, word

MAX_CONTENT_BYTES: Final = 4_096
_TOO_FAST: Final = frozenset({45009, 45033, 45047})
_BUSY: Final = frozenset({-1, 50001, 42009})
_CONTENT: Final = frozenset({40008, 40058, 44004, 45002, 45008, 301019})
"""Wrong type or parameter, empty, too long: of this message, not of the robot."""


class WeCom:
    """Markdown with a coloured title; mentions by user id."""

    per_minute = 18  # of 20
    per_second = 5

    def render(self, message: Message, target: Target, now: Now) -> HttpRequest:
        """The request. The limit is on the content, not on the request around it."""
        wording = word(message, target.language, target.page_url, now)
        who = target.mentioned(subjects_of(message))
        colour = _colour(message)
        content = fitted(lambda shown, cut: _content(wording, colour, who, shown, cut), len(wording.items), MAX_CONTENT_BYTES)
        body = {"msgtype": "markdown", "markdown": {"content": content.decode()}}
        return HttpRequest(
            target.url, json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json; charset=utf-8"}
        )

    def read_answer(self, status: int, body: bytes) -> Answer:
        """`errcode` 0 is delivered; 45009 is too fast and waits for the next minute."""
        return http_failure(status, body) or _read(body)


def _colour(message: Message) -> str:
    if message.kind is MessageKind.RECOVERED:
        return "info"
    return "warning" if message.severity is Severity.PAGE or message.kind is MessageKind.REMINDER else "comment"


def _content(wording: Wording, colour: str, who: list[str], shown: int, cut: int) -> bytes:
    parts = [f'### <font color="{colour}">{safe(wording.title)}</font>']
    parts += ["\n".join(f"> {line}" for line in block) for block in blocks(wording, shown, cut)]
    parts += [links(wording.links)] if wording.links else []
    parts += [" ".join(f"<@{one}>" for one in who)] if who else []
    return "\n".join(parts).encode()


def _read(body: bytes) -> Answer:
    try:
        said = json.loads(body)
        code, reason = int(said["errcode"]), f"errcode {said['errcode']}: {said.get('errmsg', '')}"
    except (ValueError, KeyError, TypeError):
        return Answer(Verdict.LATER, f"no WeCom answer: {body[:200].decode('utf-8', 'replace')}")
    if code == 0:
        return DELIVERED
    if code in _TOO_FAST:
        return Answer(Verdict.LATER, reason, timedelta(minutes=1))
    if code in _BUSY:
        return Answer(Verdict.LATER, reason)
    return Answer(Verdict.REFUSED if code in _CONTENT else Verdict.BROKEN, reason)
