"""Keep the latest snapshot of the ledger, and notice when paging itself is silent. Shell.

Scheduled by APScheduler in `serve`; web page and metrics only ever see a whole snapshot.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from monitor.deadlines import Rhythms
from monitor.incidents import Alert, WebhookMessage, list_incidents, record
from monitor.reading import Snapshot, read_snapshot
from schemas.errors import HipwatchError
from schemas.register import Register

log = logging.getLogger(__name__)
PAGING_DOWN: Final = "PagingDown"
_FINGERPRINT: Final = "hipwatch-paging-down"


class Watch:
    """The snapshot of the moment, read again every `every`."""

    def __init__(self, engine: Engine, register: Register, rhythms: Rhythms, every: timedelta, watchdog_after: timedelta) -> None:
        self._engine = engine
        self._register = register
        self._rhythms = rhythms
        self._every = every
        self._watchdog_after = watchdog_after
        self._began = datetime.now(UTC)
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self.latest: Snapshot | None = None
        self.problem: str | None = None

    def start(self) -> None:
        """Read once now, then on schedule."""
        self.refresh()
        self._scheduler.add_job(self.refresh, "interval", seconds=self._every.total_seconds(), max_instances=1, coalesce=True)
        self._scheduler.add_job(self.check_paging, "interval", seconds=max(1.0, self._watchdog_after.total_seconds() / 10))
        self._scheduler.start()

    def stop(self) -> None:
        """End the schedule."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def refresh(self) -> None:
        """Read the ledger. When it cannot be read the old snapshot stays, and its age tells."""
        try:
            self.latest = read_snapshot(self._engine, self._register, self._rhythms)
            self.problem = None
        except HipwatchError as error:
            if self.problem is None:
                log.error("%s", error)
            self.problem = str(error)

    def check_paging(self, now: datetime | None = None) -> None:
        """Open an incident when the Watchdog stops arriving, and close it when it is back.

        Prometheus or Alertmanager cannot report their own death: nothing but this says that nobody will be paged.
        A monitor to which no Watchdog was ever delivered runs without paging, which the page shows; it is no incident.
        Whether one is open the ledger knows: it outlives this process, and what could not be recorded is tried again.
        """
        if self.problem is not None or self.latest is None or self.latest.watchdog_at is None:
            return  # while the ledger cannot be read, deliveries are not seen either
        now = now or datetime.now(UTC)
        heard = self.latest.watchdog_at
        down = now - max(heard, self._began) > self._watchdog_after  # our own downtime is not theirs
        try:
            since = self._paging_down_since()
            if down and since is None:
                log.error("the Watchdog alert has not arrived since %s: nobody is being paged", heard)
                self._report("firing", now)
            elif since is not None and now - heard <= self._watchdog_after:
                self._report("resolved", since)
        except HipwatchError as error:
            log.error("%s", error)

    def _paging_down_since(self) -> datetime | None:
        """When the incident that is open now began."""
        starts = (found.started_at for found in list_incidents(self._engine, open_only=True) if found.fingerprint == _FINGERPRINT)
        return next(starts, None)

    def _report(self, status: str, since: datetime) -> None:
        alert = Alert.model_validate(
            {
                "status": status,
                "labels": {"alertname": PAGING_DOWN, "severity": "page"},
                "annotations": {
                    "summary": "The Watchdog alert stopped arriving: Prometheus or Alertmanager is down, nobody is paged",
                    "summary_zh": "Watchdog 告警中断：Prometheus 或 Alertmanager 已停止，无人会收到告警",
                },
                "startsAt": since,
                "fingerprint": _FINGERPRINT,
            }
        )
        record(self._engine, WebhookMessage(alerts=[alert]))
