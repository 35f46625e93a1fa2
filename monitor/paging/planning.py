"""Plan what a target is to be told now, and write it to the outbox. Shell: reads the incident log, the rest is core.

While a target has an unsent message nothing more is planned for it: what happens meanwhile becomes one message.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from monitor.judgement.judge import Snapshot
from monitor.ledger.database import Engine
from monitor.ledger.outbox import Outbox, PendingIncident, TargetState, TellNow
from monitor.paging.compose import Composer, number_of, told_as
from monitor.paging.message import Message, MessageKind, Severity
from monitor.paging.plan import Group, Plan, Planned, Told, plan
from monitor.paging.target import Target
from schemas.clock import SHANGHAI
from schemas.register import Register

UNREACHABLE: Final = "TargetUnreachable"
_REMINDER: Final = Group(MessageKind.REMINDER, "", Severity.PAGE, "", None)

DailySummary = Callable[[datetime], Message | None]
"""The summary of the day before a moment (wall time); None when there is nothing to sum up yet."""


class Planner:
    """Plans with the register and the snapshot of the moment."""

    def __init__(
        self,
        engine: Engine,
        register: Callable[[], Register],
        snapshot: Callable[[], Snapshot | None],
        summary: DailySummary | None = None,
    ) -> None:
        self._outbox = Outbox(engine)
        self._register = register
        self._snapshot = snapshot
        self._summary = summary

    def plan(self, target: Target, most: int, now: datetime) -> bool:
        """Write at most `most` messages (less those of the last minute). True when there is something to send."""
        state = self._outbox.read_target(target.name, now)
        if state.waiting or state.sent_lately >= most:
            return False
        composer = Composer(self._register(), self._snapshot())
        pending = self._outbox.pending(target.name, state, now)
        told = told_as(pending)
        standings = [composer.standing(one) for one in pending if not _about(one, target)]
        planned = plan(target, standings, told, state.last_told, now, most - state.sent_lately)
        messages = _news(composer, pending, planned, now) or self._reminder(target, composer, now)
        summary = self._daily(target, state, now)
        if summary is not None:
            messages.append(TellNow(MessageKind.SUMMARY, summary.model_dump_json(), {}))
        passed_over = _passed_over(planned, told)
        if not messages and not passed_over:
            return False
        day = _local_day(now) if summary is not None else None
        return self._outbox.write(target.name, state.version, messages, passed_over, now, summary_of=day) and bool(messages)

    def _reminder(self, target: Target, composer: Composer, now: datetime) -> list[TellNow]:
        if target.pace.remind is None:
            return []
        due = self._outbox.unacknowledged(target.name, now - target.pace.remind, now)
        due = [incident for incident in due if target.takes(composer.subject(incident))]
        if not due:
            return []
        told = {number_of(incident): (True, incident.change) for incident in due}
        return [TellNow(_REMINDER.key, composer.message(_REMINDER, due, now).model_dump_json(), told)]

    def _daily(self, target: Target, state: TargetState, now: datetime) -> Message | None:
        if self._summary is None or target.summary_at is None or now.astimezone(SHANGHAI).time() < target.summary_at:
            return None
        return None if state.summary_of == _local_day(now) else self._summary(now)


def _news(composer: Composer, pending: Sequence[PendingIncident], planned: Plan, now: datetime) -> list[TellNow]:
    incidents = {number_of(one.incident): one.incident for one in pending}

    def message(one: Planned) -> TellNow:
        members = [incidents[standing.incident_id] for standing in one.incidents]
        told = {standing.incident_id: (standing.is_open, standing.change) for standing in one.incidents}
        return TellNow(one.group.key, composer.message(one.group, members, now).model_dump_json(), told)

    return [message(one) for one in planned.due]


def _passed_over(planned: Plan, told: Mapping[int, Told]) -> dict[int, tuple[bool, int]]:
    """As before, but as of the latest change: so they are not looked at again."""
    return {
        one.incident_id: (one.incident_id in told and told[one.incident_id].is_open and one.is_open, one.change)
        for one in planned.passed_over
    }


def _about(pending: PendingIncident, target: Target) -> bool:
    """Whether an incident tells of the target itself: it would learn of its own outage when that is over."""
    incident = pending.incident
    return incident.alertname == UNREACHABLE and f'"part": "{target.name}"' in incident.labels


def _local_day(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
