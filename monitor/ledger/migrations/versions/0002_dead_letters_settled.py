"""Dead letters can be found by unit, and be replayed or discarded.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dead_letter", sa.Column("unit_id", sa.String(), nullable=True))
    op.add_column("dead_letter", sa.Column("state", sa.String(), nullable=False, server_default="kept"))
    op.add_column("dead_letter", sa.Column("settled_at", sa.BigInteger(), nullable=True))
