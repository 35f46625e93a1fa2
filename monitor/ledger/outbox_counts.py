"""How paging stands, counted: messages by target, failing targets, incomplete deliveries, open incidents. Shell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, func, select

from monitor.ledger import tables
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import table_of

_MESSAGE: Final = table_of(tables.OutboxMessage)
_TARGET: Final = table_of(tables.OutboxTarget)
_INCOMPLETE: Final = table_of(tables.IncompleteDelivery)
_INCIDENT: Final = table_of(tables.Incident)


@dataclass(frozen=True)
class PagingCounts:
    """All of one moment. `messages` are by target and state; `oldest_waiting` and `failing_since` are wall time, by target.

    `incomplete` counts deliveries by reason; `open_incidents` are by alert and whether somebody has acknowledged them.
    """

    targets: Sequence[str]
    messages: Mapping[tuple[str, str], int]
    oldest_waiting: Mapping[str, datetime]
    failing_since: Mapping[str, datetime]
    incomplete: Mapping[str, int]
    open_incidents: Mapping[tuple[str, bool], int]


def read_paging_counts(engine: Engine) -> PagingCounts:
    """Read everything in one read transaction. Raises LedgerUnavailable."""
    by_state = select(_MESSAGE.c.target, _MESSAGE.c.state, func.count()).group_by(_MESSAGE.c.target, _MESSAGE.c.state)
    oldest = select(_MESSAGE.c.target, func.min(_MESSAGE.c.created_at)).where(_MESSAGE.c.state == "waiting")
    acknowledged = _INCIDENT.c.acknowledged_at.is_not(None)
    is_open = select(_INCIDENT.c.alertname, acknowledged, func.count()).where(_INCIDENT.c.closed_at.is_(None))
    with friendly_errors(engine), engine.connect() as connection, connection.begin():
        targets = connection.execute(select(_TARGET.c.target, _TARGET.c.problem_since).order_by(_TARGET.c.target)).all()
        return PagingCounts(
            targets=[name for name, _ in targets],
            messages={(target, state): count for target, state, count in connection.execute(by_state)},
            oldest_waiting={target: moment for target, moment in connection.execute(oldest.group_by(_MESSAGE.c.target))},  # noqa: C416 - rows are no pairs to mypy
            failing_since={name: since for name, since in targets if since is not None},
            incomplete={row.reason: row.deliveries for row in connection.execute(select(_INCOMPLETE))},
            open_incidents={
                (alertname, bool(known)): count
                for alertname, known, count in connection.execute(is_open.group_by(_INCIDENT.c.alertname, acknowledged))
            },
        )
