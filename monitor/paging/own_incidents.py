"""What hipwatch has to say about itself: incidents that it opens and closes, by their names. Shell.

They go the same way as Alertmanager's: into the incident log, and from there to the targets.
"""

import re
from datetime import UTC, datetime
from typing import Final

from monitor.ledger.database import Engine
from monitor.ledger.incident_book import incident_book, incident_glance
from monitor.ledger.incident_changes import BY_MONITOR, Closing, IncidentChanges
from monitor.paging.receive import record
from monitor.paging.webhook_message import Alert, WebhookMessage

_PREFIX: Final = "hipwatch-"


def open_own(engine: Engine, alertname: str, summary: str, summary_zh: str, now: datetime, *, part: str = "") -> None:
    """Open it, or say that it goes on. `part` names which one where there are several. Raises LedgerUnavailable."""
    alert = {
        "status": "firing",
        "labels": {"alertname": alertname, "severity": "page", "scope": "monitor"} | ({"part": part} if part else {}),
        "annotations": {"summary": summary, "summary_zh": summary_zh},
        "startsAt": now,
        "fingerprint": _fingerprint(alertname, part),
    }
    record(engine, WebhookMessage(alerts=[Alert.model_validate(alert)]), now)


def close_own(engine: Engine, alertname: str, now: datetime, *, part: str = "") -> None:
    """Close it if it is open: who opened it knows that it is over. Raises LedgerUnavailable."""
    with incident_book(engine, now) as book:
        known = book.known([_fingerprint(alertname, part)]).values()
        closings = [Closing(one.incident_id, BY_MONITOR) for one in known if one.is_open]
        book.apply(IncidentChanges(closed=closings))


def is_open_own(engine: Engine, alertname: str, *, part: str = "") -> bool:
    """Whether it is open now. Raises LedgerUnavailable."""
    with incident_glance(engine, datetime.now(UTC)) as book:
        return any(one.is_open for one in book.known([_fingerprint(alertname, part)]).values())


def _fingerprint(alertname: str, part: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", alertname).lower()
    return f"{_PREFIX}{words}{f'-{part}' if part else ''}"
