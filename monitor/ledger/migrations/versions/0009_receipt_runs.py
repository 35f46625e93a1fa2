"""Receipts are kept in runs of hashes; gaps and streams keep their dates; a dead letter may stand where one stood before.

Revision 0009, after 0008. The receipts of single events become runs, in one transaction: some ten seconds for a million.
"""

import secrets
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from monitor.counting.receipt_hash import KEY_BYTES, receipt_hashes

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_AT_ONCE: Final = 50_000
"""Receipts read at a time; well within the time limits of a statement and of a transaction that waits for us."""
_LONGEST: Final = 1024
_EPOCH: Final = date(1970, 1, 1).toordinal()
_KEY: Final = ("unit_id", "topic", "series")


def upgrade() -> None:
    op.add_column("source_offset", sa.Column("greatest_event_at", sa.BigInteger(), nullable=True))
    for name in ("last_day", "oldest_day", "newest_day"):
        op.add_column("stream_state", sa.Column(name, sa.Integer(), nullable=True))
    for name in ("after_day", "before_day"):
        op.add_column("open_gap", sa.Column(name, sa.Integer(), nullable=True))
    key_table = op.create_table(
        "ledger_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    key = secrets.token_bytes(KEY_BYTES)
    op.bulk_insert(key_table, [{"id": 1, "key": key}])
    runs = op.create_table(
        "receipt_run",
        *(sa.Column(name, sa.String(), nullable=False) for name in _KEY),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("oldest_day", sa.Integer(), nullable=False),
        sa.Column("newest_day", sa.Integer(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, "first"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE receipt_run ALTER COLUMN hashes SET STORAGE EXTERNAL")  # hashes cannot be compressed
    _date_gaps()
    _move_receipts(runs, key)
    op.drop_table("counted_event")
    _number_dead_letters()


def _date_gaps() -> None:
    """The dates beside a gap, and of each stream's greatest number, were looked up in the receipts."""
    days = "business_date - DATE '1970-01-01'"
    if op.get_bind().dialect.name == "sqlite":
        days = "CAST(julianday(business_date) - 2440587.5 AS INTEGER)"
    for table, column, number in (
        ("open_gap", "after_day", "open_gap.first_missing - 1"),
        ("open_gap", "before_day", "open_gap.last_missing + 1"),
        ("stream_state", "last_day", "stream_state.next_sequence - 1"),
    ):
        same = " AND ".join(f"c.{name} = {table}.{name}" for name in _KEY)
        op.execute(
            f"UPDATE {table} SET {column} = (SELECT {days} FROM counted_event AS c WHERE {same} AND c.sequence = {number})"
        )


def _move_receipts(runs: sa.Table, key: bytes) -> None:
    bind = op.get_bind()
    dates: dict[tuple[str, ...], tuple[int, int]] = {}
    for page in _pages(bind):
        hashes = receipt_hashes(key, [row[4] for row in page]).tobytes()
        rows = []
        for first, last in _runs(page):
            stream = tuple(page[first][:3])
            days = [row[5] for row in page[first:last]]
            oldest, newest = (_days(day) for day in (min(days), max(days)))
            known = dates.get(stream, (oldest, newest))
            dates[stream] = min(known[0], oldest), max(known[1], newest)
            values = (*stream, page[first][3], oldest, newest, hashes[8 * first : 8 * last])
            rows.append(dict(zip(runs.c.keys(), values, strict=True)))
        bind.execute(runs.insert(), rows)
    update = sa.text(
        "UPDATE stream_state SET oldest_day = :oldest, newest_day = :newest"
        " WHERE unit_id = :unit_id AND topic = :topic AND series = :series"
    )
    for (unit_id, topic, series), (oldest, newest) in dates.items():
        given = {"unit_id": unit_id, "topic": topic, "series": series, "oldest": oldest, "newest": newest}
        bind.execute(update, given)


def _pages(bind: sa.Connection) -> Iterator[Sequence[Sequence[Any]]]:
    """All receipts, in order of stream and number."""
    table = sa.table("counted_event", *(sa.column(name) for name in (*_KEY, "sequence", "event_id", "business_date")))
    place = sa.tuple_(table.c.unit_id, table.c.topic, table.c.series, table.c.sequence)
    statement = sa.select(table).order_by(*list(table.c)[:4]).limit(_AT_ONCE)
    page = bind.execute(statement).all()
    while page:
        yield page
        page = bind.execute(statement.where(place > sa.tuple_(*page[-1][:4]))).all()


def _runs(page: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int]]:
    """Where in the page each run begins and ends: numbers of one stream that follow each other."""
    places = groupby(range(len(page)), key=lambda place: (*page[place][:3], page[place][3] - place))
    for _, found in places:
        run = list(found)
        for start in range(0, len(run), _LONGEST):
            part = run[start : start + _LONGEST]
            yield part[0], part[-1] + 1


def _days(day: date | str) -> int:
    return (day if isinstance(day, date) else date.fromisoformat(day)).toordinal() - _EPOCH


def _number_dead_letters() -> None:
    """`recurrence` joins the key."""
    place = ("topic_id", "partition", "position")
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("dead_letter", sa.Column("recurrence", sa.Integer(), nullable=False, server_default="0"))
        op.execute("ALTER TABLE dead_letter DROP CONSTRAINT dead_letter_pkey")
        op.create_primary_key("dead_letter_pkey", "dead_letter", [*place, "recurrence"])
        return
    op.rename_table("dead_letter", "dead_letter_before")
    others: dict[str, Any] = {
        "topic": sa.String(),
        "received_at": sa.BigInteger(),
        "reason": sa.String(),
        "detail": sa.String(),
        "key": sa.LargeBinary(),
        "value": sa.LargeBinary(),
        "published_at": sa.BigInteger(),
        "unit_id": sa.String(),
        "state": sa.String(),
        "settled_at": sa.BigInteger(),
    }
    optional = {"key", "value", "published_at", "unit_id", "settled_at"}
    op.create_table(
        "dead_letter",
        sa.Column("topic_id", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("recurrence", sa.Integer(), nullable=False, server_default="0"),
        *(sa.Column(name, kind, nullable=name in optional) for name, kind in others.items()),
        sa.PrimaryKeyConstraint(*place, "recurrence"),
    )
    names = ", ".join((*place, *others))
    op.execute(f"INSERT INTO dead_letter ({names}) SELECT {names} FROM dead_letter_before")
    op.drop_table("dead_letter_before")
