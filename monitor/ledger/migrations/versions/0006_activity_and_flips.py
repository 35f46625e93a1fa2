"""The hours in which each unit's feed was alive, its silences, and the outages of many.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_hour",
        sa.Column("unit_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("feed", sa.String(), primary_key=True, nullable=False),
        sa.Column("hour", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("first_minute", sa.Integer(), nullable=False),
        sa.Column("last_minute", sa.Integer(), nullable=False),
    )
    op.create_index("ix_feed_hour_hour", "feed_hour", ["hour"])
    op.create_table(
        "flip",
        sa.Column("unit_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("feed", sa.String(), primary_key=True, nullable=False),
        sa.Column("quiet_since", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_table(
        "feed_outage",
        sa.Column("kind", sa.String(), primary_key=True, nullable=False),
        sa.Column("value", sa.String(), primary_key=True, nullable=False),
        sa.Column("feed", sa.String(), primary_key=True, nullable=False),
        sa.Column("started_at", sa.BigInteger(), primary_key=True, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("units", sa.String(), nullable=False),
    )
