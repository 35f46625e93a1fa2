"""A webhook of one's own: the message as JSON, for whatever the house has (a duty system, SMS, an ITSM). Core.

The body is signed as GitHub does it, so that common receivers can check it: `X-Hipwatch-Signature-256: sha256=HEX`, the
HMAC-SHA256 of the body keyed by the secret. `Idempotency-Key` stays the same when a message is sent again.
"""

import hashlib
import hmac
import json
from typing import Any, Final

from monitor.paging.channels.channel import DELIVERED, Answer, HttpRequest, fitted, http_failure, subjects_of
from monitor.paging.message import Message, Now
from monitor.paging.target import Target
from monitor.paging.wording import word

MAX_BYTES: Final = 1 << 20
"""No standard names one; common receivers refuse more than a megabyte."""


class Webhook:
    """Any 2xx is delivered."""

    per_minute = 60
    per_second = 5

    def render(self, message: Message, target: Target, now: Now) -> HttpRequest:
        """The request: the words for people and the facts for programs."""
        wording = word(message, target.language, target.page_url, now)
        content: dict[str, Any] = {
            "version": 1,
            "number": message.number,
            "target": target.name,
            "kind": message.kind.value,
            "alertname": message.alertname,
            "severity": message.severity.value,
            "scope": message.scope,
            "feed": message.feed,
            "title": wording.title,
            "text": "\n".join((*wording.facts, *wording.items, *wording.tail)),
            "links": [{"text": link.text, "url": link.url} for link in wording.links],
            "mentions": target.mentioned(subjects_of(message)),
            "repeated": message.repeated,
            "created_at": message.created_at.isoformat(),
            "total": len(message.items) + message.beyond,
        }
        items = [item.model_dump(mode="json", exclude_defaults=True) for item in message.items]
        body = fitted(
            lambda shown, _: json.dumps(content | {"items": items[:shown]}, ensure_ascii=False).encode(), len(items), MAX_BYTES
        )
        return HttpRequest(target.url, body, _headers(message, target, body))

    def read_answer(self, status: int, body: bytes) -> Answer:
        """Any 2xx is delivered."""
        return http_failure(status, body) or DELIVERED


def _headers(message: Message, target: Target, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": f"hipwatch-{target.name}-{message.number}"}
    if target.secret:
        headers["X-Hipwatch-Signature-256"] = f"sha256={hmac.new(target.secret.encode(), body, hashlib.sha256).hexdigest()}"
    if target.token:
        headers["Authorization"] = f"Bearer {target.token}"
    return headers
