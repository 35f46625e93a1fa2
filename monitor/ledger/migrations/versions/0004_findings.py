"""Findings are kept from opened to closed; the tables that a unit ever uploaded need not be read from all its days.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "finding",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("what_zh", sa.String(), nullable=False),
        sa.Column("what_en", sa.String(), nullable=False),
        sa.Column("ask_zh", sa.String(), nullable=False),
        sa.Column("ask_en", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("unusual", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "unit_id", "feed", "opened_at"),
    )
    op.create_table(
        "judged_until",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=True),
        sa.Column("judged_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO judged_until (id) VALUES (1)")
    op.create_table(
        "uploaded_table",
        sa.Column("unit_id", sa.String(), nullable=False),
        sa.Column("table_code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "table_code"),
    )
    op.execute(
        "INSERT INTO uploaded_table (unit_id, table_code) SELECT DISTINCT unit_id, table_code FROM upload_day WHERE records > 0"
    )
