"""Tables of what units were judged by, and of what was found. Hours count from 1970 (UTC)."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment


class FeedHour(SQLModel, table=True):
    """Signs of life of a unit's feed in one hour of platform time: what its rhythm is learned from. Kept for some months."""

    __tablename__ = "feed_hour"
    unit_id: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    hour: int = Field(primary_key=True, index=True)
    events: int = Field(sa_type=BigInteger)
    records: int = Field(sa_type=BigInteger)
    first_minute: int
    last_minute: int


class Flip(SQLModel, table=True):
    """A silence of a unit's feed, stored once: `quiet_since` is its last upload, `started_at` the deadline that it passed."""

    __tablename__ = "flip"
    unit_id: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    quiet_since: datetime = Field(primary_key=True, sa_type=Moment)
    started_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    reason: str = ""


class FeedOutage(SQLModel, table=True):
    """A time in which many said nothing at once. Parts of one failure (one feed first, then the other) share a `number`."""

    __tablename__ = "feed_outage"
    kind: str = Field(primary_key=True)  # feed, district, vendor
    value: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    started_at: datetime = Field(primary_key=True, sa_type=Moment)
    number: int
    found_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    units: str  # space-separated unit ids
