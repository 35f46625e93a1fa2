"""A message in words: title, facts, one line for each incident, what to say, whom to call, links. Core.

Chinese first, then English where both are wanted. Nothing here knows of robots: `Wording` is plain text in parts, and each
channel lays it out by its own rules and limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from monitor.paging.alert_texts import alert_text
from monitor.paging.message import Item, Message, MessageKind, Now, Severity
from monitor.paging.phrases import CHINESE, ENGLISH, Phrases
from schemas.visible import one_line

_LATE: Final = timedelta(minutes=10)
"""Older messages say that they are: the channel was away, and the reader should know."""
_TITLE_CHARACTERS: Final = 100
"""A unit's name in a title, and a summary that stands for one, are cut here: no channel can shorten a title.
The summary is repeated whole among the facts."""


class Language(StrEnum):
    """The language of a target."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


_PHRASES: Final = {Language.ZH: (CHINESE,), Language.EN: (ENGLISH,), Language.BOTH: (CHINESE, ENGLISH)}


@dataclass(frozen=True)
class Link:
    """A word and where it leads."""

    text: str
    url: str


@dataclass(frozen=True)
class Wording:
    """`items` may be shown in part, and there may be `beyond` of them: `more(left)` says how many are not shown."""

    title: str
    facts: tuple[str, ...]
    items: tuple[str, ...]
    beyond: int
    more: Callable[[int], str]
    tail: tuple[str, ...]
    links: tuple[Link, ...]


def word(message: Message, language: Language, page_url: str, now: Now) -> Wording:
    """Everything that is to be said. `page_url` is the absolute address of hipwatch's page, or empty: then there are no links."""
    speakers = [_Speaker(message, now, phrases) for phrases in _PHRASES[language]]
    return Wording(
        title=" / ".join(speaker.title() for speaker in speakers),
        facts=tuple(line for speaker in speakers for line in speaker.facts()),
        items=tuple(" / ".join(speaker.row(item) for speaker in speakers) for item in message.items) if _lists(message) else (),
        beyond=message.beyond,
        more=lambda left: " / ".join(speaker.more(left) for speaker in speakers),
        tail=tuple(line for speaker in speakers for line in speaker.tail()),
        links=_links(message, page_url.rstrip("/"), _PHRASES[language][0]),
    )


class _Speaker:
    """Says one message in one language."""

    def __init__(self, message: Message, now: Now, phrases: Phrases) -> None:
        self._message = message
        self._now = now
        self._say = phrases
        self._text = alert_text(message.alertname)
        self._over = message.kind is MessageKind.RECOVERED

    def title(self) -> str:
        message, say = self._message, self._say
        if given := self._of(message, "title"):
            return one_line(given)
        if message.kind is MessageKind.REMINDER:
            return say.reminder.format(count=len(message.items) + message.beyond)
        mark = say.recovered_mark if self._over else say.page_mark if message.severity is Severity.PAGE else say.ticket_mark
        whom = self._whom()
        return mark.format(whom=f"{whom} " if whom else "", what=self._what())

    def facts(self) -> list[str]:
        message, say, wall = self._message, self._say, self._now.wall
        lines = list(message.lines_zh if say.key == "zh" else message.lines_en)
        if _lists(message):
            lines.append(say.listed_recovered if self._over else say.listed)
        elif message.items:
            lines += self._facts_of(message.items[0])
        if wall - message.created_at > _LATE:
            lines.append(say.late.format(moment=say.moment(message.created_at, wall), age=say.span(wall - message.created_at)))
        if message.repeated:
            lines.append(say.repeated.format(number=message.number))
        return lines

    def row(self, item: Item) -> str:
        say = self._say
        name = self._of(item, "name") or item.unit_id or self._of(item, "summary") or self._message.alertname
        told = (item.feed or "") if self._message.kind is MessageKind.REMINDER else ""
        return say.row.format(
            name=one_line(name),
            feed=say.row_feed.format(feed=say.feeds[told]) if told in say.feeds else "",
            again=say.again.format(count=item.reopened + 1) if item.reopened else "",
            lasted=self._lasted(item),
        )

    def more(self, left: int) -> str:
        say = self._say
        return (say.more_units if any(item.unit_id for item in self._message.items) else say.more).format(left=left)

    def tail(self) -> list[str]:
        if self._message.kind is not MessageKind.OPENED or self._text is None:
            return []
        items = self._message.items
        contact = items[0].contact if len(items) == 1 else ""
        words = self._fill(self._of(self._text, "say"))
        return [self._say.say.format(text=words), self._say.call.format(text=one_line(contact) or self._of(self._text, "whom"))]

    def _facts_of(self, item: Item) -> list[str]:
        say = self._say
        lines = [say.beijing.format(text=self._lasted(item))]
        if item.reopened:
            lines.append(say.again_fact.format(count=item.reopened + 1))
        if item.last_upload is not None and not self._over:
            lines.append(say.last_upload.format(moment=say.moment(item.last_upload, self._clock(item))))
        if owed := self._of(item, "owed"):
            lines.append((say.owed_recovered if self._over else say.owed).format(text=one_line(owed)))
        if (self._text is None or not item.unit_id) and (summary := self._of(item, "summary")):  # it names the part of ours
            lines.append(say.was.format(text=one_line(summary)) if self._over else one_line(summary))
        if item.closed_by:
            lines.append(say.closed_by.format(text=one_line(item.closed_by)))
        return lines

    def _lasted(self, item: Item) -> str:
        say, now = self._say, self._clock(item)
        since, age = say.moment(item.since, now), say.span(self._now.age(item))
        if item.until is None:
            return say.so_far.format(since=since, age=age)
        return say.lasted.format(since=since, until=say.moment(item.until, now), age=age)

    def _clock(self, item: Item) -> datetime:
        return (self._now.platform if item.platform_time else None) or self._now.wall

    def _whom(self) -> str:
        units = {item.unit_id: item for item in self._message.items if item.unit_id}
        if len(units) > 1:
            return self._say.units.format(count=len(units) + self._message.beyond)
        names = (one_line(self._of(item, "name") or unit_id) for unit_id, item in units.items())
        return next(names, "")[:_TITLE_CHARACTERS]

    def _what(self) -> str:
        if self._text is not None:
            return self._fill(self._of(self._text, "over" if self._over else "title"))
        summary = self._of(self._message.items[0], "summary") if len(self._message.items) == 1 else ""
        return one_line(summary)[:_TITLE_CHARACTERS] or one_line(self._message.alertname)

    def _fill(self, text: str) -> str:
        feed = self._message.feed or ""
        return text.replace("{feed}", self._say.feeds.get(feed) or one_line(feed))

    def _of(self, value: object, name: str) -> str:
        return str(getattr(value, f"{name}_{self._say.key}"))


def _lists(message: Message) -> bool:
    """Whether incidents stand line by line, and not as the facts of a single one."""
    return len(message.items) > 1 or message.kind is MessageKind.REMINDER


def _links(message: Message, base: str, say: Phrases) -> tuple[Link, ...]:
    if not base:
        return ()
    links = [Link(say.link_page, f"{base}/")]
    if message.alertname:
        links.append(Link(say.link_runbook, f"{base}/runbooks/{quote(message.alertname, safe='')}"))
    numbers = [item.incident_id for item in message.items if item.incident_id]
    if numbers and message.kind in (MessageKind.OPENED, MessageKind.REMINDER):
        links.append(Link(say.link_handle, f"{base}/incidents/{numbers[0]}" if len(numbers) == 1 else f"{base}/incidents"))
    return tuple(links)
