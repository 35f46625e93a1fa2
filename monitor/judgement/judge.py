"""Read the ledger's facts, judge them, and store what began and ended. Shell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from monitor.counting.feeds import Feed
from monitor.judgement.activity import HOURS_EAST, RARE_DAYS_KEPT, RECENT_DAYS, ActiveHour, is_held, local_hours
from monitor.judgement.calendar import Calendar
from monitor.judgement.city import carry_on, city_of, moment_at, outages_over, statuses_of
from monitor.judgement.conditions import CityState, Silence, Verdicts, evaluate
from monitor.judgement.outages import outages
from monitor.judgement.rhythms import Rhythms, Week
from monitor.judgement.rhythms_export import learned_weeks
from monitor.judgement.unit_status import PlatformStatus, hand_set, judge
from monitor.judgement.whole_outages import Outage
from monitor.ledger.activity import FeedHourRow, forget_feed_hours
from monitor.ledger.database import Engine
from monitor.ledger.flips import read_flips, read_outages, store_flips
from monitor.ledger.snapshot import LedgerFacts, read_facts
from monitor.ledger.tables import FeedOutage, Flip
from schemas.clock import local_date
from schemas.events import UnitId
from schemas.register import Register

LOOKED_BACK: Final = timedelta(days=14)
"""A judge that starts goes over so much of the past hour by hour, or what has passed since the last verdict if that is less."""
READ_AGAIN_HOURS: Final = 2
"""Rows of hours that were read before may still have grown: a worker may have written them while we read."""


@dataclass(frozen=True)
class Snapshot:
    """What the ledger knew at one moment, and what is true of the register's units then."""

    facts: LedgerFacts
    status: PlatformStatus
    register: Register


