"""An incident has a number and a life; what targets were told; messages that wait.

Revision 0005, after 0004. Of several incidents that stood open under one fingerprint the latest stays open: the others
were left over by a restart of Alertmanager, and nothing would ever have closed them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")


def upgrade() -> None:
    op.rename_table("incident", "incident_before")
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("alertname", sa.String(), nullable=False),
        sa.Column("unit_id", sa.String(), nullable=True),
        sa.Column("feed", sa.String(), nullable=True),
        sa.Column("severity", sa.String(), nullable=True),
        sa.Column("scope", sa.String(), nullable=True),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("summary_zh", sa.String(), nullable=False),
        sa.Column("labels", sa.String(), nullable=False),
        sa.Column("platform_time", sa.BigInteger(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("muted_until", sa.BigInteger(), nullable=True),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("last_delivery_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="incident_numbered_pkey"),
    )
    _copy_incidents()
    op.drop_table("incident_before")
    op.create_index("incident_open", "incident", ["fingerprint"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("incident_fingerprint", "incident", ["fingerprint"])
    _make_events()
    _make_outbox()


def _copy_incidents() -> None:
    same = "fingerprint, started_at, alertname, unit_id, feed, severity, summary, summary_zh, labels, platform_time, opened_at"
    counted = "deliveries, last_delivery_at"
    newer = "EXISTS (SELECT 1 FROM incident_before n WHERE n.fingerprint = b.fingerprint AND n.opened_at > b.opened_at)"
    tied = (
        "EXISTS (SELECT 1 FROM incident_before n WHERE n.fingerprint = b.fingerprint AND n.opened_at = b.opened_at "
        "AND n.started_at > b.started_at)"
    )
    left_over = f"closed_at IS NULL AND ({newer} OR {tied})"
    closed_at = f"CASE WHEN {left_over} THEN last_delivery_at ELSE closed_at END"
    closed_by = f"CASE WHEN {left_over} THEN 'hipwatch' WHEN closed_at IS NOT NULL THEN 'alertmanager' END"
    op.execute(
        f"INSERT INTO incident ({same}, {counted}, closed_at, closed_by, change, changed_at, resolved_at) "
        f"SELECT {same}, {counted}, {closed_at}, {closed_by}, "
        f"CASE WHEN closed_at IS NULL AND NOT ({left_over}) THEN 1 ELSE 2 END, "
        f"coalesce({closed_at}, opened_at), closed_at FROM incident_before b ORDER BY opened_at, started_at"
    )


def _make_events() -> None:
    op.create_table(
        "incident_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("incident_event_of", "incident_event", ["incident_id", "at"])
    for kind, moment, by in (("opened", "opened_at", "'alertmanager'"), ("closed", "closed_at", "closed_by")):
        op.execute(
            f'INSERT INTO incident_event (incident_id, kind, at, "by", text) '
            f"SELECT id, '{kind}', {moment}, {by}, '' FROM incident WHERE {moment} IS NOT NULL ORDER BY id"
        )
    op.create_table(
        "incomplete_delivery",
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("deliveries", sa.BigInteger(), nullable=False),
        sa.Column("alerts", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reason"),
    )


def _make_outbox() -> None:
    op.create_table(
        "outbox_target",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("summary_of", sa.Date(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("problem_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("target"),
    )
    op.create_table(
        "outbox_told",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("incident_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target", "incident_id"),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("group_key", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_message_waiting", "outbox_message", ["target", "state", "id"])
