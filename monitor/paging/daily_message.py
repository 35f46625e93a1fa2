"""The daily summary as a message for robots and mailboxes. Core, but for `DailyMessages`, which reads the ledger.

Tickets that are open stand in it: who is told of pages only reads of them here, once a day.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from monitor.judgement.daily_summary import DailySummary, summary_lines
from monitor.judgement.rules.verdict import Text
from monitor.judgement.summary_reader import read_summary
from monitor.ledger.database import Engine
from monitor.ledger.incidents import list_incidents
from monitor.ledger.tables.paging import Incident
from monitor.paging.message import Message, MessageKind, Severity
from schemas.register import Register
from schemas.visible import one_line

_TOLD_ABOVE: Final = "FindingsOpen"
"""The ticket of the findings, which the summary names one by one."""
_TICKETS: Final = 8


def daily_message(summary: DailySummary, now: datetime, tickets: Sequence[Incident] = ()) -> Message:
    """The first line is the title, the others are its lines, in both languages. `now` is wall time."""
    title, *lines = summary_lines(summary)
    lines += _ticket_lines(tickets)
    return Message(
        kind=MessageKind.SUMMARY,
        title_zh=title.zh,
        title_en=title.en,
        lines_zh=tuple(line.zh for line in lines),
        lines_en=tuple(line.en for line in lines),
        created_at=now,
    )


class DailyMessages:
    """Makes the message of the day when a target asks for it; None before the units were ever judged."""

    def __init__(self, engine: Engine, register: Callable[[], Register]) -> None:
        self._engine = engine
        self._register = register

    def __call__(self, now: datetime) -> Message | None:
        """The last 24 hours of platform time, as a message that is made at `now` (wall time). Raises LedgerUnavailable."""
        summary = read_summary(self._engine, self._register())
        return None if summary is None else daily_message(summary, now, self._tickets())

    def _tickets(self) -> list[Incident]:
        """The tickets that are open, oldest first, but that of the findings."""
        found = list_incidents(self._engine, open_only=True)
        return [one for one in found if one.severity != Severity.PAGE and one.alertname != _TOLD_ABOVE]


def _ticket_lines(tickets: Sequence[Incident]) -> list[Text]:
    named = [
        Text(f"[工单] {one_line(one.summary_zh or one.summary)}", f"[ticket] {one_line(one.summary or one.summary_zh)}")
        for one in tickets[:_TICKETS]
    ]
    more = len(tickets) - _TICKETS
    return [*named, Text(f"[工单] 等 {len(tickets)} 项", f"[ticket] and {more} more")] if more > 0 else named
