"""What a delivery of alerts means for the incident log. Core.

One incident is open under a fingerprint, whatever start the sender gives it. The sender's *resolved* is not proof: when
Prometheus dies, Alertmanager resolves everything. So the ledger is asked where it knows (is the unit silent?), and where it
does not, the sender has to show first that it is alive: by a Watchdog that arrives afterwards.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from monitor.ledger.incident_changes import BY_LEDGER, BY_SENDER, Closing, IncidentChanges, KnownIncident, NewIncident, Reopening
from monitor.paging.webhook_message import Alert

ALIVE_AFTER: Final = timedelta(seconds=90)
"""A Watchdog that arrives this long after a *resolved* was sent after it; a dead Prometheus' Watchdog is gone by then.
Prometheus sends an alert again at the first evaluation (15 s) that is more than a minute after the last time, and Alertmanager
drops it four minutes after that: so of all alerts that end with Prometheus none ends 75 s before another."""
SEES_AGAIN: Final = timedelta(minutes=15)
"""A Prometheus that was started anew has by then seen again whatever still holds. Its Watchdog fires at once, while each other
alert waits out its `for` once more: of those of an hour, which Prometheus remembers over a restart, ten minutes."""
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(days=1)
"""A start before the one or further ahead than the other is no start: the moment of receipt is taken for it."""


class Verdict(StrEnum):
    """What the ledger says of an alert's condition now."""

    HOLDS = "holds"
    OVER = "over"
    UNKNOWN = "unknown"  # it is not for the ledger to say


@dataclass(frozen=True)
class Truth:
    """The ledger's verdict, with the true start and, if it is over, the true end (both platform time)."""

    verdict: Verdict
    began_at: datetime | None = None
    ended_at: datetime | None = None


UNKNOWN: Final = Truth(Verdict.UNKNOWN)
Ask = Callable[[str, Mapping[str, str]], Truth]
"""The ledger's answer about an alert, by its name and labels."""


def know_nothing(_alertname: str, _labels: Mapping[str, str]) -> Truth:
    """For a ledger that has not been read yet."""
    return UNKNOWN


def rounds(alerts: Iterable[Alert]) -> list[list[Alert]]:
    """The alerts in their order, cut so that no round has a fingerprint twice."""
    found: list[list[Alert]] = [[]]
    seen: set[str] = set()
    for alert in alerts:
        if alert.fingerprint in seen:
            found.append([])
            seen = set()
        seen.add(alert.fingerprint)
        found[-1].append(alert)
    return found


def take_in(
    known: Mapping[str, KnownIncident], alerts: Sequence[Alert], ask: Ask, now: datetime, *, watchdog: bool
) -> IncidentChanges:
    """What one round of alerts changes. `watchdog`: whether one has ever arrived, so that its silence says something."""
    opened: list[NewIncident] = []
    reopened: list[Reopening] = []
    closed: list[Closing] = []
    firing: list[int] = []
    resolved: list[int] = []
    for alert in alerts:
        before = known.get(alert.fingerprint)
        truth = ask(alert.name, alert.labels)
        echo = before is not None and _is_echo(before, truth)
        starts_again = before is not None and not before.is_open and believed(alert.starts_at, now) != before.started_at
        if alert.status == "resolved":
            if before is None:
                opened.append(_new(alert, truth, now, over_by=BY_SENDER))
                continue
            resolved.append(before.incident_id)
            if before.is_open and _may_close(truth, watchdog=watchdog):
                closed.append(Closing(before.incident_id, BY_SENDER, truth.ended_at))
        elif before is None or (starts_again and not echo):
            opened.append(_new(alert, truth, now))
        else:
            if not before.is_open and not echo and _fires_again(before, truth):
                reopened.append(Reopening(before.incident_id, BY_SENDER, truth.began_at))
            firing.append(before.incident_id)
    return IncidentChanges(opened, reopened, closed, firing, resolved)


def confirmed(waiting: Iterable[KnownIncident], ask: Ask, heard: datetime, fires_since: datetime) -> list[Closing]:
    """The incidents that the sender had resolved, and that a Watchdog of `heard` now proves to be over.

    `fires_since` is the Watchdog's own start: later than what was resolved when Prometheus was started anew.
    """
    return [
        Closing(one.incident_id, BY_SENDER, truth.ended_at)
        for one in waiting
        if one.resolved_at is not None and _proves_end(one.resolved_at, heard, fires_since)
        if (truth := ask(one.alertname, labels_of(one))).verdict is not Verdict.HOLDS
    ]


def seen_in_ledger(known: Iterable[KnownIncident], ask: Ask) -> IncidentChanges:
    """Open incidents of units that have recovered, and those closed so whose silence is back though nobody said so."""
    closed: list[Closing] = []
    reopened: list[Reopening] = []
    for one in known:
        truth = ask(one.alertname, labels_of(one))
        if one.is_open and truth.verdict is Verdict.OVER:
            closed.append(Closing(one.incident_id, BY_LEDGER, truth.ended_at))
        elif not one.is_open and one.resolved_at is None and one.closed_by == BY_LEDGER and truth.verdict is Verdict.HOLDS:
            reopened.append(Reopening(one.incident_id, BY_LEDGER, truth.began_at))
    return IncidentChanges(closed=closed, reopened=reopened)


def believed(start: datetime, now: datetime) -> datetime:
    """The start, or the moment of receipt for one that cannot be."""
    return start if _EARLIEST <= start <= now + _AHEAD else now


def labels_of(known: KnownIncident) -> Mapping[str, str]:
    """An incident's labels."""
    found: Mapping[str, str] = json.loads(known.labels)
    return found


def _may_close(truth: Truth, *, watchdog: bool) -> bool:
    if truth.verdict is Verdict.UNKNOWN:
        return not watchdog  # else it waits for the Watchdog: see `confirmed`
    return truth.verdict is Verdict.OVER


def _proves_end(resolved_at: datetime, heard: datetime, fires_since: datetime) -> bool:
    """Whether what was resolved then would fire again by now, did it still hold."""
    if fires_since > resolved_at:
        return heard - fires_since >= SEES_AGAIN
    return heard - resolved_at >= ALIVE_AFTER


def _is_echo(before: KnownIncident, truth: Truth) -> bool:
    """Whether a firing notice tells of nothing but the silence whose end the ledger has seen.

    A Prometheus that was restarted fires once more by what it knew before, and with a new start; a delivery may be late, too.
    """
    if before.is_open or before.closed_by != BY_LEDGER or truth.verdict is not Verdict.OVER:
        return False
    return before.ended_at is None or truth.ended_at is None or truth.ended_at <= before.ended_at


def _fires_again(before: KnownIncident, truth: Truth) -> bool:
    """Whether a firing notice of a closed incident is more than the repeat of one that never stopped firing."""
    if before.resolved_at is not None:
        return True
    return before.closed_by == BY_LEDGER and truth.verdict is Verdict.HOLDS


def _new(alert: Alert, truth: Truth, now: datetime, over_by: str | None = None) -> NewIncident:
    return NewIncident(
        fingerprint=alert.fingerprint,
        started_at=believed(alert.starts_at, now),
        alertname=alert.name,
        unit_id=alert.labels.get("unit_id"),
        feed=alert.labels.get("feed"),
        severity=alert.labels.get("severity"),
        scope=alert.labels.get("scope"),
        summary=alert.annotations.get("summary", ""),
        summary_zh=alert.annotations.get("summary_zh", ""),
        labels=json.dumps(alert.labels, ensure_ascii=False, sort_keys=True),
        began_at=truth.began_at,
        over_by=over_by,
    )
