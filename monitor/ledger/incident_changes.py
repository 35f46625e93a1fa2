"""What a delivery changes in the incident log, as values: decided in the room `paging`, written here. Core."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

BY_LEDGER = "ledger"
"""Who closed it: the recovery was seen in the ledger."""
BY_SENDER = "alertmanager"
"""Who closed it: the sender said so, and nothing spoke against it."""
BY_MONITOR = "hipwatch"
"""Who closed it: hipwatch, which had opened it itself."""


class EventKind(StrEnum):
    """A line of an incident's life."""

    OPENED = "opened"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    NOTED = "noted"
    MUTED = "muted"
    CLOSED = "closed"


@dataclass(frozen=True)
class KnownIncident:
    """The latest incident under a fingerprint, as far as a delivery needs it."""

    incident_id: int
    fingerprint: str
    started_at: datetime
    is_open: bool
    closed_by: str | None
    resolved_at: datetime | None
    alertname: str
    unit_id: str | None
    feed: str | None
    labels: str
    ended_at: datetime | None


@dataclass(frozen=True)
class NewIncident:
    """An incident that begins. `labels` is JSON; `began_at` is platform time. With `over_by` it is closed at once."""

    fingerprint: str
    started_at: datetime
    alertname: str
    unit_id: str | None
    feed: str | None
    severity: str | None
    scope: str | None
    summary: str
    summary_zh: str
    labels: str
    began_at: datetime | None
    over_by: str | None = None


@dataclass(frozen=True)
class Closing:
    """An incident that ends. `ended_at` is the recovery in platform time, where the ledger knows it."""

    incident_id: int
    by: str
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Reopening:
    """An incident that begins again; `began_at` as for a new one."""

    incident_id: int
    by: str
    began_at: datetime | None = None


@dataclass(frozen=True)
class IncidentChanges:
    """All that one delivery changes. `heard_firing` and `heard_resolved` are incidents that stay as they are, and
    whose deliveries are counted; of the latter the sender says that they are over.
    """

    opened: Sequence[NewIncident] = field(default_factory=list)
    reopened: Sequence[Reopening] = field(default_factory=list)
    closed: Sequence[Closing] = field(default_factory=list)
    heard_firing: Sequence[int] = field(default_factory=list)
    heard_resolved: Sequence[int] = field(default_factory=list)
