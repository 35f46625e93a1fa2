"""Take in deliveries of alerts, and recoveries that the ledger has seen. Shell: each is one transaction of the incident log.

The Watchdog is no incident: it fires always, and its last delivery proves that paging works.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from monitor.ledger.database import Engine
from monitor.ledger.flips import read_flips
from monitor.ledger.incident_book import IncidentBook, incident_book, incident_glance
from monitor.ledger.incident_changes import BY_MONITOR, Closing, IncidentChanges
from monitor.paging.incidents import Ask, confirmed, know_nothing, rounds, seen_in_ledger, take_in
from monitor.paging.webhook_message import Alert, WebhookMessage

log = logging.getLogger(__name__)
WATCHDOG: Final = "Watchdog"
CUT_OFF: Final = "cut_off"
"""Why a delivery was incomplete: Alertmanager's `max_alerts` left some out."""
TOO_LARGE: Final = "too_large"
UNREADABLE: Final = "unreadable"
DELIVERY_REFUSED: Final = "DeliveryRefused"


def record(engine: Engine, message: WebhookMessage, now: datetime | None = None, ask: Ask = know_nothing) -> None:
    """Take in a delivery, in one transaction. The same delivery again changes only its count.

    A resolved Watchdog is no sign of life: Alertmanager resolves it when Prometheus has stopped sending it. `ask` is the
    ledger's answer about an alert.
    """
    now = now or datetime.now(UTC)
    watchdogs = [alert.starts_at for alert in message.alerts if alert.name == WATCHDOG and alert.status == "firing"]
    alerts = [alert for alert in message.alerts if alert.name != WATCHDOG]
    with incident_book(engine, now) as book:
        book.note_deliveries([alert.name for alert in alerts] + [WATCHDOG] * bool(watchdogs))
        if message.truncated:
            log.error("a delivery left out %d alerts: raise max_alerts of its receiver", message.truncated)
            book.note_incomplete(CUT_OFF, message.truncated)
        _take_in(book, alerts, ask, now)
        if watchdogs:
            book.apply(IncidentChanges(closed=confirmed(book.resolved_but_open(), ask, now, min(watchdogs))))


def follow_ledger(engine: Engine, ask: Ask, read_at: datetime, now: datetime | None = None) -> None:
    """Close the incidents of units that have recovered, and open those again whose silence is back.

    `ask` knows the ledger as of `read_at` (wall time): of what has changed since then it says nothing. Else two monitors, one of
    which has read later, would open and close an incident by turns, and it would look like one that comes and goes.
    """
    now = now or datetime.now(UTC)
    with incident_glance(engine, now) as book:
        seen = seen_in_ledger(book.units_as_of(read_at), ask)
    if seen.closed or seen.reopened:
        with incident_book(engine, now) as book:
            book.apply(seen_in_ledger(book.units_as_of(read_at), ask))


def silence_end(engine: Engine, unit_id: str, feed: str) -> datetime | None:
    """When the latest silence of a unit's feed that is over ended: its first upload after it, in platform time."""
    ends = [flip.ended_at for flip in read_flips(engine, unit_id) if flip.feed == feed and flip.ended_at is not None]
    return max(ends, default=None)


def note_refused(engine: Engine, reason: str, now: datetime | None = None) -> None:
    """A delivery was not taken: count it. One that was too large held alerts, and is an incident. Raises LedgerUnavailable."""
    now = now or datetime.now(UTC)
    with incident_book(engine, now) as book:
        book.note_incomplete(reason, 0)
        if reason == TOO_LARGE:
            _take_in(book, [_refusal(reason, now)], know_nothing, now)


def forgive_refusals(engine: Engine, now: datetime) -> None:
    """A delivery was taken: the incident of an earlier refusal is over."""
    fingerprint = _refusal("", now).fingerprint
    with incident_glance(engine, now) as book:
        refused = [one for one in book.known([fingerprint]).values() if one.is_open]
    if refused:
        with incident_book(engine, now) as book:
            book.apply(IncidentChanges(closed=[Closing(one.incident_id, BY_MONITOR) for one in refused]))


def _refusal(reason: str, now: datetime) -> Alert:
    return Alert(
        status="firing",
        labels={"alertname": DELIVERY_REFUSED, "severity": "page", "scope": "monitor"},
        annotations={
            "summary": f"A delivery of alerts was refused ({reason}): look at Alertmanager's own page",
            "summary_zh": f"有告警投递被拒收（{reason}）：请在 Alertmanager 页面查看全部告警",
        },
        startsAt=now,
        fingerprint="hipwatch-delivery-refused",
    )


def _take_in(book: IncidentBook, alerts: Sequence[Alert], ask: Ask, now: datetime) -> None:
    watchdog = book.last_delivery(WATCHDOG) is not None
    for some in rounds(alerts):
        known = book.known([alert.fingerprint for alert in some])
        book.apply(take_in(known, some, ask, now, watchdog=watchdog))
