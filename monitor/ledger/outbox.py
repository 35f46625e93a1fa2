"""Messages that wait for their targets, and what each target was told. Shell.

Any number of processes may serve one ledger: a plan moves the target's version, and a message is claimed, each by
compare-and-set; who comes second changes nothing. Order is kept for each target: only its oldest waiting message goes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, and_, func, or_, select, update

from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.statements import in_parts, insert, insert_rows, table_of

_INCIDENT: Final = table_of(tables.Incident)
_EVENT: Final = table_of(tables.IncidentEvent)
_TARGET: Final = table_of(tables.OutboxTarget)
_TOLD: Final = table_of(tables.OutboxTold)
_MESSAGE: Final = table_of(tables.OutboxMessage)
_CLOCK: Final = table_of(tables.PlatformClock)
_LATELY: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_MOST_PENDING: Final = 20_000
"""Incidents that one plan looks at; the rest waits for the next."""


@dataclass(frozen=True)
class PendingIncident:
    """An incident whose latest change a target was not told. `told_*` are None if it was told nothing of it."""

    incident: tables.Incident
    told_open: bool | None
    told_change: int | None
    changes_lately: int


@dataclass(frozen=True)
class TargetState:
    """What the ledger knows of a target, read for one plan. `waiting` messages are not sent yet."""

    version: int
    began_at: datetime
    waiting: int
    sent_lately: int
    summary_of: date | None
    last_told: Mapping[str, datetime]


@dataclass(frozen=True)
class TellNow:
    """A message to be written, and the incidents (by number) as which they are told with it: open or over, which change."""

    group_key: str
    body: str
    told: Mapping[int, tuple[bool, int]]


@dataclass(frozen=True)
class ClaimedMessage:
    """A message that is ours to send until `claimed_until`. `repeated`: an earlier sender never said what became of it."""

    number: int
    body: str
    attempts: int
    created_at: datetime
    repeated: bool


class Outbox:
    """The outbox of a ledger. Moments are wall time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read_target(self, target: str, now: datetime) -> TargetState:
        """How a target stands; one that was never served begins now. Raises LedgerUnavailable."""
        mine = _MESSAGE.c.target == target
        waiting = select(func.count()).where(mine, _MESSAGE.c.state == "waiting")
        lately = select(func.count()).where(mine, _MESSAGE.c.settled_at > now - timedelta(minutes=1))
        last = select(_MESSAGE.c.group_key, func.max(_MESSAGE.c.created_at)).where(mine, _MESSAGE.c.created_at > now - _DAY)
        with friendly_errors(self._engine), self._engine.connect() as connection:
            row = connection.execute(select(_TARGET).where(_TARGET.c.target == target)).first()
            told = connection.execute(last.group_by(_MESSAGE.c.group_key)).all()
            counts = connection.execute(waiting).scalar_one(), connection.execute(lately).scalar_one()
        if row is None:
            self._begin(target, now)
            return TargetState(0, now, *counts, None, {})
        return TargetState(row.version, row.began_at, *counts, row.summary_of, {one[0]: one[1] for one in told})

    def _begin(self, target: str, now: datetime) -> None:
        first = {"target": target, "began_at": now, "version": 0, "problem": ""}
        with friendly_errors(self._engine), writing(self._engine) as connection:
            connection.execute(insert(connection, _TARGET).on_conflict_do_nothing(), [first])

    def pending(self, target: str, state: TargetState, now: datetime) -> list[PendingIncident]:
        """Incidents whose latest change the target was not told, oldest change first.

        A target that is new hears of what is open now and of what happens from then on, not of what was over before.
        """
        told = and_(_TOLD.c.target == target, _TOLD.c.incident_id == _INCIDENT.c.id)
        concerns = or_(_INCIDENT.c.closed_at.is_(None), _INCIDENT.c.changed_at >= state.began_at)
        news = or_(_TOLD.c.change.is_(None), _TOLD.c.change < _INCIDENT.c.change)
        lately = select(func.count()).where(_EVENT.c.incident_id == _INCIDENT.c.id, _EVENT.c.at > now - _LATELY)
        turns = lately.where(_EVENT.c.kind.in_(("opened", "reopened", "closed"))).correlate(_INCIDENT).scalar_subquery()
        statement = (
            select(_INCIDENT, _TOLD.c.is_open.label("told_open"), _TOLD.c.change.label("told_change"), turns.label("turns"))
            .select_from(_INCIDENT.outerjoin(_TOLD, told))
            .where(concerns, news)
            .order_by(_INCIDENT.c.changed_at, _INCIDENT.c.id)
            .limit(_MOST_PENDING)
        )
        with friendly_errors(self._engine), self._engine.connect() as connection:
            rows = connection.execute(statement).mappings().all()
        return [_pending(row) for row in rows]

    def unacknowledged(self, target: str, told_before: datetime, now: datetime) -> list[tables.Incident]:
        """Open pages that nobody takes care of, not muted, which the target was told to be open, the last time before then."""
        told = and_(_TOLD.c.target == target, _TOLD.c.incident_id == _INCIDENT.c.id)
        statement = (
            select(_INCIDENT)
            .select_from(_INCIDENT.join(_TOLD, told))
            .where(
                _INCIDENT.c.closed_at.is_(None),
                _INCIDENT.c.acknowledged_at.is_(None),
                _INCIDENT.c.severity == "page",
                or_(_INCIDENT.c.muted_until.is_(None), _INCIDENT.c.muted_until <= now),
                _TOLD.c.is_open,
                _TOLD.c.told_at <= told_before,
            )
            .order_by(_INCIDENT.c.opened_at, _INCIDENT.c.id)
        )
        with friendly_errors(self._engine), self._engine.connect() as connection:
            rows = connection.execute(statement).mappings().all()
        return [tables.Incident(**row) for row in rows]

    def write(
        self,
        target: str,
        version: int,
        messages: Sequence[TellNow],
        passed_over: Mapping[int, tuple[bool, int]],
        now: datetime,
        *,
        summary_of: date | None = None,
    ) -> bool:
        """Write the messages of a plan, and that they are told, in one transaction. False: somebody else planned meanwhile."""
        with friendly_errors(self._engine), writing(self._engine) as connection:
            moved = {"version": version + 1} | ({"summary_of": summary_of} if summary_of else {})
            ours = (_TARGET.c.target == target, _TARGET.c.version == version)
            if connection.execute(update(_TARGET).where(*ours).values(moved)).rowcount == 0:
                return False
            rows = [_waiting(target, message, now) for message in messages]
            insert_rows(connection, insert(connection, _MESSAGE), rows)
            told = dict(passed_over)
            for message in messages:
                told |= message.told
            _tell(connection, target, told, now)
        return True

    def claim(self, target: str, me: str, now: datetime, lease: timedelta) -> ClaimedMessage | None:
        """The target's oldest waiting message, if it is due and nobody else has it. Raises LedgerUnavailable."""
        with friendly_errors(self._engine), writing(self._engine) as connection:
            waiting = select(_MESSAGE).where(_MESSAGE.c.target == target, _MESSAGE.c.state == "waiting")
            row = connection.execute(waiting.order_by(_MESSAGE.c.id).limit(1)).first()
            if row is None or row.due_at > now or (row.claimed_until is not None and row.claimed_until > now):
                return None
            before = _MESSAGE.c.claimed_until
            unchanged = before.is_(None) if row.claimed_until is None else before == row.claimed_until
            ours = (_MESSAGE.c.id == row.id, _MESSAGE.c.state == "waiting", unchanged)
            claimed = {"claimed_by": me, "claimed_until": now + lease, "attempts": row.attempts + 1}
            if connection.execute(update(_MESSAGE).where(*ours).values(claimed)).rowcount == 0:
                return None
            return ClaimedMessage(row.id, row.body, row.attempts + 1, row.created_at, row.claimed_until is not None)

    def settle(self, number: int, me: str, state: str, now: datetime, problem: str = "") -> None:
        """It was delivered (`sent`), or is given up (`given_up`)."""
        self._answer(number, me, {"state": state, "settled_at": now, "problem": problem, "claimed_until": None})

    def put_off(self, number: int, me: str, until: datetime, problem: str, *, doubtful_at: datetime | None = None) -> None:
        """It was not delivered: try again at `until`. With `doubtful_at` (now) nobody knows: it is sent again as a repetition."""
        self._answer(number, me, {"due_at": until, "problem": problem, "claimed_until": doubtful_at})

    def note_problem(self, target: str, problem: str, now: datetime) -> datetime | None:
        """What is wrong with a target, empty when nothing is. Returns since when."""
        with friendly_errors(self._engine), writing(self._engine) as connection:
            since = connection.execute(select(_TARGET.c.problem_since).where(_TARGET.c.target == target)).scalar()
            since = (since or now) if problem else None
            values = {"problem": problem, "problem_since": since}
            connection.execute(update(_TARGET).where(_TARGET.c.target == target).values(values))
        return since

    def platform_time(self) -> datetime | None:
        """The platform clock."""
        with friendly_errors(self._engine), self._engine.connect() as connection:
            return connection.execute(select(_CLOCK.c.complete_until)).scalar()

    def _answer(self, number: int, me: str, values: dict[str, Any]) -> None:
        with friendly_errors(self._engine), writing(self._engine) as connection:
            ours = (_MESSAGE.c.id == number, _MESSAGE.c.claimed_by == me, _MESSAGE.c.state == "waiting")
            connection.execute(update(_MESSAGE).where(*ours).values(values))