class Judge:
    """Judges the ledger again and again.

    It goes through time by whole hours, from facts and stored flips alone, however seldom it is asked: so two judges of one
    ledger come to the same verdicts, and so does one that restarts. One that does not store only says. After `until` nothing
    is judged: a month that is replayed ends there, and what is silent then is the replay.
    """

    def __init__(
        self,
        engine: Engine,
        register: Register,
        rhythms: Rhythms,
        calendar: Calendar | None = None,
        *,
        stores: bool = True,
        until: datetime | None = None,
    ) -> None:
        self._engine = engine
        self._register = register
        self._rhythms = rhythms
        self._calendar = calendar or rhythms.calendar
        self._stores = stores
        self._until = until
        self._keys = [(unit_id, feed) for unit_id in register.units for feed in Feed]
        self._rows = {key: row for row, key in enumerate(self._keys)}
        self.city: CityState | None = None
        self._judged_until: float | None = None
        self._read_from = 0

    def row_of(self, unit_id: UnitId, feed: Feed) -> int:
        """The place of a unit's feed in `city`."""
        return self._rows[unit_id, feed]

    def weeks(self) -> dict[tuple[UnitId, Feed], Week]:
        """What was learned up to the last snapshot, of each feed whose rhythm is known and not set by hand."""
        if self.city is None:
            return {}
        return {
            key: week.tolist()
            for key, week in zip(self._keys, learned_weeks(self.city), strict=True)
            if not np.isnan(week).any() and not hand_set(self._rhythms, *key)
        }

    def take_snapshot(self) -> Snapshot:
        """Read the facts in one read transaction, and judge them. Raises LedgerUnavailable."""
        facts = read_facts(self._engine, self._read_from)
        if facts.clock is None:
            return Snapshot(facts, judge(self._register, None, facts.progress, [], self._rhythms), self._register)
        clock = facts.clock if self._until is None else min(facts.clock, self._until)
        facts = replace(facts, clock=clock)
        now = local_hours(clock)
        city = self._city_at(facts, now)
        today = local_date(clock)
        city.expected = np.array([self._register.units[unit].expects(feed, today) for unit, feed in self._keys])
        verdicts = self._catch_up(city, facts, now)
        self._read_from = int(clock.timestamp()) // 3600 - READ_AGAIN_HOURS
        silences = outages(facts.active_hours, clock, timedelta(hours=self._rhythms.outage))
        learned, open_outages = statuses_of(city, verdicts, self._keys)
        status = judge(self._register, clock, facts.progress, silences, self._rhythms, learned, open_outages, self._calendar)
        return Snapshot(facts, replace(status, outages_over=outages_over(city)), self._register)

    def _catch_up(self, city: CityState, facts: LedgerFacts, now: float) -> Verdicts:
        """Judge every whole hour since the last time, then this moment; store what began and ended."""
        began: list[int] = []
        ended: list[Silence] = []
        known = {id(outage) for outage in city.outages if outage.end is not None}
        assert self._judged_until is not None
        waiting = facts.feed_hours
        position = 0
        for hour in [*range(int(self._judged_until) + 1, int(now) + 1), now]:
            upto = position
            while upto < len(waiting) and (hour == now or waiting[upto].hour + HOURS_EAST < hour):
                upto += 1
            if upto == position and hour != now:
                continue  # nobody was heard: then the platform clock did not move either
            self._add(city, waiting[position:upto], float(hour))
            position = upto
            verdicts = evaluate(city, float(hour))
            began += verdicts.began
            ended += verdicts.ended
        if self._stores:
            if int(now) // 24 != int(self._judged_until) // 24:
                self._forget(city)
            self._store(city, began, ended, known)
        self._judged_until = now
        return verdicts

    def _city_at(self, facts: LedgerFacts, now: float) -> CityState:
        if self.city is not None:
            return self.city
        since = moment_at(now) - timedelta(days=RECENT_DAYS)
        flips, found = read_flips(self._engine, since=since), read_outages(self._engine, since)
        self.city = city_of(self._register, self._keys, self._calendar)
        begin = carry_on(self.city, self._rows, flips, found, now - LOOKED_BACK.total_seconds() / 3600)
        self._judged_until = float(int(min(begin, now)))
        return self.city

    def _add(self, city: CityState, rows: Sequence[FeedHourRow], now: float) -> None:
        city.history.add(
            ActiveHour(self._rows[row.unit_id, row.feed], row.hour, row.first_minute, row.last_minute, row.events)
            for row in rows
            if (row.unit_id, row.feed) in self._rows and row.hour + HOURS_EAST <= now
        )
        np.minimum(city.history.last_seen, now, out=city.history.last_seen)

    def _store(self, city: CityState, began: Sequence[int], ended: Sequence[Silence], known: set[int]) -> None:
        flips = [self._flip(silence.row, silence.last_upload, silence.overdue, silence.end) for silence in ended]
        still = [row for row in began if not np.isnan(city.overdue_since[row])]
        flips += [self._flip(row, float(city.quiet_since[row]), float(city.overdue_since[row]), None) for row in still]
        store_flips(self._engine, flips, [self._outage_row(one) for one in city.outages if id(one) not in known])

    def _flip(self, row: int, quiet_since: float, overdue: float, end: float | None) -> Flip:
        unit_id, feed = self._keys[row]
        over = None if end is None else moment_at(end)
        return Flip(
            unit_id=unit_id,
            feed=feed,
            quiet_since=moment_at(quiet_since),
            started_at=moment_at(overdue),
            ended_at=over,
        )

    def _outage_row(self, outage: Outage) -> FeedOutage:
        units = sorted({self._keys[int(row)][0] for row in np.flatnonzero(outage.rows)})
        return FeedOutage(
            kind=outage.scope.kind,
            value=outage.scope.value,
            feed=outage.scope.feed,
            started_at=moment_at(outage.start),
            number=outage.number,
            found_at=moment_at(outage.found),
            ended_at=None if outage.end is None else moment_at(outage.end),
            units=" ".join(units),
        )

    def _forget(self, city: CityState) -> None:
        """Delete the hours that no rhythm is learned from any more: those of the days that are not held."""
        last = int(city.history.days[-1])
        days = range(last - RECENT_DAYS - 30, last - RECENT_DAYS)
        ordinary = [day for day in days if not is_held(day, last, self._calendar)]
        spans = [(day * 24 - HOURS_EAST, day * 24 + 24 - HOURS_EAST) for day in ordinary]
        forget_feed_hours(self._engine, (last - RARE_DAYS_KEPT) * 24 - HOURS_EAST, spans)


def take_snapshot(engine: Engine, register: Register, rhythms: Rhythms) -> Snapshot:
    """Judge the ledger once, as a judge does that has just started. Raises LedgerUnavailable."""
    return Judge(engine, register, rhythms).take_snapshot()
