"""What is true of every unit and feed at the platform clock, and since when. Core: facts and what was true in, what is true out.

The order of blame: an outage of everything, of a feed, of a district or vendor; then a single unit. Whoever is quiet in an
outage is in its list and has no silence of his own; afterwards he has a time to recover.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from monitor.judgement.activity import ActivityHistory, Bools, Floats
from monitor.judgement.calendar import Calendar
from monitor.judgement.expectation import Quiet, deadlines
from monitor.judgement.hour_weights import LEAST_LIMIT
from monitor.judgement.learned_rhythm import LearnedRhythms, learn
from monitor.judgement.whole_outages import (
    Heard,
    Outage,
    Scope,
    covered_by,
    end_of,
    find_outages,
    is_part_of,
    other_feed_lives,
    quiet_in,
)
from schemas.clock import from_days

RECOVERY_HOURS: Final = 2.0
"""After an outage everybody has so long before his silence counts again."""
LEAST_SILENCE_REALTIME: Final = 2.0
LEAST_SILENCE_SCHEDULED: Final = 12.0
DEFAULT_REALTIME: Final = 48.0
DEFAULT_SCHEDULED: Final = 60.0
"""Hours of silence, counted on workdays, before a rhythm is learned: wide, for nothing is known yet."""
BLANK_HOURS: Final = 24.0
HOLD_HOURS: Final = 3.0
HOLD_SURPRISE: Final = 1.5
"""How long a single silence waits while it may yet be that of a whole group, the others of which are quiet too."""
RELEARN_AFTER: Final = 3
RELEARN_DAYS: Final = 21
"""Whoever is called silent more often than this in so many days has changed his rhythm: his silences are learned."""


class Silence(NamedTuple):
    """A row's silence that is over: its last upload, when it was overdue, and the upload that ended it (local hours)."""

    row: int
    last_upload: float
    overdue: float
    end: float


@dataclass
class CityState:
    """What is remembered from one evaluation to the next; all of it can be made again from facts and stored flips.

    `expected` rows are those of which the register expects anything today; `silent_at` and `late_at` say when an evaluation
    would have called each row so.
    """

    history: ActivityHistory
    scheduled: Bools
    scopes: Sequence[tuple[Scope, Bools]]
    calendar: Calendar
    rhythms: LearnedRhythms | None = None
    learned_on: date | None = None
    expected: Bools = field(init=False)
    resume: Floats = field(init=False)
    overdue_since: Floats = field(init=False)
    quiet_since: Floats = field(init=False)
    outages: list[Outage] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    last_any: float = -np.inf
    silent_at: Floats = field(init=False)
    late_at: Floats = field(init=False)

    def __post_init__(self) -> None:
        rows = self.history.rows
        self.expected = np.ones(rows, np.bool_)
        self.resume, self.overdue_since, self.quiet_since = (np.full(rows, np.nan) for _ in range(3))


class Verdicts(NamedTuple):
    """Row by row: silent, late, in an outage (each excludes the others); what began and ended with this evaluation."""

    silent: Bools
    late: Bools
    in_outage: Bools
    began: Sequence[int]
    ended: Sequence[Silence]
    outages_found: Sequence[Outage]


def evaluate(city: CityState, now: float, limit: float = LEAST_LIMIT) -> Verdicts:
    """Judge every row at `now` (the platform clock in local hours) and carry `city` forward.

    1. learn, if a day has begun  2. silences that are over  3. outages that are over, and new ones  4. new silences
    """
    _learn_daily(city, now, limit)  # 1
    rhythms = city.rhythms
    assert rhythms is not None
    _excuse_blank_time(city, rhythms)
    ended = _end_silences(city)  # 2
    silent = ~np.isnan(city.overdue_since)
    _end_outages(city, _heard(city), now)  # 3
    heard = _heard(city)
    base = heard.since
    quiet = Quiet.of(rhythms, base)
    found = find_outages(city.scopes, city.outages, quiet, heard, now)
    _end_parts(city, found, now)
    city.outages += found
    in_outage = covered_by(city.outages, heard) & ~silent
    city.silent_at = np.maximum(deadlines(rhythms, base), base + least_silence(city))
    city.late_at = np.minimum(np.maximum(deadlines(rhythms, base, late=True), base + 1.0), city.silent_at)
    began = _new_silences(city, quiet, heard, silent | in_outage, now)  # 4
    silent = ~np.isnan(city.overdue_since)
    late = (now > city.late_at) & ~silent & ~in_outage & ~np.isnan(base)
    return Verdicts(silent, late, in_outage, began, ended, found)


