"""Feeds that come and are not whole, labelled: what goes wrong with the contents of the made-up city's uploads. Core, seeded.

A fault's name is that of the rule which has to find it, but nothing of the rules is known here: a fault is what it does to
the uploads, and it has to be found by the morning on which its second own day could be here, or, where the fault is one
only later (a decline, a missing date), the second own day after it is one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from schemas.clock import from_days, to_days
from tests.judge.city import Days
from tests.judge.contents import DISTRICTS, Delivery, day_after
from tests.judge.faults import STALL, Fault

FAULTS_A_UNIT_MONTH: Final = 0.5
TRIES: Final = 20
"""So often a place is looked for that is free and lies on ordinary days."""
HISTORY_DAYS: Final = 45
"""No fault before: a decline is one over three weeks of a unit that works on workdays."""
APART: Final = 24.0 * 14
"""Hours between two faults of one unit, so that each has a fortnight of its own to be compared with."""
DECLINE_A_DAY: Final = 0.9
A_DECLINE: Final = 14
"""Own days: what is shorter is a bad week."""
LOST_NUMBERS: Final = 40
WRONG_CLOCKS: Final = (2.0, 26.0, -96.0)
SETTLES: Final = 24.0 * 5
OWED: Final = 24.0 * 62
"""Hours after its end in which a fault explains what is found. What never came is owed, and what is wrong in the sums is
wrong, as long as the rules look back."""
OWED_RULES: Final = frozenset(
    {"missing_days", "backfill_debt", "nothing_this_month", "feed_dead", "month_end_cramming", "implausible_upload"}
)


@dataclass(frozen=True)
class HalfDead:
    """A labelled fault of one row: from when to when (local hours), of which dates, and by when it has to be found."""

    kind: str
    row: int
    start: float
    end: float
    due: float
    dates: frozenset[str] = frozenset()

    def explains(self, rule: str, moment: float) -> bool:
        """Whether a finding that stands at `moment` may come from it."""
        return _explains(rule, moment, self.start, self.end + (24 * 28 if self.kind == DECLINE else 0))


def explains_silence(fault: Fault, rule: str, moment: float) -> bool:
    """Whether a finding that stands at `moment` may come from a silence or outage."""
    return fault.kind != STALL and _explains(rule, moment, fault.start, fault.end)


def _explains(rule: str, moment: float, start: float, end: float) -> bool:
    return start <= moment <= end + (OWED if rule in OWED_RULES else SETTLES)


Spoil = Callable[[list[Delivery], int, int, np.random.Generator], float]
"""Spoils so many deliveries from a place on; returns the hour by which that has to be found."""


def make_half_dead(
    deliveries: Sequence[list[Delivery]], faults: Sequence[Fault], days: Days, random: np.random.Generator
) -> list[HalfDead]:
    """Draw faults of every kind, spoil `deliveries` (row by row) in place, and tell what was done."""
    busy: dict[int, list[tuple[float, float]]] = {}
    for fault in faults:
        if fault.kind != STALL:
            for row in fault.rows:
                busy.setdefault(row // 2, []).append((fault.start - 24 * 3, fault.end + 24 * 3))
    found: list[HalfDead] = []
    count = random.poisson(FAULTS_A_UNIT_MONTH * len(deliveries) / 2 * days.count / 30.4)
    kinds = [list(_KINDS)[number % len(_KINDS)] for number in range(count)]
    for kind in sorted(kinds, key=lambda kind: -_KINDS[kind][1]):  # the longest are the hardest to place
        spoil, least, most, feed = _KINDS[kind]
        units = min(DISTRICTS, len(deliveries) // 2) if kind == TOTALS else len(deliveries) // 2
        for _ in range(TRIES):
            row = 2 * int(random.integers(0, units)) + (int(random.integers(0, 2)) if feed is None else feed is Feed.REALTIME)
            placed = _place(kind, row, spoil, int(random.integers(least, most + 1)), deliveries[row], busy, days, random)
            if placed is not None:
                found.append(placed)
                break
    return sorted(found, key=lambda fault: fault.start)


def _place(
    kind: str,
    row: int,
    spoil: Spoil,
    length: int,
    of_row: list[Delivery],
    busy: dict[int, list[tuple[float, float]]],
    days: Days,
    random: np.random.Generator,
) -> HalfDead | None:
    """Spoil a stretch of a row that is free and lies on ordinary days; None when the draw has met another fault."""
    first = int(days.start) // 24
    candidates = [place for place, sent in enumerate(of_row) if sent.day >= first + HISTORY_DAYS]
    if len(candidates) < length + 5:
        return None
    place = int(random.choice(candidates[: -length - 4]))
    if kind == CRAMMED:
        place, length = _month_of(of_row, place)
    stretch = of_row[place : place + length + 2]
    if length < 2 or len(stretch) < length + 2:
        return None
    if kind != CRAMMED and any(_is_special(sent.day, days) for sent in stretch[:4]):
        return None
    start, end = of_row[place].sent, max(sent.sent for sent in of_row[place : place + length])
    begins = min(start, of_row[place].day * 24.0)
    if any(begins < e and s < end + 24 * 3 for s, e in busy.get(row // 2, [])):
        return None
    dates = frozenset(str(from_days(sent.day)) for sent in of_row[place : place + length])
    due = spoil(of_row, place, length, random)
    busy.setdefault(row // 2, []).append((begins - APART, end + APART))
    return HalfDead(kind, row, begins, end, due, dates)


def _is_special(day: int, days: Days) -> bool:
    place = day - int(days.start) // 24
    around = slice(max(place - 1, 0), place + 2)
    return bool(days.holiday[around].any() or days.near_feast[around].any())


def _month_of(of_row: Sequence[Delivery], place: int) -> tuple[int, int]:
    """The first delivery of the month that follows `place`, and how many it has."""
    month = from_days(of_row[place].day).replace(day=1)
    following = (month + timedelta(days=32)).replace(day=1)
    after = (following + timedelta(days=32)).replace(day=1)
    inside = [at for at, sent in enumerate(of_row) if to_days(following) <= sent.day < to_days(after)]
    return (inside[0], len(inside)) if inside else (place, 0)


# ---- what each kind does ----------------------------------------------------------------------------------------------


def _second(of_row: list[Delivery], place: int, later: int = 1) -> float:
    """The morning after the delivery `later` places on, and those before it, could be here."""
    return day_after(max(max(sent.sent, sent.latest) for sent in of_row[place : place + later + 1]))


def _some_parts(of_row: list[Delivery], place: int, random: np.random.Generator) -> list[str]:
    """A third of the parts that came nearly every day lately, three at least."""
    lately = of_row[max(0, place - 10) : place]
    parts = sorted({code for sent in lately for code in sent.counts})
    steady = [code for code in parts if sum(code in sent.counts for sent in lately) >= len(lately) - 1]
    parts = steady if len(steady) >= 3 else parts
    return [str(code) for code in random.choice(parts, max(3, len(parts) // 3), replace=False)]


def _dead(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    gone = _some_parts(of_row, place, random)
    for sent in of_row[place : place + length]:
        sent.counts = {code: count for code, count in sent.counts.items() if code not in gone}
    return _second(of_row, place)


def _owed(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    _dead(of_row, place, length, random)
    return _second(of_row, place, length + 1)


def _empty(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    for sent in of_row[place : place + length]:
        sent.counts = dict.fromkeys(sent.counts, 0)
        sent.measures = Measures()
    return _second(of_row, place)


def _same(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    for sent in of_row[place : place + length]:
        sent.counts, sent.measures = dict(of_row[place - 1].counts), of_row[place - 1].measures
    return _second(of_row, place)


def _times(factor: float) -> Spoil:
    def spoil(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
        for sent in of_row[place : place + length]:
            _scale(sent, factor)
        return _second(of_row, place)

    return spoil


def _decline(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    for past, sent in enumerate(of_row[place : place + length]):
        _scale(sent, DECLINE_A_DAY**past)
    return _second(of_row, place, A_DECLINE + 1)


def _scale(sent: Delivery, factor: float) -> None:
    sent.counts = {code: int(count * factor) for code, count in sent.counts.items() if int(count * factor)}
    sent.measures = Measures(*(None if value is None else int(value * factor) for value in sent.measures))


def _stuck(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    due = _second(of_row, place)
    for sent in of_row[place : place + length]:
        sent.day = of_row[place - 1].day
    return due


def _missing(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    due = _second(of_row, place, length + 1)
    for sent in of_row[place : place + length]:
        sent.counts = {}
    return due


def _clock(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    wrong = float(random.choice(WRONG_CLOCKS))
    for sent in of_row[place : place + length]:
        sent.clock = wrong
    return _second(of_row, place)


def _gap(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    of_row[place].skipped = LOST_NUMBERS
    of_row[place + length - 1].fills = True
    return max(_second(of_row, place), (of_row[place].day + 2) * 24.0 + 8)


def _huge(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    counts = of_row[place].counts
    of_row[place].counts = {**counts, min(counts, default="C0002"): 900_000_000}
    return _second(of_row, place)


def _without_visits(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    for sent in of_row[place : place + length]:
        sent.measures = sent.measures._replace(visits=None)
    return _second(of_row, place)


def _totals(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    return _second(of_row, place)  # the totals of a district are made from the label (`documents`)


def _crammed(of_row: list[Delivery], place: int, length: int, random: np.random.Generator) -> float:
    """All of a month but its smallest table is sent with the month's last date."""
    last = max(of_row[place : place + length], key=lambda sent: sent.sent)
    for sent in of_row[place : place + length]:
        if sent is not last and sent.counts:
            least = min(sent.counts, key=lambda code: sent.counts[code])
            rest = {code: count for code, count in sent.counts.items() if code != least}
            sent.rest = replace(sent, counts=rest, sent=last.sent + 0.01)
            sent.counts, sent.measures = {least: sent.counts[least]}, Measures()
    return day_after(last.sent)


