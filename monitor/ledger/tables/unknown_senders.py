"""Table of the senders that nobody registered."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment


class UnknownSenderRow(SQLModel, table=True):
    """Messages under an id that the register did not have when they came. The rows are bounded in number."""

    __tablename__ = "unknown_sender"
    claimed_unit_id: str = Field(primary_key=True)
    messages: int = Field(sa_type=BigInteger)
    first_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)