def _learn_daily(city: CityState, now: float, limit: float) -> None:
    today = from_days(int(now) // 24)
    if city.learned_on == today:
        return
    city.history.roll_to(today, city.calendar)
    default = np.where(city.scheduled, DEFAULT_SCHEDULED, DEFAULT_REALTIME)
    city.rhythms = learn(city.history, city.calendar, today, city.scheduled, default, limit)
    city.learned_on = today


def _heard(city: CityState) -> Heard:
    last = city.history.last_seen
    return Heard(last, np.fmax(last, city.resume), city.overdue_since, city.expected, city.scheduled)


def _excuse_blank_time(city: CityState, rhythms: LearnedRhythms) -> None:
    """When nobody at all was heard for a day, those whose rhythm is not known yet are not to blame for it."""
    seen = city.history.last_seen[~np.isnan(city.history.last_seen)]
    latest = float(seen.max()) if len(seen) else -np.inf
    if np.isfinite(city.last_any) and latest - city.last_any >= BLANK_HOURS:
        excused = ~rhythms.learned & np.isnan(city.overdue_since) & ~np.isnan(city.history.last_seen)
        city.resume[excused] = latest
    city.last_any = max(city.last_any, latest)


def least_silence(city: CityState) -> Floats:
    """The hours that nobody is called silent within, by row."""
    return np.where(city.scheduled, LEAST_SILENCE_SCHEDULED, LEAST_SILENCE_REALTIME)


def _end_silences(city: CityState) -> list[Silence]:
    """Whoever has uploaded since he fell silent is back; his silence teaches nothing, unless it comes again and again."""
    ended = []
    for row in np.flatnonzero(~np.isnan(city.overdue_since) & (city.history.last_seen > city.quiet_since + 1e-6)):
        first_back = float(city.history.last_seen[row])
        silence = Silence(int(row), float(city.quiet_since[row]), float(city.overdue_since[row]), first_back)
        city.silences.append(silence)
        ended.append(silence)
        recent = [s for s in city.silences if s.row == row and s.end > first_back - RELEARN_DAYS * 24]
        for one in recent:
            city.history.exclude(int(row), one.last_upload, int(one.end), learn=len(recent) > RELEARN_AFTER)
        city.overdue_since[row] = city.quiet_since[row] = np.nan
    return ended


def _end_outages(city: CityState, heard: Heard, now: float) -> None:
    """Close the outages that are over. They teach nothing, and whoever was quiet in them has a time to recover."""
    for outage in city.outages:
        if outage.end is not None:
            continue
        quiet, end = quiet_in(outage, heard) | outage.rows, end_of(outage, heard)
        if end is None:
            if outage.scope.kind == "feed" and other_feed_lives(outage, heard):
                outage.other_feed = np.zeros_like(outage.other_feed)
            continue
        outage.end = end
        for row in np.flatnonzero(quiet):
            city.history.exclude(int(row), outage.start, end)
        excused = quiet & ~heard.silent
        city.resume[excused] = np.fmax(city.resume[excused], min(now, end) + RECOVERY_HOURS)


def _end_parts(city: CityState, found: Sequence[Outage], now: float) -> None:
    """An outage of a group that turns out to be one of its whole feed is over as one of its own; the failure goes on."""
    for outage in city.outages:
        if any(is_part_of(outage, wide) for wide in found):
            outage.end = now
            for row in np.flatnonzero(outage.rows):
                city.history.exclude(int(row), outage.start, now)


def _new_silences(city: CityState, quiet: Quiet, heard: Heard, settled: Bools, now: float) -> list[int]:
    due = (now > city.silent_at) & ~settled & ~np.isnan(heard.since) & city.expected
    waits = _may_be_of_groups(city, quiet, heard, due & (now <= city.silent_at + HOLD_HOURS), now)
    began = np.flatnonzero(due & ~waits)
    city.overdue_since[began] = city.silent_at[began]
    city.quiet_since[began] = city.history.last_seen[began]
    return [int(row) for row in began]


def _may_be_of_groups(city: CityState, quiet: Quiet, heard: Heard, due: Bools, now: float) -> Bools:
    """Whose silence may yet turn out to be that of a feed or group.

    That is so when nobody else of it was heard since this row began to be late, their saying nothing is unusual too, and it
    would be an outage if nobody was heard for as long as a silence may wait.
    """
    found = np.zeros_like(due)
    groups = {scope[:2] for scope, rows in city.scopes if (rows & due).any()}
    for group in groups:
        both_feeds = [(scope, rows) for scope, rows in city.scopes if scope[:2] == group]
        for outage in find_outages(both_feeds, city.outages, quiet, heard, now + HOLD_HOURS):
            surprise = np.where(outage.rows, quiet.surprise(outage.start, now), 0.0)
            members = outage.rows | outage.other_feed
            for row in np.flatnonzero(due & members):
                others = members & ~heard.silent & (heard.scheduled == heard.scheduled[row])
                others[row] = False
                lively = bool((heard.since[others] > city.late_at[row]).any())
                found[row] |= not lively and float(np.delete(surprise, row).sum()) >= HOLD_SURPRISE
    return found
