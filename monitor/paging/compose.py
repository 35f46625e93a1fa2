"""Incidents as the plan and the messages need them: with the unit's names, what it last sent and what it owes. Core."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from monitor.counting.feeds import Feed
from monitor.judgement.judge import Snapshot
from monitor.ledger.incident_changes import BY_LEDGER, BY_MONITOR, BY_SENDER
from monitor.ledger.outbox import PendingIncident
from monitor.ledger.tables.paging import Incident
from monitor.paging.durations import moment_en, moment_zh
from monitor.paging.message import Item, Message, MessageKind, Severity
from monitor.paging.plan import Group, Standing, Told
from monitor.paging.target import Subject
from schemas.events import UnitId
from schemas.register import Register, Unit, UnitKind

_MOST_ITEMS: Final = 300
"""Incidents whose facts a message carries; no robot shows more, and the rest is counted."""
_PROGRAMS: Final = frozenset({BY_LEDGER, BY_SENDER, BY_MONITOR})


class Composer:
    """Turns incidents into standings and messages, with what the register and the latest snapshot know of their units."""

    def __init__(self, register: Register, snapshot: Snapshot | None) -> None:
        self._register = register
        self._snapshot = snapshot

    def standing(self, pending: PendingIncident) -> Standing:
        """How an incident stands."""
        incident = pending.incident
        return Standing(
            incident_id=number_of(incident),
            subject=self.subject(incident),
            feed=incident.feed,
            is_open=incident.closed_at is None,
            change=incident.change,
            changed_at=incident.changed_at,
            changes_lately=pending.changes_lately,
            muted_until=incident.muted_until,
        )

    def subject(self, incident: Incident) -> Subject:
        """What routes and mentions look at."""
        unit = self._unit(incident)
        return Subject(
            alertname=incident.alertname,
            severity=Severity.PAGE if incident.severity == Severity.PAGE else Severity.TICKET,
            scope=incident.scope or ("unit" if incident.unit_id else ""),
            district=None if unit is None else district_of(unit),
            unit_kind=None if unit is None else str(unit.kind),
            unit_id=incident.unit_id,
        )

    def message(self, group: Group, incidents: Sequence[Incident], now: datetime) -> Message:
        """One message for a group, the longest silence first."""
        items = sorted((self.item(incident, group.kind) for incident in incidents), key=lambda item: (item.since, item.name_zh))
        return Message(
            kind=group.kind,
            alertname=group.alertname,
            severity=group.severity,
            scope=group.scope,
            feed=group.feed,
            items=tuple(items[:_MOST_ITEMS]),
            beyond=max(len(items) - _MOST_ITEMS, 0),
            created_at=now,
        )

    def item(self, incident: Incident, kind: MessageKind) -> Item:
        """One incident's facts."""
        unit = self._unit(incident)
        platform = incident.began_at is not None
        over = kind is MessageKind.RECOVERED
        last, owed_zh, owed_en = self._owed(incident, over=over)
        return Item(
            incident_id=number_of(incident),
            unit_id=incident.unit_id,
            name_zh=unit.name_zh if unit else "",
            name_en=unit.name_en if unit else "",
            district=district_of(unit) if unit else None,
            unit_kind=str(unit.kind) if unit else None,
            feed=incident.feed,
            since=incident.began_at or incident.started_at,
            until=self._until(incident) if over else None,
            platform_time=platform,
            last_upload=last,
            owed_zh=owed_zh,
            owed_en=owed_en,
            contact=contact_of(unit) if unit else "",
            reopened=incident.reopened,
            closed_by=incident.closed_by if over and incident.closed_by and incident.closed_by not in _PROGRAMS else "",
            summary_zh=incident.summary_zh or incident.summary,
            summary_en=incident.summary or incident.summary_zh,
        )

    def _until(self, incident: Incident) -> datetime | None:
        if incident.began_at is None:
            return incident.closed_at
        return incident.ended_at or (self._snapshot.status.clock if self._snapshot else None) or incident.began_at

    def _unit(self, incident: Incident) -> Unit | None:
        return self._register.units.get(UnitId(incident.unit_id)) if incident.unit_id else None

    def _owed(self, incident: Incident, *, over: bool) -> tuple[datetime | None, str, str]:
        """The last upload, and what has to be sent again, Chinese and English."""
        if self._snapshot is None or incident.unit_id is None or incident.feed not in set(Feed):
            return None, "", ""
        feed = Feed(incident.feed)
        progress = self._snapshot.facts.progress.get((UnitId(incident.unit_id), feed))
        if progress is None:
            return None, "", ""
        last = progress.last_event_at
        if over:
            return last, "中断期间的数据", "the data of that time"
        if feed is Feed.SCHEDULED:
            first = progress.last_business_date + timedelta(days=1)
            return last, f"业务日期 {first.month}月{first.day}日 起的定时数据", f"business dates from {first.day} {first:%b} on"
        return last, f"{moment_zh(last, last)} 之后的实时表单", f"realtime forms after {moment_en(last, last)}"


def told_as(pending: Sequence[PendingIncident]) -> dict[int, Told]:
    """What a target was told of these incidents, by number."""
    return {
        number_of(one.incident): Told(one.told_open, one.told_change)
        for one in pending
        if one.told_open is not None and one.told_change is not None
    }


def number_of(incident: Incident) -> int:
    """An incident's number; one that was read has one."""
    if incident.id is None:
        raise AssertionError("an incident that was read has a number")
    return incident.id


def district_of(unit: Unit) -> str | None:
    """The district that a unit is or belongs to, where the register says so."""
    return unit.district or (unit.unit_id if unit.kind == UnitKind.DISTRICT else None)


def contact_of(unit: Unit) -> str:
    """A role and a number, where the register has them."""
    return f"{unit.contact_role} {unit.contact_number}".strip()
