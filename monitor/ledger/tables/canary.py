"""Table of the canary's events: a place of its own, which nothing that is said of units reads."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment


class CanaryRow(SQLModel, table=True):
    """How far the canary has come in a partition. `counted_at` is when its latest event was counted (wall time)."""

    __tablename__ = "canary"
    topic_id: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    topic: str
    series: str
    sequence: int = Field(sa_type=BigInteger)
    event_at: datetime = Field(sa_type=Moment)
    events: int = Field(sa_type=BigInteger)
    duplicates: int = Field(sa_type=BigInteger)
    missing: int = Field(sa_type=BigInteger)
    counted_at: datetime = Field(sa_type=Moment)
