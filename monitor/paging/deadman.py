"""Notice when paging itself is silent. Shell: writes incidents.

Prometheus or Alertmanager cannot report their own death: nothing but this says that nobody will be paged.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from monitor.ledger.database import Engine
from monitor.paging.own_incidents import close_own, is_open_own, open_own
from schemas.errors import HipwatchError

log = logging.getLogger(__name__)
PAGING_DOWN: Final = "PagingDown"
_SUMMARY: Final = "The Watchdog alert stopped arriving: Prometheus or Alertmanager is down, nobody is paged"
_SUMMARY_ZH: Final = "Watchdog 告警中断：Prometheus 或 Alertmanager 已停止，无人会收到告警"


class Deadman:
    """Watches the Watchdog alert, which always fires. `began`: since when this process can have heard it."""

    def __init__(self, engine: Engine, after: timedelta, began: datetime | None = None) -> None:
        self._engine = engine
        self._after = after
        self._began = began or datetime.now(UTC)

    def check(self, heard: datetime | None, now: datetime | None = None) -> None:
        """Open an incident when the Watchdog stops arriving, and close it when it is back. `heard`: its last delivery.

        A monitor to which no Watchdog was ever delivered runs without paging, which the page shows; it is no incident.
        Whether one is open the ledger knows: it outlives this process, and what could not be recorded is tried again.
        """
        if heard is None:
            return
        now = now or datetime.now(UTC)
        down = now - max(heard, self._began) > self._after  # our own downtime is not theirs
        try:
            is_open = is_open_own(self._engine, PAGING_DOWN)
            if down and not is_open:
                log.error("the Watchdog alert has not arrived since %s: nobody is being paged", heard)
                open_own(self._engine, PAGING_DOWN, _SUMMARY, _SUMMARY_ZH, now)
            elif is_open and now - heard <= self._after:
                close_own(self._engine, PAGING_DOWN, now)
        except HipwatchError as error:
            log.error("%s", error)
