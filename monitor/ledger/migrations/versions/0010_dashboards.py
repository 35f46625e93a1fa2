"""What dashboards read: the register, the months' bulletins, the units' status and tables, with views that put names to them.

Revision 0010, after 0009. A bulletin, a verdict and what is required of whom follow rules that stand in Python: as views over
the counts they would stand a second time in SQL, in two dialects, and be worked out anew at every refresh of every screen. So
`serve` writes what it says itself into tables, and the views only join, and turn milliseconds and cents into what people read.
What they say is as old as `dashboard_moment` tells.

SQLite does not alter a table while a view reads it: a later migration that does drops the views first, and makes them again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moments = op.create_table(
        "dashboard_moment",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=True),
        sa.Column("written_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(moments, [{"id": 1}])
    _make_register()
    _make_sayings()
    for name, query in _views().items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def _make_register() -> None:
    names = ("name_zh", "name_en")
    op.create_table(
        "register_unit",
        sa.Column("unit_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", *names)),
        sa.Column("district", sa.String(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("vendor", "life")),
        *(sa.Column(name, sa.Date(), nullable=True) for name in ("active_from", "active_until")),
    )
    for table, more in (("register_table", ("required_for",)), ("register_form", ())):
        op.create_table(
            table,
            sa.Column("code", sa.String(), primary_key=True, nullable=False),
            sa.Column("place", sa.Integer(), nullable=False),
            *(sa.Column(name, sa.String(), nullable=False) for name in (*names, "domain", *more)),
            *(sa.Column(name, sa.Date(), nullable=True) for name in ("required_from", "required_until")),
        )


def _make_sayings() -> None:
    op.create_table(
        "feed_status",
        *(sa.Column(name, sa.String(), primary_key=True, nullable=False) for name in ("unit_id", "feed")),
        sa.Column("condition", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("since", "deadline", "last_event_at")),
    )
    op.create_table(
        "ladder_row",
        *(sa.Column(name, sa.String(), primary_key=True, nullable=False) for name in ("unit_id", "table_code")),
        *(
            sa.Column(name, sa.Boolean(), nullable=name == "declared")
            for name in ("required", "declared", "uploaded_ever", "uploaded_this_month")
        ),
    )
    figure = sa.Numeric(38, 0) if op.get_bind().dialect.name == "postgresql" else sa.BigInteger()
    carried = ("outpatient_visits", "discharges", "health_records_base", "health_records_hypertension", "health_records_diabetes")
    op.create_table(
        "bulletin_row",
        sa.Column("month", sa.Date(), primary_key=True, nullable=False),
        sa.Column("unit_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("tables_declared", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("tables_required", "tables_uploaded")),
        sa.Column("records", figure, nullable=False),
        sa.Column("upload_days", sa.Integer(), nullable=False),
        *(sa.Column(name, figure, nullable=True) for name in carried),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("realtime_days", "realtime_forms_uploaded", "realtime_forms_required")
        ),
        *(sa.Column(name, figure, nullable=True) for name in ("outpatient_revenue_cents", "inpatient_revenue_cents")),
    )


def _views() -> dict[str, str]:
    """By its name, the query of each view. Moments are UTC: `timestamptz` on PostgreSQL, text on SQLite."""
    postgresql = op.get_bind().dialect.name == "postgresql"

    def moment(column: str) -> str:
        return f"to_timestamp({column} / 1000.0)" if postgresql else f"datetime({column} / 1000, 'unixepoch')"

    return {
        "bulletin_month": """
            SELECT b.month, b.unit_id, u.place, u.kind, u.name_zh, u.name_en, u.district,
                b.tables_declared, b.tables_required, b.tables_uploaded, b.records, b.upload_days,
                b.outpatient_visits, b.discharges,
                b.health_records_base, b.health_records_hypertension, b.health_records_diabetes,
                b.realtime_days, b.realtime_forms_uploaded, b.realtime_forms_required,
                b.outpatient_revenue_cents, b.outpatient_revenue_cents * 0.00001 AS outpatient_revenue_kcny,
                b.inpatient_revenue_cents, b.inpatient_revenue_cents * 0.00001 AS inpatient_revenue_kcny
            FROM bulletin_row AS b JOIN register_unit AS u ON u.unit_id = b.unit_id""",
        "unit_status": f"""
            SELECT u.unit_id, u.place, u.kind, u.name_zh, u.name_en, u.district, u.vendor, u.life, s.feed, s.condition,
                {moment("s.since")} AS since, {moment("s.deadline")} AS deadline,
                {moment("s.last_event_at")} AS last_event_at, {moment("m.clock")} AS clock,
                (m.clock - s.since) / 1000 AS overdue_seconds
            FROM feed_status AS s JOIN register_unit AS u ON u.unit_id = s.unit_id CROSS JOIN dashboard_moment AS m""",
        "table_ladder": """
            SELECT l.unit_id, u.kind, u.name_zh AS unit_zh, u.name_en AS unit_en, u.district,
                l.table_code, t.place, t.name_zh AS table_zh, t.name_en AS table_en, t.domain,
                l.required, l.declared, l.uploaded_ever, l.uploaded_this_month
            FROM ladder_row AS l JOIN register_unit AS u ON u.unit_id = l.unit_id
            LEFT JOIN register_table AS t ON t.code = l.table_code""",
    }
