"""Judge the units when it is time, and keep the open findings for page and metrics. Shell: scheduled by `serve`."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar
from monitor.judgement.daily_summary import summary_lines
from monitor.judgement.find import is_due, judge_units, open_findings, summary_is_due
from monitor.judgement.findings import Finding
from monitor.judgement.summary_reader import read_summary
from monitor.judgement.unit_status import FeedCondition, PlatformStatus
from monitor.ledger.database import Engine
from monitor.ledger.findings import last_judged
from schemas.errors import HipwatchError
from schemas.register import Register

log = logging.getLogger(__name__)


class FindingKeeper:
    """The findings that are open now. `judged_until` is platform time, None before the first evaluation."""

    def __init__(self, engine: Engine, register: Callable[[], Register], calendar: Calendar | None = None) -> None:
        self._engine = engine
        self._register = register
        self._calendar = calendar or Calendar()
        self.open: Sequence[Finding] = ()
        self.judged_until: datetime | None = None
        self.problem: str | None = None

    def refresh(self, status: PlatformStatus | None) -> None:
        """Judge if a platform day has ended or an hour has passed; then read what is open, whoever wrote it."""
        try:
            judged = last_judged(self._engine).clock
            if status is not None and is_due(judged, status.clock):
                written = judge_units(self._engine, self._register(), overdue_feeds(status), self._calendar)
                if written and status.clock is not None and summary_is_due(judged, status.clock):
                    self._log_summary()
                judged = last_judged(self._engine).clock
            if judged != self.judged_until:
                self.open = open_findings(self._engine)
                self.judged_until = judged
            self.problem = None
        except HipwatchError as error:
            if self.problem is None:
                log.error("%s", error)
            self.problem = str(error)

    def _log_summary(self) -> None:
        """One line of the log for each line of the summary; of several `serve` only the one that judged says it."""
        summary = read_summary(self._engine, self._register())
        for line in [] if summary is None else summary_lines(summary):
            log.info("%s", line.zh)


def overdue_feeds(status: PlatformStatus) -> Mapping[tuple[str, Feed], datetime]:
    """The feeds that are silent, and since when: their deadline."""
    return {
        (unit.unit.unit_id, feed.feed): feed.deadline
        for unit in status.units
        for feed in unit.feeds
        if feed.condition is FeedCondition.SILENT and feed.deadline is not None
    }
