"""Tables of the findings, each stored once from opened to closed, and of what only the rules need."""

from datetime import date, datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment


class SentDay(SQLModel, table=True):
    """Uploads of a unit's feed for one business date that were sent on one day. Kept for some months over a year.

    `empty` held no document; `ahead` and `behind` were stamped by a clock that was wrong, by at most so many seconds.
    """

    __tablename__ = "sent_day"
    unit_id: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    business_date: date = Field(primary_key=True, index=True)
    sent_on: date = Field(primary_key=True)
    events: int = Field(sa_type=BigInteger)
    records: int = Field(sa_type=BigInteger)
    empty: int = Field(sa_type=BigInteger)
    ahead: int = Field(sa_type=BigInteger)
    behind: int = Field(sa_type=BigInteger)
    ahead_seconds: int = Field(sa_type=BigInteger)
    behind_seconds: int = Field(sa_type=BigInteger)


class FindingRow(SQLModel, table=True):
    """One finding. `unit_id` is empty for one of the whole city, `feed` for one of no feed. `evidence` is JSON."""

    __tablename__ = "finding"
    rule: str = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    opened_at: datetime = Field(primary_key=True, sa_type=Moment)
    severity: str
    since: date
    updated_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    what_zh: str
    what_en: str
    ask_zh: str
    ask_en: str
    evidence: str
    lost: int = Field(sa_type=BigInteger)
    unusual: float


class JudgedUntil(SQLModel, table=True):
    """One row: the platform moment of the last evaluation. Whoever moves it writes that evaluation's findings."""

    __tablename__ = "judged_until"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    clock: datetime | None = Field(default=None, sa_type=Moment)
    judged_at: datetime | None = Field(default=None, sa_type=Moment)  # wall time


class UploadedTable(SQLModel, table=True):
    """A table of which a unit has ever uploaded a document: nobody need read all days to know."""

    __tablename__ = "uploaded_table"
    unit_id: str = Field(primary_key=True)
    table_code: str = Field(primary_key=True)
