"""Tables of incidents, of what is to be told about them, and of the deliveries that they came by."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment

_OPEN = text("closed_at IS NULL")


class Incident(SQLModel, table=True):
    """An alert's life, from opened to closed, perhaps opened again. At most one is open under a fingerprint.

    `started_at` is the sender's start (wall time); `began_at` and `ended_at` are the true start and end of a silence in
    platform time: its deadline and its recovery. `change` counts openings and closings. `resolved_at`: since when the
    sender says that it is over, which is not believed of its own accord.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index("incident_open", "fingerprint", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("incident_fingerprint", "fingerprint"),
    )
    id: int | None = Field(default=None, primary_key=True)
    fingerprint: str
    started_at: datetime = Field(sa_type=Moment)
    alertname: str
    unit_id: str | None = None
    feed: str | None = None
    severity: str | None = None
    scope: str | None = None
    summary: str = ""
    summary_zh: str = ""
    labels: str = "{}"  # JSON
    platform_time: datetime | None = Field(default=None, sa_type=Moment)  # the platform clock when it was opened
    began_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    opened_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_by: str | None = None
    acknowledged_at: datetime | None = Field(default=None, sa_type=Moment)
    acknowledged_by: str | None = None
    muted_until: datetime | None = Field(default=None, sa_type=Moment)
    change: int = 1
    changed_at: datetime = Field(sa_type=Moment)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    deliveries: int
    last_delivery_at: datetime = Field(sa_type=Moment)

    @property
    def reopened(self) -> int:
        """How often it was opened again: `change` is odd while it is open."""
        return (self.change - 1) // 2


class IncidentEvent(SQLModel, table=True):
    """A line of an incident's life: opened, acknowledged, noted, muted, closed or reopened, by whom."""

    __tablename__ = "incident_event"
    __table_args__ = (Index("incident_event_of", "incident_id", "at"),)
    id: int | None = Field(default=None, primary_key=True)
    incident_id: int
    kind: str
    at: datetime = Field(sa_type=Moment)
    by: str
    text: str = ""


class Delivery(SQLModel, table=True):
    """When an alert was last delivered, by alert name; Watchdog's row proves that paging works."""

    __tablename__ = "delivery"
    alertname: str = Field(primary_key=True)
    last_at: datetime = Field(sa_type=Moment)


class IncompleteDelivery(SQLModel, table=True):
    """Deliveries that did not bring everything: alerts cut off by the sender, or a body that was refused. By reason."""

    __tablename__ = "incomplete_delivery"
    reason: str = Field(primary_key=True)
    deliveries: int = Field(sa_type=BigInteger)
    alerts: int = Field(sa_type=BigInteger)
    last_at: datetime = Field(sa_type=Moment)


class OutboxTarget(SQLModel, table=True):
    """A target that was ever served. `version` moves with each plan: two processes never plan the same."""

    __tablename__ = "outbox_target"
    target: str = Field(primary_key=True)
    began_at: datetime = Field(sa_type=Moment)
    version: int = 0
    summary_of: date | None = None  # the day whose summary was written last
    problem: str = ""
    problem_since: datetime | None = Field(default=None, sa_type=Moment)


class OutboxTold(SQLModel, table=True):
    """What a target was last told of an incident: open or over, as of which of its changes; and when it was reminded."""

    __tablename__ = "outbox_told"
    target: str = Field(primary_key=True)
    incident_id: int = Field(primary_key=True)
    is_open: bool
    change: int
    told_at: datetime = Field(sa_type=Moment)


class OutboxMessage(SQLModel, table=True):
    """One message to one target. `claimed_until` without an answer says that it may have arrived."""

    __tablename__ = "outbox_message"
    __table_args__ = (Index("outbox_message_waiting", "target", "state", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    target: str
    group_key: str
    body: str  # JSON
    created_at: datetime = Field(sa_type=Moment)
    due_at: datetime = Field(sa_type=Moment)
    attempts: int = 0
    claimed_by: str = ""
    claimed_until: datetime | None = Field(default=None, sa_type=Moment)
    state: str = "waiting"
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
    problem: str = ""
