"""On which day was sent what for which date: lateness, wrong clocks and uploads that are empty or always for one date.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COUNTS = ("events", "records", "empty", "ahead", "behind", "ahead_seconds", "behind_seconds")


def upgrade() -> None:
    op.create_table(
        "sent_day",
        sa.Column("unit_id", sa.String(), primary_key=True, nullable=False),
        sa.Column("feed", sa.String(), primary_key=True, nullable=False),
        sa.Column("business_date", sa.Date(), primary_key=True, nullable=False),
        sa.Column("sent_on", sa.Date(), primary_key=True, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _COUNTS),
    )
    op.create_index("ix_sent_day_business_date", "sent_day", ["business_date"])
