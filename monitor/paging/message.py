"""What is to be told, as values: one message for a group of incidents, whoever gets it and in whatever form. Core.

A message is kept in the outbox as JSON. It holds moments, never spans: how long something has lasted is said when it is
sent, so a message that waited tells the present state of its silence.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class MessageKind(StrEnum):
    """What a message is about."""

    OPENED = "opened"
    RECOVERED = "recovered"
    REMINDER = "reminder"  # pages that nobody has acknowledged
    SUMMARY = "summary"  # the day in one message
    TEST = "test"


class Severity(StrEnum):
    """How urgent: a page wakes somebody, a ticket waits for the morning. Other values of an alert count as tickets."""

    PAGE = "page"
    TICKET = "ticket"


class Item(BaseModel):
    """One incident within a message.

    `since` is the true start (the deadline that passed), `until` the true end (the recovery), both in platform time if
    `platform_time` says so, else in wall time. `owed_*` says what has to be sent again, `contact` a role and a number.
    """

    model_config = ConfigDict(frozen=True)

    incident_id: int | None = None
    unit_id: str | None = None
    name_zh: str = ""
    name_en: str = ""
    district: str | None = None
    unit_kind: str | None = None
    feed: str | None = None
    since: datetime
    until: datetime | None = None
    platform_time: bool = False
    last_upload: datetime | None = None
    owed_zh: str = ""
    owed_en: str = ""
    contact: str = ""
    reopened: int = 0
    closed_by: str = ""
    summary_zh: str = ""
    summary_en: str = ""


class Message(BaseModel):
    """One message. `items` are the incidents of a group, longest first; `lines_*` is free text of a summary or a test."""

    model_config = ConfigDict(frozen=True)

    kind: MessageKind
    alertname: str = ""
    severity: Severity = Severity.TICKET
    scope: str = ""
    feed: str | None = None
    items: tuple[Item, ...] = ()
    beyond: int = 0  # incidents of the group that are not among `items`: a storm need not fill the outbox
    title_zh: str = ""
    title_en: str = ""
    lines_zh: tuple[str, ...] = ()
    lines_en: tuple[str, ...] = ()
    number: int = 0  # its number in the outbox: who gets it twice can tell
    created_at: datetime
    repeated: bool = False  # it may have arrived before: we were stopped while it was sent


@dataclass(frozen=True)
class Now:
    """The moment of sending: by the wall, and by the platform clock (None before the first event)."""

    wall: datetime
    platform: datetime | None = None

    def age(self, item: Item) -> timedelta:
        """How long an item has lasted, or did last; by the clock that it is dated by."""
        end = item.until or (self.platform if item.platform_time else self.wall) or item.since
        return max(end - item.since, timedelta(0))
