"""What every channel offers: `render` makes the very bytes, `read_answer` says what became of them. Core.

The bytes depend on nothing but message, target and moment, so a dry run shows what would be sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import Final, Protocol

from monitor.paging.message import Message, Now
from monitor.paging.target import Secret, Subject, Target


@dataclass(frozen=True)
class HttpRequest:
    """A POST. Its URL holds the robot's key: it is a secret."""

    url: Secret
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MailRequest:
    """A mail, complete with its Message-ID."""

    mail: EmailMessage


Request = HttpRequest | MailRequest


class Verdict(StrEnum):
    """What became of a request, and hence what to do next."""

    DELIVERED = "delivered"
    LATER = "later"  # busy, too fast, out of reach: the same again after a while
    BROKEN = "broken"  # the target refuses whatever we send until a person mends it: tried on, slowly, and told elsewhere
    REFUSED = "refused"  # this message will never be taken: given up, and told


@dataclass(frozen=True)
class Answer:
    """A verdict with its reason in the target's own words; `wait` where the target says for how long.

    `doubtful`: it may have arrived all the same, so that whoever gets it again should know.
    """

    verdict: Verdict
    reason: str = ""
    wait: timedelta | None = None
    doubtful: bool = False


DELIVERED: Final = Answer(Verdict.DELIVERED)


class Channel(Protocol):
    """A kind of target. `per_minute` and `per_second` are the vendor's limits for one robot."""

    per_minute: int
    per_second: int

    def render(self, message: Message, target: Target, now: Now) -> Request:
        """The request, whole and signed, never larger than the target takes."""
        ...

    def read_answer(self, status: int, body: bytes) -> Answer:
        """What an HTTP status and body mean."""
        ...


def subjects_of(message: Message) -> list[Subject]:
    """What mentions look at: each incident of the message."""
    return [
        Subject(message.alertname, message.severity, message.scope, item.district, item.unit_kind, item.unit_id)
        for item in message.items
    ]


def fitted(build: Callable[[int, int], bytes], items: int, limit: int) -> bytes:
    """The largest `build(shown, cut)` of at most `limit` bytes: with as many items as fit and, if none does, a shorter text.

    `build` grows with `shown` (items) and shrinks with `cut` (characters left of each line).
    """
    whole = 10_000
    if len(built := build(items, whole)) <= limit:
        return built
    least, most = 0, items  # build(least) is not known to fit, build(most) does not
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if len(build(middle, whole)) <= limit else (least, middle)
    for cut in (whole, 500, 200, 80, 30, 10):
        if len(built := build(least, cut)) <= limit:
            return built
    return build(0, 10)


def cut_line(text: str, characters: int) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def http_failure(status: int, body: bytes) -> Answer | None:
    """What a status that is no success means for every HTTP target; None for 2xx."""
    if 200 <= status < 300:
        return None
    said = body[:200].decode("utf-8", "replace")
    if status in (408, 425, 429) or status >= 500:
        return Answer(Verdict.LATER, f"HTTP {status}: {said}")
    if status in (413, 422):
        return Answer(Verdict.REFUSED, f"HTTP {status}: {said}")
    return Answer(Verdict.BROKEN, f"HTTP {status}: {said}")
