"""How sure it is that a part of a feed (a table, a form) is absent, and not by chance. Core.

The chance that the unit, by its own history, sent none of it on a day is a weight in decimal digits; the weights of days and of
parts add up. A table that came on every one of many days weighs much, a form that often pauses weighs little.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import comb, log10
from statistics import median
from typing import Final, NamedTuple

from monitor.judgement.facts import CityFacts, DayKind, FeedFacts
from monitor.judgement.rules.usual import HISTORY, LEAST_HISTORY

LEAST_DAYS: Final = 2
_ENOUGH: Final = 6.0
"""Decimal digits of the chance: a city has 50 units with 60 parts and 365 days, a million trials a year."""
_MOST_A_DAY: Final = 3.5
"""Digits that one day's absence of one part weighs at most: nothing in a hospital is surer than that."""
_BUSY: Final = 15
"""Documents on a middling day from which absence is a matter of habit, not of small numbers: such parts are pooled."""
_POOL: Final = 10
"""Days that the unit's pooled habit weighs beside a busy part's own."""
_DOUBT: Final = 0.5
"""Of a day, beside the own habit of a part that is not busy."""
_EACH: Final = 0.3
"""Digits that a part that is not busy has to bring before it counts: it may be one of the dead or not."""
_LEAST_PRESENT: Final = 8
_SETTLED: Final = timedelta(days=7)
_RARE: Final = 0.4
"""A part absent on more of its days than this says nothing by being absent."""


class Absence(NamedTuple):
    """A part without documents on the newest `days` of the unit's days. `weights`: digits for each of them, newest last.

    `usual`: documents on a middling day before. `empty`: its uploads came, and held nothing.
    """

    code: str
    days: int
    weights: Sequence[float]
    busy: bool
    usual: float
    empty: bool


def absences(facts: FeedFacts, days: Sequence[date], city: CityFacts) -> tuple[list[Absence], bool]:
    """Every part that is absent now and has history enough; and whether one has been absent for longer than we look back."""
    found, unknown = [], False
    late = late_share(facts)
    pool = max(late, pooled_share(facts, days))
    for code in sorted({code for day in days for code in facts.days[day]}):
        present = [day for day in days if _records(facts, day, code)]
        last = max(present, default=date.max)  # what never came is not gone
        gone = [day for day in days if day > last]
        if not gone or _came_on_a_special_day(facts, code, last):
            continue
        before = {day: _records(facts, day, code) for day in days[: -len(gone)][-HISTORY:]}
        if len(before) < LEAST_HISTORY or len(present) < _LEAST_PRESENT:
            unknown |= len(gone) > len(before)
            continue
        usual = median(before.values())
        busy = usual >= _BUSY
        chances = chances_by_kind(before, city, late, *((pool, _POOL) if busy else (_DOUBT, 1)))
        of_day = [chances[city.kind(day)] for day in gone]
        if max(of_day) <= _RARE:
            weights = [min(_MOST_A_DAY, -log10(chance)) for chance in of_day]
            empty = all(code in facts.days[day] for day in gone[-LEAST_DAYS:])
            found.append(Absence(code, len(gone), weights, busy, usual, empty))
    return found, unknown


def proven(found: Sequence[Absence]) -> Sequence[Absence]:
    """The parts that are absent for as long as proves most; empty when nothing is proven."""
    lengths = sorted({absence.days for absence in found if absence.days >= LEAST_DAYS})
    length = max(lengths, key=lambda length: _proof(found, length), default=None)
    if length is None or _proof(found, length) < _ENOUGH:
        return []
    return [absence for absence in found if absence.days >= length]


def _proof(found: Sequence[Absence], length: int) -> float:
    """The digits of all that are absent on the newest `length` days, less those that picking parts which are not busy takes."""
    members = [absence for absence in found if absence.days >= length]
    busy = sum(sum(absence.weights[-length:]) for absence in members if absence.busy)
    loose = [sum(absence.weights[-length:]) for absence in members if not absence.busy]
    return busy + max(0.0, sum(loose) - log10(comb(len(found), len(loose))) - len(loose) * _EACH)


def late_share(facts: FeedFacts) -> float:
    """Share of the uploads that come after their date counted as complete: the newest days lack them as a matter of course."""
    settled = [row for row in facts.arrivals if row.business_date <= facts.complete_until - _SETTLED]
    late = [row for row in settled if (row.sent_on - row.business_date).days > facts.lags[row.business_date.weekday()]]
    return sum(row.events for row in late) / max(sum(row.events for row in settled), 1)


def pooled_share(facts: FeedFacts, days: Sequence[date]) -> float:
    """How often a busy part is absent from a day of the unit, all busy parts and days up to their last taken together."""
    before = days[-HISTORY:]
    absent = seen = 0
    for code in {code for day in before for code in facts.days[day]}:
        counts = [_records(facts, day, code) for day in before]
        while counts and not counts[-1]:
            counts.pop()
        if len(counts) > _LEAST_PRESENT and median(counts) >= _BUSY:
            seen += len(counts)
            absent += counts.count(0)
    return (absent + 0.5) / (seen + 1)


def chances_by_kind(
    before: Mapping[date, int], city: CityFacts, late: float, pool: float, weight: int
) -> Mapping[DayKind | None, float]:
    """How likely a part with so many documents on the days before is absent on a day of each kind.

    Its own habit, beside `weight` days of another (`pool`: the share of them on which a part is absent).
    """

    def share(counts: Sequence[int]) -> float:
        return (counts.count(0) + weight * pool) / (len(counts) + weight)

    everywhere = max(late / 2, share([*before.values()]))
    by_kind: dict[DayKind | None, list[int]] = {kind: [] for kind in (*DayKind, None)}
    for day, count in before.items():
        by_kind[city.kind(day)].append(count)
    return {kind: max(everywhere, share(counts)) if 0 in counts else everywhere for kind, counts in by_kind.items()}


def _came_on_a_special_day(facts: FeedFacts, code: str, since: date) -> bool:
    """Whether the part has come since on a day that teaches nothing: it is not dead."""
    return any(_records(facts, day, code) for day in facts.own_days if day > since)


def _records(facts: FeedFacts, day: date, code: str) -> int:
    sums = facts.days[day].get(code)
    return 0 if sums is None else sums.records