def list_messages(engine: Engine, most: int = 1000) -> list[tables.OutboxMessage]:
    """The latest messages, oldest first."""
    with friendly_errors(engine), engine.connect() as connection:
        rows = connection.execute(select(_MESSAGE).order_by(_MESSAGE.c.id.desc()).limit(most)).mappings().all()
    return [tables.OutboxMessage(**row) for row in reversed(rows)]


def _pending(row: Any) -> PendingIncident:
    values = dict(row)
    told_open, told_change, turns = values.pop("told_open"), values.pop("told_change"), values.pop("turns")
    return PendingIncident(tables.Incident(**values), told_open, told_change, turns)


def _waiting(target: str, message: TellNow, now: datetime) -> dict[str, Any]:
    unsent = {"attempts": 0, "claimed_by": "", "state": "waiting", "problem": ""}
    return {"target": target, "group_key": message.group_key, "body": message.body, "created_at": now, "due_at": now, **unsent}


def _tell(connection: Connection, target: str, told: Mapping[int, tuple[bool, int]], now: datetime) -> None:
    rows = [
        {"target": target, "incident_id": number, "is_open": is_open, "change": change, "told_at": now}
        for number, (is_open, change) in told.items()
    ]
    statement = insert(connection, _TOLD)
    new = statement.excluded
    changed = {"is_open": new.is_open, "change": new.change, "told_at": new.told_at}
    statement = statement.on_conflict_do_update(index_elements=["target", "incident_id"], set_=changed)
    for some in in_parts(rows):
        insert_rows(connection, statement, some)
