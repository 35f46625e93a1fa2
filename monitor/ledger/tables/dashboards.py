"""Tables that `serve` writes for dashboards: the register in use, and what it says of the units. Nothing else reads them.

The views `bulletin_month`, `unit_status` and `table_ladder` (migration 0010) put names to it.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Numeric
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

from monitor.ledger.tables.moment import Moment

_GREATEST = 2**63 - 1


class Figure(TypeDecorator[int]):
    """A month's sum: of many that fit 64 bits it may not. SQLite has no greater integers, and keeps such a one as a float."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Numeric(38, 0) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | float | None:
        return float(value) if value is not None and value > _GREATEST and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


class DashboardMoment(SQLModel, table=True):
    """One row: the platform clock of what dashboards are shown, and when it was written (wall time)."""

    __tablename__ = "dashboard_moment"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    clock: datetime | None = Field(default=None, sa_type=Moment)
    written_at: datetime | None = Field(default=None, sa_type=Moment)


class RegisterUnit(SQLModel, table=True):
    """A unit of the register, its `place` in it, and where it stands in its life on the platform's day."""

    __tablename__ = "register_unit"
    unit_id: str = Field(primary_key=True)
    place: int
    kind: str
    name_zh: str
    name_en: str
    district: str | None = None
    vendor: str
    life: str
    active_from: date | None = None
    active_until: date | None = None


class RegisterTable(SQLModel, table=True):
    """A table of the catalogue. `required_for` holds kinds of unit, with spaces between them."""

    __tablename__ = "register_table"
    code: str = Field(primary_key=True)
    place: int
    name_zh: str
    name_en: str
    domain: str
    required_for: str
    required_from: date | None = None
    required_until: date | None = None


class RegisterForm(SQLModel, table=True):
    """A realtime form of the register."""

    __tablename__ = "register_form"
    code: str = Field(primary_key=True)
    place: int
    name_zh: str
    name_en: str
    domain: str
    required_from: date | None = None
    required_until: date | None = None


class FeedStatusRow(SQLModel, table=True):
    """What is true of a unit's feed: `monitor.judgement.unit_status.FeedStatus`."""

    __tablename__ = "feed_status"
    unit_id: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    condition: str
    since: datetime | None = Field(default=None, sa_type=Moment)
    deadline: datetime | None = Field(default=None, sa_type=Moment)
    last_event_at: datetime | None = Field(default=None, sa_type=Moment)


class MonthRow(SQLModel, table=True):
    """A unit's row of a month's bulletin; `month` is its first day. NULL: never declared, or never carried."""

    __tablename__ = "bulletin_row"
    month: date = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    tables_declared: int | None = None
    tables_required: int
    tables_uploaded: int
    records: int = Field(sa_type=Figure)
    upload_days: int
    outpatient_visits: int | None = Field(default=None, sa_type=Figure)
    discharges: int | None = Field(default=None, sa_type=Figure)
    health_records_base: int | None = Field(default=None, sa_type=Figure)
    health_records_hypertension: int | None = Field(default=None, sa_type=Figure)
    health_records_diabetes: int | None = Field(default=None, sa_type=Figure)
    realtime_days: int
    realtime_forms_uploaded: int
    realtime_forms_required: int
    outpatient_revenue_cents: int | None = Field(default=None, sa_type=Figure)
    inpatient_revenue_cents: int | None = Field(default=None, sa_type=Figure)


class LadderRow(SQLModel, table=True):
    """How far a unit has come with a table by the end of the running month. `declared` is NULL of a unit that never declared."""

    __tablename__ = "ladder_row"
    unit_id: str = Field(primary_key=True)
    table_code: str = Field(primary_key=True)
    required: bool
    declared: bool | None = None
    uploaded_ever: bool
    uploaded_this_month: bool
