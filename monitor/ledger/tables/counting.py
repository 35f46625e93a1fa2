"""Tables of what was counted, and how far. Amounts are whole cents.

SQLModel does not validate `table=True` classes: only decoded, checked values are written.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment


class SourceOffset(SQLModel, table=True):
    """How far a partition has been counted. A topic that is made anew has another `topic_id`, hence other rows."""

    __tablename__ = "source_offset"
    topic_id: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    topic: str
    next_offset: int = Field(sa_type=BigInteger)
    complete_until: datetime | None = Field(default=None, sa_type=Moment)  # all events up to here are counted
    greatest_event_at: datetime | None = Field(default=None, sa_type=Moment)


class PlatformClock(SQLModel, table=True):
    """One row. `complete_until` is the platform clock: what every partition has been counted up to.

    `greatest_event_at` is that of partitions which are gone; each has its own, so that no two workers wait for this row.
    """

    __tablename__ = "platform_clock"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    greatest_event_at: datetime | None = Field(default=None, sa_type=Moment)
    complete_until: datetime | None = Field(default=None, sa_type=Moment)
    advanced_at: datetime = Field(sa_type=Moment)  # wall time


class ActiveHour(SQLModel, table=True):
    """An hour (of event time, counted from 1970) in which any unit sent anything: what is missing was an outage."""

    __tablename__ = "active_hour"
    hour: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


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

    `ahead` and `behind` count events from a clock that was evidently wrong. Days are business dates, as days since 1970.
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
    last_day: int | None = None  # of the greatest number
    oldest_day: int | None = None
    newest_day: int | None = None


class OpenGap(SQLModel, table=True):
    """Sequence numbers that are missing now, `first_missing` to `last_missing`, and the business dates beside them (days)."""

    __tablename__ = "open_gap"
    unit_id: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    series: str = Field(primary_key=True)
    first_missing: int = Field(primary_key=True, sa_type=BigInteger)
    last_missing: int = Field(sa_type=BigInteger)
    after_day: int | None = None
    before_day: int | None = None


class StoredReceipts(SQLModel, table=True):
    """Receipts of a run of numbers: what tells a re-sent event from another one with its number.

    `hashes` holds 8 bytes for each number from `first` on; days are the range of their business dates, as days since 1970.
    """

    __tablename__ = "receipt_run"
    unit_id: str = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    series: str = Field(primary_key=True)
    first: int = Field(primary_key=True, sa_type=BigInteger)
    oldest_day: int
    newest_day: int
    hashes: bytes = Field(sa_type=LargeBinary)


class LedgerKey(SQLModel, table=True):
    """One row: the key that receipts are hashed with, made with the ledger and never changed."""

    __tablename__ = "ledger_key"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    key: bytes = Field(sa_type=LargeBinary)
