"""Senders that nobody registered: how many messages came under which id. Shell.

Invariant: whatever senders write, there are at most so many rows, and each holds an identifier: whoever has no row of its
own, or claims what does not look like an id, is counted among the others.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, select

from monitor.ledger import tables
from monitor.ledger.database import reading
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import table_of, upsert
from schemas.codec.claimed_unit import claimed_unit
from schemas.codec.reasons import Reason
from schemas.events import DeadLetter
from schemas.topics import Topic

OTHERS: Final = "(others)"
"""Cannot be taken for an id: none begins with a bracket."""
MOST_SENDERS: Final = 200
"""Rows; a city does not begin with two hundred new hospitals at once, and each is a label of a metric."""
_FORGOTTEN_AFTER: Final = timedelta(days=30)
"""A row that has been still for so long makes room for a new one when there is none."""
_SENDER: Final = table_of(tables.UnknownSenderRow)


@dataclass(frozen=True)
class UnknownSender:
    """Messages since the beginning under an id that was not registered; `first_at`, `last_at`: when the broker took them."""

    claimed_unit_id: str
    messages: int
    first_at: datetime
    last_at: datetime


def post_unknown_senders(connection: Connection, topic: Topic, dead_letters: Sequence[DeadLetter]) -> None:
    """Count the senders of `dead_letters` that were not registered. Runs inside the transaction that keeps these."""
    strange = [letter for letter in dead_letters if letter.reason == Reason.UNKNOWN_UNIT]
    if not strange:
        return
    claims = [claimed_unit(letter.value, topic) or OTHERS for letter in strange]
    known = _with_room(connection, set(claims), max(letter.received_at for letter in strange))
    claims = [claim if claim in known else OTHERS for claim in claims]
    first: dict[str, datetime] = {}
    last: dict[str, datetime] = {}
    for claim, letter in zip(claims, strange, strict=True):
        first[claim] = min(first.get(claim, letter.received_at), letter.received_at)
        last[claim] = max(last.get(claim, letter.received_at), letter.received_at)
    rows = [
        {"claimed_unit_id": claim, "messages": count, "first_at": first[claim], "last_at": last[claim]}
        for claim, count in sorted(Counter(claims).items())  # one order: two workers cannot wait for each other
    ]
    upsert(connection, _SENDER, rows, add=("messages",), least=("first_at",), greatest=("last_at",))


def unknown_senders(engine: Engine) -> list[UnknownSender]:
    """Every counted sender, most messages first. Raises LedgerUnavailable."""
    with friendly_errors(engine), reading(engine) as connection:
        return read_unknown_senders(connection)


def read_unknown_senders(connection: Connection) -> list[UnknownSender]:
    """Every counted sender, most messages first."""
    rows = connection.execute(select(_SENDER).order_by(_SENDER.c.messages.desc(), _SENDER.c.claimed_unit_id))
    return [UnknownSender(row.claimed_unit_id, row.messages, row.first_at, row.last_at) for row in rows]


def _with_room(connection: Connection, claims: set[str], now: datetime) -> set[str]:
    """Those of `claims` that have a row, or for which there is room."""
    had = set(connection.execute(select(_SENDER.c.claimed_unit_id).where(_SENDER.c.claimed_unit_id.in_(claims))).scalars())
    new = sorted(claims - had - {OTHERS})
    if not new:
        return had
    room = MOST_SENDERS - _count(connection)
    if room < len(new):
        still = _SENDER.c.last_at < now - _FORGOTTEN_AFTER
        connection.execute(delete(_SENDER).where(still, _SENDER.c.claimed_unit_id != OTHERS))
        room = MOST_SENDERS - _count(connection)
    return had | set(new[: max(room, 0)])


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(_SENDER)).scalar_one()
