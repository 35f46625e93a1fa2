"""A target: where messages go, which of them, when, and in what form. Core values; `targets_file` reads them.

An address or a secret is a `Secret`: it never shows in a log line, an error or a repr.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from monitor.paging.message import Severity
from monitor.paging.wording import Language
from schemas.clock import SHANGHAI


class Kind(StrEnum):
    """What a target is."""

    DINGTALK = "dingtalk"
    WECOM = "wecom"
    FEISHU = "feishu"
    WEBHOOK = "webhook"
    MAIL = "mail"


class Secret(str):
    """A text that shows itself to nobody who prints it by mistake."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


NO_SECRET: Final = Secret()


@dataclass(frozen=True)
class Subject:
    """What routes and mentions look at: the facts of one incident."""

    alertname: str
    severity: Severity
    scope: str = ""
    district: str | None = None
    unit_kind: str | None = None
    unit_id: str | None = None


@dataclass(frozen=True)
class Match:
    """Holds when each list that is not empty has the subject's value."""

    severity: Sequence[str] = ()
    scope: Sequence[str] = ()
    district: Sequence[str] = ()
    unit_kind: Sequence[str] = ()
    unit: Sequence[str] = ()
    alert: Sequence[str] = ()

    def holds(self, subject: Subject) -> bool:
        pairs = (
            (self.severity, subject.severity.value),
            (self.scope, subject.scope),
            (self.district, subject.district),
            (self.unit_kind, subject.unit_kind),
            (self.unit, subject.unit_id),
            (self.alert, subject.alertname),
        )
        return all(not wanted or value in wanted for wanted, value in pairs)


PAGES_ONLY: Final = (Match(severity=(Severity.PAGE,)),)
"""What a target of the targets file takes that names no route: a phone rings for pages, tickets stand in the daily summary."""


@dataclass(frozen=True)
class Mention:
    """Who is called by name (telephone numbers, user ids or `all`, as the robot wants them) when `match` holds."""

    who: Sequence[str]
    match: Match = field(default_factory=Match)


@dataclass(frozen=True)
class QuietHours:
    """Local hours in which only pages are sent; `start` may be later than `end`: then they go through midnight."""

    start: time
    end: time

    def holds(self, now: datetime) -> bool:
        """Whether `now` (aware) lies within: from `start` up to, not including, `end`."""
        local = now.astimezone(SHANGHAI).time()
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True)
class Mail:
    """How a mail target sends. `security`: `tls` from the first byte, `starttls`, or `none` (only to a private address)."""

    host: str
    port: int
    sender: str
    to: Sequence[str]
    security: str = "starttls"
    user: str = ""
    password: Secret = NO_SECRET
    ca_file: str = ""


@dataclass(frozen=True)
class Pace:
    """How changes are gathered into messages.

    `settle`: a message waits until nothing joined its group for this long, `at_most` at the longest. `apart`: after a
    message, the next one of the same group waits this long. `remind`: pages that nobody has acknowledged are named again
    after this long; None never. Who changes more than `flaps` times within an hour is told of once in `flap_hold`.
    """

    settle: timedelta = timedelta(seconds=10)
    at_most: timedelta = timedelta(minutes=3)
    apart: timedelta = timedelta(minutes=2)
    remind: timedelta | None = timedelta(hours=4)
    flaps: int = 4
    flap_hold: timedelta = timedelta(minutes=30)


@dataclass(frozen=True)
class Target:
    """One robot, webhook or mailbox. `name` names it for good: the ledger remembers by it what was told."""

    name: str
    kind: Kind
    url: Secret = NO_SECRET
    secret: Secret = NO_SECRET
    token: Secret = NO_SECRET
    mail: Mail | None = None
    language: Language = Language.ZH
    routes: Sequence[Match] = ()
    mentions: Sequence[Mention] = ()
    quiet: QuietHours | None = None
    pace: Pace = field(default_factory=Pace)
    recoveries: bool = True
    summary_at: time | None = None
    per_minute: int | None = None
    allow_private: bool = False
    proxy: str = ""
    ca_file: str = ""
    page_url: str = ""

    def takes(self, subject: Subject) -> bool:
        """Whether an incident is told here: without routes every one is."""
        return not self.routes or any(route.holds(subject) for route in self.routes)

    def mentioned(self, subjects: Sequence[Subject]) -> list[str]:
        """Who is called by name for these incidents, each once, in the file's order."""
        found = [who for mention in self.mentions if any(map(mention.match.holds, subjects)) for who in mention.who]
        return list(dict.fromkeys(found))
