r"""DingTalk's custom group robot (自定义机器人). Core.

Source: open.dingtalk.com, "Custom robot access" and "Robot security settings". Signature: milliseconds, HMAC-SHA256 of
`timestamp\nsecret` keyed by the secret, base64, URL-encoded parameters. 20 messages a minute, or it is shut for ten
minutes; 20,000 bytes a request. Errors come as `errcode` under HTTP 200.
"""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from monitor.paging.channels.channel import DELIVERED, Answer, HttpRequest, Verdict, fitted, http_failure, subjects_of
from monitor.paging.channels.layout import blocks, links, safe
from monitor.paging.message import Message, Now
from monitor.paging.target import Secret, Target
from monitor.paging.wording import Wording, word
from schemas.clock import to_millis

MAX_BYTES: Final = 20_000
_SHUT_FOR: Final = timedelta(minutes=10)
_TOO_FAST: Final = frozenset({130101, 130102, 410100, 660026, 90018, 90030})
_BUSY: Final = frozenset({-1, 71006, 90002, 90005, 90006})
_CONTENT: Final = frozenset({430101, 430102, 430103, 430104, 40035, 460101, 400105, 33000})
"""Unsafe link, unfit text or picture, malformed or too long: of this message, not of the robot."""


class DingTalk:
    """Markdown with a heading; mentions by telephone number."""

    per_minute = 18  # of 20: a test message by hand must not shut the robot
    per_second = 5

    def render(self, message: Message, target: Target, now: Now) -> HttpRequest:
        """The request, signed if the target has a secret."""
        wording = word(message, target.language, target.page_url, now)
        who = target.mentioned(subjects_of(message))
        body = fitted(lambda shown, cut: _body(wording, who, shown, cut), len(wording.items), MAX_BYTES)
        return HttpRequest(signed(target.url, target.secret, now), body, {"Content-Type": "application/json; charset=utf-8"})

    def read_answer(self, status: int, body: bytes) -> Answer:
        """`errcode` 0 is delivered; too fast waits for the ten minutes that the robot is shut."""
        return http_failure(status, body) or _read(body)


def signed(url: Secret, secret: Secret, now: Now) -> Secret:
    """The URL with `timestamp` (milliseconds) and `sign`; unchanged without a secret."""
    if not secret:
        return url
    timestamp = str(to_millis(now.wall))
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    parameters = urlencode({"timestamp": timestamp, "sign": base64.b64encode(digest).decode()})
    return Secret(f"{url}{'&' if '?' in url else '?'}{parameters}")


def _body(wording: Wording, who: list[str], shown: int, cut: int) -> bytes:
    everybody = "all" in who
    mobiles = [one for one in who if one.lstrip("+").replace("-", "").isdigit()]
    users = [one for one in who if one != "all" and one not in mobiles]
    parts = [f"#### {safe(wording.title)}", *("\n".join(f"- {line}" for line in block) for block in blocks(wording, shown, cut))]
    parts += [links(wording.links)] if wording.links else []
    parts += (
        [" ".join(f"@{one}" for one in (*mobiles, *users))] if mobiles or users else []
    )  # a mention has to stand in the text too
    content = {
        "msgtype": "markdown",
        "markdown": {"title": safe(wording.title), "text": "\n\n".join(parts)},
        "at": {"atMobiles": mobiles, "atUserIds": users, "isAtAll": everybody},
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _read(body: bytes) -> Answer:
    try:
        said = json.loads(body)
        code, reason = int(said["errcode"]), f"errcode {said['errcode']}: {said.get('errmsg', '')}"
    except (ValueError, KeyError, TypeError):
        return Answer(Verdict.LATER, f"no DingTalk answer: {body[:200].decode('utf-8', 'replace')}")
    if code == 0:
        return DELIVERED
    if code in _TOO_FAST:
        return Answer(Verdict.LATER, reason, _SHUT_FOR)
    if code in _BUSY:
        return Answer(Verdict.LATER, reason)
    return Answer(Verdict.REFUSED if code in _CONTENT else Verdict.BROKEN, reason)
