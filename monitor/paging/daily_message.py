"""The daily summary as a message for robots and mailboxes. Core, but for `DailyMessages`, which reads the ledger."""

from collections.abc import Callable
from datetime import datetime

from monitor.judgement.daily_summary import DailySummary, summary_lines
from monitor.judgement.summary_reader import read_summary
from monitor.ledger.database import Engine
from monitor.paging.message import Message, MessageKind
from schemas.register import Register


def daily_message(summary: DailySummary, now: datetime) -> Message:
    """The first line is the title, the others are its lines, in both languages. `now` is wall time."""
    title, *lines = summary_lines(summary)
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
        return None if summary is None else daily_message(summary, now)
