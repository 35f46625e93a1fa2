"""The state of a city made from register and stored flips, and what it says in the words of unit status. Core."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.counting.feeds import Feed
from monitor.judgement.activity import HOURS_EAST, ActivityHistory, local_hours
from monitor.judgement.calendar import Calendar
from monitor.judgement.conditions import RECOVERY_HOURS, CityState, Silence, Verdicts
from monitor.judgement.unit_status import FeedCondition, FeedStatus, OutageStatus
from monitor.judgement.whole_outages import Outage, Scope, scopes_of
from monitor.ledger.tables import FeedOutage, Flip
from schemas.events import UnitId
from schemas.register import Register

Key = tuple[UnitId, Feed]


def moment_at(hours: float) -> datetime:
    """The UTC moment of local hours since 1970; to the second."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=round((hours - HOURS_EAST) * 3600))


def city_of(register: Register, keys: Sequence[Key], calendar: Calendar) -> CityState:
    """A city of which nothing is known yet, with the groups that the register names."""
    units = register.units.values()
    districts: dict[UnitId, str] = {unit.unit_id: unit.district for unit in units if unit.district}
    vendors = {unit.unit_id: unit.vendor for unit in units if unit.vendor}
    scheduled = np.array([feed is Feed.SCHEDULED for _, feed in keys])
    scopes = scopes_of(keys, [("district", districts), ("vendor", vendors)])
    return CityState(ActivityHistory(len(keys)), scheduled, scopes, calendar)


def carry_on(
    city: CityState, rows: Mapping[Key, int], flips: Sequence[Flip], outages: Sequence[FeedOutage], earliest: float
) -> float:
    """Take in what was stored; returns the local hour from which to judge: that of the last stored verdict, or `earliest`."""
    latest = earliest
    for flip in flips:
        row = rows.get((UnitId(flip.unit_id), Feed(flip.feed)))
        if row is None:
            continue
        quiet, overdue = local_hours(flip.quiet_since), local_hours(flip.started_at)
        latest = max(latest, overdue)
        if flip.ended_at is None:
            city.overdue_since[row], city.quiet_since[row] = overdue, quiet
            city.history.last_seen[row] = quiet  # its hours may be forgotten by now
        else:
            city.silences.append(Silence(row, quiet, overdue, local_hours(flip.ended_at)))
            latest = max(latest, local_hours(flip.ended_at))
    for stored in outages:
        outage = _outage(stored, rows, len(city.scheduled))
        city.outages.append(outage)
        latest = max(latest, outage.end or outage.found)
        if outage.end is not None:
            quiet_rows = outage.rows & np.isnan(city.overdue_since)
            city.resume[quiet_rows] = np.fmax(city.resume[quiet_rows], outage.end + RECOVERY_HOURS)
    return latest


def _outage(stored: FeedOutage, rows: Mapping[Key, int], count: int) -> Outage:
    members, others = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    feed = Feed(stored.feed)
    for unit in stored.units.split():
        for of in Feed:
            row = rows.get((UnitId(unit), of))
            if row is not None:
                (members if of is feed else others)[row] = True
    end = None if stored.ended_at is None else local_hours(stored.ended_at)
    start, found = local_hours(stored.started_at), local_hours(stored.found_at)
    return Outage(stored.number, Scope(stored.kind, stored.value, feed), start, found, members, others, end)


def statuses_of(city: CityState, verdicts: Verdicts, keys: Sequence[Key]) -> tuple[dict[Key, FeedStatus], list[OutageStatus]]:
    """What is true of every feed that was ever seen, and the outages that are open."""
    found = {}
    for row, (unit_id, feed) in enumerate(keys):
        if np.isnan(city.history.last_seen[row]):
            continue
        condition, since = FeedCondition.ON_TIME, None
        if verdicts.silent[row]:
            condition, since = FeedCondition.SILENT, moment_at(float(city.overdue_since[row]))
        elif verdicts.in_outage[row]:
            condition = FeedCondition.IN_OUTAGE
        elif verdicts.late[row]:
            condition, since = FeedCondition.LATE, moment_at(float(city.late_at[row]))
        due = since if condition is FeedCondition.SILENT else _moment_or_none(float(city.silent_at[row]))
        if condition is FeedCondition.IN_OUTAGE:
            due = None  # until it is over nothing is expected of one unit
        found[unit_id, feed] = FeedStatus(feed, condition, None, due, since)
    return found, [_open_outage(outage, keys) for outage in city.outages if outage.end is None]


def outages_over(city: CityState) -> dict[int, datetime]:
    """When the outages that are remembered and over ended, by their number: with the last of its parts."""
    still_open = {outage.number for outage in city.outages if outage.end is None}
    ends: dict[int, float] = {}
    for outage in city.outages:
        if outage.end is not None and outage.number not in still_open:
            ends[outage.number] = max(outage.end, ends.get(outage.number, outage.end))
    return {number: moment_at(end) for number, end in ends.items()}


def _open_outage(outage: Outage, keys: Sequence[Key]) -> OutageStatus:
    units = [keys[int(row)][0] for row in np.flatnonzero(outage.rows)]
    return OutageStatus(outage.number, outage.scope.kind, outage.scope.value, outage.scope.feed, moment_at(outage.start), units)


def _moment_or_none(hours: float) -> datetime | None:
    return moment_at(hours) if np.isfinite(hours) else None
