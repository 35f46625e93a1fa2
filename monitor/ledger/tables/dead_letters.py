"""Tables of the messages that could not be counted."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment


class LetterState(StrEnum):
    """What has become of a dead letter."""

    KEPT = "kept"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class DeadLetterRow(SQLModel, table=True):
    """A message that could not be counted, with its bytes (until it is discarded).

    `recurrence` numbers those that stood at one place: a broker that has lost messages gives their places to others.
    """

    __tablename__ = "dead_letter"
    topic_id: str = Field(primary_key=True)
    partition: int = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_type=BigInteger)  # its offset
    recurrence: int = Field(default=0, primary_key=True)
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
