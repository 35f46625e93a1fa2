"""The incident log: Alertmanager's webhook in, incidents out. Shell.

An alert is named by its fingerprint and start. However often it is delivered, it is one incident, opened once and closed
once. The Watchdog is no incident: it fires always, and its last delivery proves that paging works.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine, select, update

from monitor import tables
from monitor.database import insert, sentences, table_of, upsert, writing
from schemas.clock import from_millis, to_millis

WATCHDOG: Final = "Watchdog"
_INCIDENT: Final = table_of(tables.Incident)
_DELIVERY: Final = table_of(tables.Delivery)
_CLOCK: Final = table_of(tables.PlatformClock)


def _whole_millis(moment: datetime) -> datetime:
    """As the ledger keeps it. Raises ValueError when it is in no year of ours."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return from_millis(to_millis(aware))
    except OverflowError:
        raise ValueError("in UTC it lies before the year 1 or after the year 9999") from None


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")  # JSON can say NUL, and PostgreSQL keeps none


Text = Annotated[str, AfterValidator(_storable)]


class Alert(BaseModel):
    """One alert of a webhook message (Alertmanager's webhook format, version 4)."""

    model_config = ConfigDict(populate_by_name=True)

    status: Literal["firing", "resolved"]
    labels: dict[Text, Text]
    annotations: dict[Text, Text] = Field(default_factory=dict)
    starts_at: Annotated[datetime, AfterValidator(_whole_millis)] = Field(alias="startsAt")
    ends_at: datetime | None = Field(default=None, alias="endsAt")
    fingerprint: Text = Field(min_length=1, max_length=200)

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname", "")


class WebhookMessage(BaseModel):
    """What Alertmanager posts: one notification of one or more alerts."""

    alerts: list[Alert] = Field(max_length=10_000)


def record(engine: Engine, message: WebhookMessage, now: datetime | None = None) -> None:
    """Take in a delivery, in one transaction. The same delivery again changes only its count.

    A resolved Watchdog is no sign of life: Alertmanager resolves it when Prometheus has stopped sending it.
    """
    now = now or datetime.now(UTC)
    with sentences(engine), writing(engine) as connection:
        platform_time = connection.execute(select(_CLOCK.c.complete_until)).scalar()
        names = {alert.name for alert in message.alerts if alert.name != WATCHDOG or alert.status == "firing"}
        deliveries = [{"alertname": name, "last_at": now} for name in sorted(names)]
        upsert(connection, _DELIVERY, deliveries, greatest=("last_at",))
        for alert in message.alerts:
            if alert.name == WATCHDOG:
                continue
            _record_one(connection, alert, platform_time, now)


def _record_one(connection: Connection, alert: Alert, platform_time: datetime | None, now: datetime) -> None:
    this = (_INCIDENT.c.fingerprint == alert.fingerprint, _INCIDENT.c.started_at == alert.starts_at)
    closed_at = now if alert.status == "resolved" else None
    row = {
        "fingerprint": alert.fingerprint,
        "started_at": alert.starts_at,
        "alertname": alert.name,
        "unit_id": alert.labels.get("unit_id"),
        "feed": alert.labels.get("feed"),
        "severity": alert.labels.get("severity"),
        "summary": alert.annotations.get("summary", ""),
        "summary_zh": alert.annotations.get("summary_zh", ""),
        "labels": json.dumps(alert.labels, ensure_ascii=False, sort_keys=True),
        "platform_time": platform_time,
        "opened_at": now,
        "deliveries": 0,
        "last_delivery_at": now,
    }
    connection.execute(insert(connection, _INCIDENT).on_conflict_do_nothing(), [row])
    connection.execute(update(_INCIDENT).where(*this).values(deliveries=_INCIDENT.c.deliveries + 1, last_delivery_at=now))
    if closed_at is not None:
        connection.execute(update(_INCIDENT).where(*this, _INCIDENT.c.closed_at.is_(None)).values(closed_at=closed_at))


def list_incidents(engine: Engine, *, open_only: bool = False) -> Sequence[tables.Incident]:
    """Incidents, oldest first; of the same moment and alert, those without a unit first (databases differ in that)."""
    statement = select(_INCIDENT).order_by(_INCIDENT.c.opened_at, _INCIDENT.c.alertname, _INCIDENT.c.unit_id.nulls_first())
    if open_only:
        statement = statement.where(_INCIDENT.c.closed_at.is_(None))
    with sentences(engine), engine.connect() as connection:
        return [tables.Incident(**row) for row in connection.execute(statement).mappings()]
