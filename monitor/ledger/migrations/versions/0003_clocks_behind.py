"""Events from a clock that runs behind are counted, as those from one that runs ahead are.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stream_state", sa.Column("behind", sa.BigInteger(), nullable=False, server_default="0"))
