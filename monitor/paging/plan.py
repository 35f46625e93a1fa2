"""What to tell a target now: the difference between how incidents stand and what it was last told. Core.

Nothing is told twice, because what was told is compared and not repeated; nothing is lost, because a difference stays
until it has been told. Whatever comes and goes meanwhile is one message, or none: that is how storms and flapping shrink.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from monitor.paging.message import MessageKind, Severity
from monitor.paging.target import Pace, Subject, Target


@dataclass(frozen=True)
class Standing:
    """How an incident stands. `change` numbers its latest opening or closing, `changed_at` (wall) dates it.

    `changes_lately` counts openings and closings within the last hour. `muted_until` is None for one that is not muted.
    """

    incident_id: int
    subject: Subject
    feed: str | None
    is_open: bool
    change: int
    changed_at: datetime
    changes_lately: int = 1
    muted_until: datetime | None = None

    def is_muted(self, now: datetime) -> bool:
        """Whether somebody wants to hear nothing of it now."""
        return self.muted_until is not None and now < self.muted_until


@dataclass(frozen=True)
class Told:
    """What a target was last told of an incident: that it is open or over, as of which change."""

    is_open: bool
    change: int


class Group(NamedTuple):
    """What goes into one message: the same news of the same alert and feed."""

    kind: MessageKind
    alertname: str
    severity: Severity
    scope: str
    feed: str | None

    @property
    def key(self) -> str:
        """Its name in the outbox."""
        return "|".join((self.kind, self.alertname, self.severity, self.scope, self.feed or ""))


@dataclass(frozen=True)
class Planned:
    """A message that is due: these incidents, in the order of `Standing`s given."""

    group: Group
    incidents: tuple[Standing, ...]


@dataclass(frozen=True)
class Plan:
    """`due` are messages, most urgent first; `passed_over` incidents of which this target is to hear nothing."""

    due: tuple[Planned, ...]
    passed_over: tuple[Standing, ...]


def plan(
    target: Target,
    pending: Iterable[Standing],
    told: Mapping[int, Told],
    last_told: Mapping[str, datetime],
    now: datetime,
    most: int,
) -> Plan:
    """At most `most` messages for what is `pending`, i.e. incidents whose latest change the target was not told.

    `last_told` says when each group (by key) last went to the target; all moments are wall time.
    """
    news: list[tuple[Group, Standing]] = []
    passed_over: list[Standing] = []
    for standing in pending:
        kind = _news(target, standing, told.get(standing.incident_id), now)
        if kind is None:
            passed_over.append(standing)
        elif not standing.is_muted(now) or kind is MessageKind.RECOVERED:
            news.append((_group(kind, standing), standing))
    waiting = [
        (group, tuple(one for _, one in members)) for group, members in groupby(sorted(news, key=_by_group), key=_group_of)
    ]
    due = [Planned(group, members) for group, members in waiting if _is_due(target, group, members, last_told, now)]
    return Plan(tuple(sorted(due, key=_urgency)[: max(most, 0)]), tuple(passed_over))


def _news(target: Target, standing: Standing, told: Told | None, now: datetime) -> MessageKind | None:
    """What there is to tell: it opened, it is over, or nothing."""
    if not target.takes(standing.subject):
        return None
    known_open = told is not None and told.is_open
    if standing.is_open:
        return None if known_open else MessageKind.OPENED
    if not target.recoveries or (standing.is_muted(now) and not known_open):
        return None
    return MessageKind.RECOVERED


def _is_due(target: Target, group: Group, members: Sequence[Standing], last_told: Mapping[str, datetime], now: datetime) -> bool:
    pace = target.pace
    if group.severity is not Severity.PAGE and target.quiet is not None and target.quiet.holds(now):
        return False
    last = last_told.get(group.key)
    if last is not None and now - last < pace.apart:
        return False
    moments = [one.changed_at for one in members if not _is_held(one, pace, now)]
    return bool(moments) and (now - max(moments) >= pace.settle or now - min(moments) >= pace.at_most)


def _is_held(standing: Standing, pace: Pace, now: datetime) -> bool:
    """Who comes and goes all the time is told of when it has kept still, not at each turn."""
    return standing.changes_lately > pace.flaps and now - standing.changed_at < pace.flap_hold


def _group(kind: MessageKind, standing: Standing) -> Group:
    subject = standing.subject
    return Group(kind, subject.alertname, subject.severity, subject.scope, standing.feed)


def _group_of(entry: tuple[Group, Standing]) -> Group:
    return entry[0]


def _by_group(entry: tuple[Group, Standing]) -> tuple[str, datetime, int]:
    return (entry[0].key, entry[1].changed_at, entry[1].incident_id)


def _urgency(planned: Planned) -> tuple[bool, bool, datetime]:
    group = planned.group
    return (group.severity is not Severity.PAGE, group.kind is not MessageKind.OPENED, planned.incidents[0].changed_at)
