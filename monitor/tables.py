"""The ledger's tables. Moments are stored as milliseconds since 1970-01-01T00:00:00Z, amounts as whole cents.

SQLModel does not validate `table=True` classes: only decoded, checked values are written.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from schemas.clock import from_millis, to_millis


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored exactly and alike in every database as integer milliseconds UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_millis(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_millis(value)


class SourceOffset(SQLModel, table=True):
    """How far a partition has been counted. A topic that is made anew has another `topic_id`, hence other rows."""

    __tablename__ = "source_offset"
    topic_id: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    topic: str
    next_offset: int = Field(sa_type=BigInteger)
    complete_until: datetime | None = Field(default=None, sa_type=Moment)  # all events up to here are counted


class PlatformClock(SQLModel, table=True):
    """One row. `complete_until` is the platform clock: what every partition has been counted up to."""

    __tablename__ = "platform_clock"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    greatest_event_at: datetime | None = Field(default=None, sa_type=Moment)
    complete_until: datetime | None = Field(default=None, sa_type=Moment)
    advanced_at: datetime = Field(sa_type=Moment)  # wall time


class ActiveHour(SQLModel, table=True):
    """An hour (of event time, counted from 1970) in which any unit sent anything: what is missing was an outage."""

    __tablename__ = "active_hour"
    hour: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class UploadDay(SQLModel, table=True):
    """Sums of one unit, table and business date. A measure is NULL when no event carried it."""

    __tablename__ = "upload_day"
    unit_id: str = Field(primary_key=True)
    table_code: str = Field(primary_key=True)
    business_date: date = Field(primary_key=True)
    events: int = Field(sa_type=BigInteger)
    records: int = Field(sa_type=BigInteger)
    outpatient_visits: int | None = Field(default=None, sa_type=BigInteger)
    discharges: int | None = Field(default=None, sa_type=BigInteger)
    outpatient_revenue_cents: int | None = Field(default=None, sa_type=BigInteger)
    inpatient_revenue_cents: int | None = Field(default=None, sa_type=BigInteger)


class FormDay(SQLModel, table=True):
    """Sums of one unit, realtime form and business date."""

    __tablename__ = "form_day"
    unit_id: str = Field(primary_key=True)
    form_code: str = Field(primary_key=True)
    business_date: date = Field(primary_key=True)
    events: int = Field(sa_type=BigInteger)
    records: int = Field(sa_type=BigInteger)


class DeclaredTables(SQLModel, table=True):
    """A declaration: all tables that a unit declared at one moment, space-separated (codes hold no space)."""

    __tablename__ = "declared_tables"
    unit_id: str = Field(primary_key=True)
    declared_at: datetime = Field(primary_key=True, sa_type=Moment)
    event_id: str = Field(primary_key=True)
    table_codes: str


class HealthRecordDay(SQLModel, table=True):
    """The last snapshot that a district sent for one day."""

    __tablename__ = "health_record_day"
    unit_id: str = Field(primary_key=True)
    business_date: date = Field(primary_key=True)
    event_time: datetime = Field(sa_type=Moment)
    base_total: int | None = Field(default=None, sa_type=BigInteger)
    hypertension_total: int | None = Field(default=None, sa_type=BigInteger)
    diabetes_total: int | None = Field(default=None, sa_type=BigInteger)


class FeedState(SQLModel, table=True):
    """How far a unit's feed has come."""

    __tablename__ = "feed_state"
    unit_id: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    first_event_at: datetime = Field(sa_type=Moment)
    last_event_at: datetime = Field(sa_type=Moment)
    last_business_date: date


class StreamState(SQLModel, table=True):
    """How far a stream has come. `skipped` numbers were missing when a later one came; `filled` ones came after all.

    `ahead` and `behind` count events from a clock that was evidently wrong.
    """

    __tablename__ = "stream_state"
    unit_id: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    series: str = Field(primary_key=True)
    next_sequence: int = Field(sa_type=BigInteger)
    accepted: int = Field(sa_type=BigInteger)
    duplicates: int = Field(sa_type=BigInteger)
    skipped: int = Field(sa_type=BigInteger)
    filled: int = Field(sa_type=BigInteger)
    ahead: int = Field(sa_type=BigInteger)
    behind: int = Field(sa_type=BigInteger)


class OpenGap(SQLModel, table=True):
    """Sequence numbers that are missing now, `first_missing` to `last_missing`."""

    __tablename__ = "open_gap"
    unit_id: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    series: str = Field(primary_key=True)
    first_missing: int = Field(primary_key=True, sa_type=BigInteger)
    last_missing: int = Field(sa_type=BigInteger)


class CountedEvent(SQLModel, table=True):
    """The receipt of every event that was counted: what tells a re-sent event from another one with its number."""

    __tablename__ = "counted_event"
    unit_id: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    series: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    event_id: str
    business_date: date


class LetterState(StrEnum):
    """What has become of a dead letter."""

    KEPT = "kept"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class DeadLetterRow(SQLModel, table=True):
    """A message that could not be counted, with its bytes (until it is discarded)."""

    __tablename__ = "dead_letter"
    topic_id: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=BigInteger)  # its offset
    topic: str
    received_at: datetime = Field(sa_type=Moment)
    reason: str
    detail: str
    key: bytes | None = Field(default=None, sa_type=LargeBinary)
    value: bytes | None = Field(default=None, sa_type=LargeBinary)
    published_at: datetime | None = Field(default=None, sa_type=Moment)  # on the dead-letter topic
    unit_id: str | None = None  # as its key says, where the register knows it
    state: str = LetterState.KEPT
    settled_at: datetime | None = Field(default=None, sa_type=Moment)  # replayed or discarded


class DeadLetterCount(SQLModel, table=True):
    """Dead letters since the beginning; unlike the letters themselves it never shrinks."""

    __tablename__ = "dead_letter_count"
    topic: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    total: int = Field(sa_type=BigInteger)


class Incident(SQLModel, table=True):
    """An alert's life. Alertmanager names it by fingerprint and start; deliveries of one incident are only counted."""

    __tablename__ = "incident"
    fingerprint: str = Field(primary_key=True)
    started_at: datetime = Field(primary_key=True, sa_type=Moment)
    alertname: str
    unit_id: str | None = None
    feed: str | None = None
    severity: str | None = None
    summary: str = ""
    summary_zh: str = ""
    labels: str = "{}"  # JSON
    platform_time: datetime | None = Field(default=None, sa_type=Moment)  # the platform clock when it was opened
    opened_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    deliveries: int
    last_delivery_at: datetime = Field(sa_type=Moment)


class Delivery(SQLModel, table=True):
    """When an alert was last delivered, by alert name; Watchdog's row proves that paging works."""

    __tablename__ = "delivery"
    alertname: str = Field(primary_key=True)
    last_at: datetime = Field(sa_type=Moment)