DECLINE, CRAMMED, TOTALS = "steady_decline", "month_end_cramming", "totals_fell"
_KINDS: Final[dict[str, tuple[Spoil, int, int, Feed | None]]] = {
    "dead_tables": (_dead, 5, 10, Feed.SCHEDULED),
    "dead_forms": (_dead, 5, 10, Feed.REALTIME),
    "empty_uploads": (_empty, 4, 8, Feed.SCHEDULED),
    "same_content": (_same, 3, 6, Feed.SCHEDULED),
    "sudden_drop": (_times(0.2), 4, 8, None),
    "surge": (_times(5.0), 4, 8, None),
    DECLINE: (_decline, 20, 26, Feed.SCHEDULED),
    "stuck_date": (_stuck, 4, 8, Feed.SCHEDULED),
    "missing_days": (_missing, 2, 4, Feed.SCHEDULED),
    "wrong_clock": (_clock, 4, 10, None),
    "open_gaps": (_gap, 6, 12, None),
    "backfill_debt": (_owed, 2, 4, Feed.SCHEDULED),
    CRAMMED: (_crammed, 31, 31, Feed.SCHEDULED),
    "implausible_upload": (_huge, 2, 2, Feed.SCHEDULED),
    "revenue_without_visits": (_without_visits, 4, 8, Feed.SCHEDULED),
    TOTALS: (_totals, 3, 8, Feed.SCHEDULED),
}
HALF_DEAD_KINDS: Final = tuple(_KINDS)
