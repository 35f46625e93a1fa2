"""The ledger's first tables.

Revision 0001, the first. A ledger made before migrations existed has exactly these tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "active_hour", sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False), sa.PrimaryKeyConstraint("hour")
    )
    op.create_table(
        "counted_event",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "topic", "series", "sequence"),
    )
    op.create_table(
        "dead_letter",
        sa.Column("topic_id", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("topic_id", "partition", "position"),
    )
    op.create_table(
        "dead_letter_count",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "reason"),
    )
    op.create_table(
        "declared_tables",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("declared_at", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("table_codes", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "declared_at", "event_id"),
    )
    op.create_table(
        "delivery",
        sa.Column("alertname", sa.String(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alertname"),
    )
    op.create_table(
        "feed_state",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("first_event_at", sa.BigInteger(), nullable=False),
        sa.Column("last_event_at", sa.BigInteger(), nullable=False),
        sa.Column("last_business_date", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "feed"),
    )
    op.create_table(
        "form_day",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("form_code", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "form_code", "business_date"),
    )
    op.create_table(
        "health_record_day",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("event_time", sa.BigInteger(), nullable=False),
        sa.Column("base_total", sa.BigInteger(), nullable=True),
        sa.Column("hypertension_total", sa.BigInteger(), nullable=True),
        sa.Column("diabetes_total", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("unit_id", "business_date"),
    )
    op.create_table(
        "incident",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("alertname", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=True),
        sa.Column("feed", sa.String(), nullable=True),
        sa.Column("severity", sa.String(), nullable=True),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("summary_zh", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("platform_time", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("last_delivery_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "started_at"),
    )
    op.create_table(
        "open_gap",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("first_missing", sa.BigInteger(), nullable=False),
        sa.Column("last_missing", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "topic", "series", "first_missing"),
    )
    op.create_table(
        "platform_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("greatest_event_at", sa.BigInteger(), nullable=True),
        sa.Column("complete_until", sa.BigInteger(), nullable=True),
        sa.Column("advanced_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "source_offset",
        sa.Column("topic_id", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("complete_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("topic_id", "partition"),
    )
    op.create_table(
        "stream_state",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("next_sequence", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("filled", sa.BigInteger(), nullable=False),
        sa.Column("ahead", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "topic", "series"),
    )
    op.create_table(
        "upload_day",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("table_code", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("outpatient_visits", sa.BigInteger(), nullable=True),
        sa.Column("discharges", sa.BigInteger(), nullable=True),
        sa.Column("outpatient_revenue_cents", sa.BigInteger(), nullable=True),
        sa.Column("inpatient_revenue_cents", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("unit_id", "table_code", "business_date"),
    )
