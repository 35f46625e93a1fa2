r"""Feishu's custom group robot (飞书自定义机器人). Core.

Source: open.feishu.cn, "Custom bot user guide". Signature: seconds, HMAC-SHA256 of the empty message keyed by
`timestamp\nsecret`, base64, both in the body. 100 messages a minute and 5 a second; 20 KB a request. Errors come as
`code` (or the older `StatusCode`) under HTTP 200.
"""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any, Final

from monitor.paging.channels.channel import DELIVERED, Answer, HttpRequest, Verdict, fitted, http_failure, subjects_of
from monitor.paging.channels.layout import blocks, links, safe
from monitor.paging.message import Message, MessageKind, Now, Severity
from monitor.paging.target import Secret, Target
from monitor.paging.wording import Wording, word

MAX_BYTES: Final = 20_000
_TOO_FAST: Final = frozenset({11232, 11233, 99991400})
_CONTENT: Final = frozenset({9499, 11246, 11247, 19002, 230025, 230028})
"""Malformed or too long, or not allowed to be said: of this message, not of the robot. (19001 token, 19021 signature, 19022
address and 19024 key words are the robot's own settings.)"""


class Feishu:
    """A card with a coloured title; mentions by open id, user id or `all`."""

    per_minute = 90  # of 100
    per_second = 4  # of 5

    def render(self, message: Message, target: Target, now: Now) -> HttpRequest:
        """The request, signed in its body if the target has a secret."""
        wording = word(message, target.language, target.page_url, now)
        who = target.mentioned(subjects_of(message))
        proof = signature(target.secret, now)
        colour = _colour(message)
        body = fitted(lambda shown, cut: _body(wording, colour, who, proof, shown, cut), len(wording.items), MAX_BYTES)
        return HttpRequest(target.url, body, {"Content-Type": "application/json; charset=utf-8"})

    def read_answer(self, status: int, body: bytes) -> Answer:
        """`code` 0 is delivered. Too fast comes as HTTP 429 or as a code."""
        return _read(body) if status == 400 else http_failure(status, body) or _read(body)


def signature(secret: Secret, now: Now) -> dict[str, str]:
    """`timestamp` (seconds) and `sign` for the body; nothing without a secret."""
    if not secret:
        return {}
    timestamp = str(int(now.wall.timestamp()))
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def _colour(message: Message) -> str:
    if message.kind is MessageKind.RECOVERED:
        return "green"
    return "red" if message.severity is Severity.PAGE or message.kind is MessageKind.REMINDER else "blue"


def _body(wording: Wording, colour: str, who: list[str], proof: dict[str, str], shown: int, cut: int) -> bytes:
    parts = ["\n".join(block) for block in blocks(wording, shown, cut)]
    parts += [links(wording.links)] if wording.links else []
    parts += ["".join(f"<at id={one}></at>" for one in who)] if who else []
    card: dict[str, Any] = {
        "config": {"wide_screen_mode": True},
        "header": {"template": colour, "title": {"tag": "plain_text", "content": safe(wording.title)}},
        "elements": [{"tag": "markdown", "content": part} for part in parts]
        or [{"tag": "markdown", "content": safe(wording.title)}],
    }
    return json.dumps({**proof, "msg_type": "interactive", "card": card}, ensure_ascii=False).encode()


def _read(body: bytes) -> Answer:
    try:
        said = json.loads(body)
        code = int(said["code"] if "code" in said else said["StatusCode"])
        reason = f"code {code}: {said.get('msg') or said.get('StatusMessage') or ''}"
    except (ValueError, KeyError, TypeError):
        return Answer(Verdict.LATER, f"no Feishu answer: {body[:200].decode('utf-8', 'replace')}")
    if code == 0:
        return DELIVERED
    if code in _TOO_FAST or "too many request" in reason.lower():  # 9499 says so, too, and is then no fault of the message
        return Answer(Verdict.LATER, reason, timedelta(minutes=1))
    return Answer(Verdict.REFUSED if code in _CONTENT else Verdict.BROKEN, reason)
