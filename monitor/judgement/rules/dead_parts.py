"""Rules on parts of a feed: tables or forms that are dead while the others live, and uploads that hold no document. Core.

A part is dead when the chance that the unit, by its own history, sent none of it on those days is below one in a million. A
table that came on every one of many days weighs much, a form that often pauses weighs little, and several that stop on the
same day weigh together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import comb, log10
from statistics import median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.facts import CityFacts, DayKind, FeedFacts, UnitFacts
from monitor.judgement.rules.usual import HISTORY, LEAST_HISTORY, ordinary_days
from monitor.judgement.rules.verdict import Family, NotEnoughHistory, Outcome, Rule, Severity, Text, Verdict, named_tables

DEAD_TABLES, DEAD_FORMS, EMPTY = "dead_tables", "dead_forms", "empty_uploads"
_ENOUGH: Final = 6.0
"""Decimal digits of the chance: a city has 50 units with 60 parts and 365 days, a million trials a year."""
_MOST_A_DAY: Final = 3.5
"""Digits that one day's absence of one part weighs at most: nothing in a hospital is surer than that."""
_BUSY: Final = 15
"""Documents on a middling day from which absence is a matter of habit, not of small numbers: such parts are pooled."""
_POOL: Final = 10
"""Days that the unit's pooled habit weighs beside the part's own."""
_LEAST_DAYS: Final = 2
_LEAST_PRESENT: Final = 8
_SETTLED: Final = timedelta(days=7)
_RARE: Final = 0.4
"""A part absent on more of its days than this says nothing by being absent."""
_ALIVE: Final = 0.4
"""The other parts must bring this share of their usual: otherwise it is the feed that fails, not a part of it."""


@dataclass(frozen=True, slots=True)
class _Absence:
    """A part without documents on the newest `days` of the unit's days. `weights`: digits for each of them, newest last."""

    code: str
    days: int
    weights: Sequence[float]
    busy: bool
    usual: float
    empty: bool


def dead_parts(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """1 empty uploads (they come and hold nothing), 2 dead parts (they do not come): the stretch with the best proof of each."""
    for feed, facts in unit.feeds.items():
        days = ordinary_days(facts, city)
        dead_rule = DEAD_TABLES if feed is Feed.SCHEDULED else DEAD_FORMS
        if len(days) <= LEAST_HISTORY:
            if days:
                yield NotEnoughHistory(dead_rule, feed)
                yield NotEnoughHistory(EMPTY, feed)
            continue
        absences, unknown = _absences(facts, days, city)
        if unknown:
            yield NotEnoughHistory(dead_rule, feed)
        empty = _best([absence for absence in absences if absence.empty])
        if empty:
            yield _verdict(EMPTY, unit, feed, days, empty, city)
        dead = _best([absence for absence in absences if not absence.empty])
        if dead and _others_live(facts, days, {absence.code for absence in absences}, dead, city):
            yield _verdict(dead_rule, unit, feed, days, dead, city)


def _absences(facts: FeedFacts, days: Sequence[date], city: CityFacts) -> tuple[list[_Absence], bool]:
    """Every part that is absent now and has history enough; and whether one has been absent for longer than we look back."""
    found, unknown = [], False
    late = _late_share(facts, city)
    pool = max(late, _pooled(facts, days))
    for code in {code for day in days for code in facts.days[day]}:
        present = [day for day in days if _records(facts, day, code)]
        if not present or present[-1] == days[-1] or _came_on_a_special_day(facts, code, present[-1]):
            continue
        gone = days[days.index(present[-1]) + 1 :]
        before = days[: len(days) - len(gone)][-HISTORY:]
        if len(before) < LEAST_HISTORY or len(present) < _LEAST_PRESENT:
            unknown = unknown or len(gone) > len(before)
            continue
        counts = [_records(facts, day, code) for day in before]
        busy = median(counts) >= _BUSY
        chances = _chances(before, counts, city, pool if busy else 0.5, late)
        if max(chances[city.kind(day)] for day in gone) <= _RARE:
            weights = [min(_MOST_A_DAY, -log10(chances[city.kind(day)])) for day in gone]
            empty = all(code in facts.days[day] for day in gone[-_LEAST_DAYS:])
            found.append(_Absence(code, len(gone), weights, busy, median(counts), empty))
    return found, unknown


def _came_on_a_special_day(facts: FeedFacts, code: str, since: date) -> bool:
    """Whether the part has come since on a day that teaches nothing: it is not dead."""
    return any(_records(facts, day, code) for day in reversed(facts.own_days) if day > since)


def _records(facts: FeedFacts, day: date, code: str) -> int:
    sums = facts.days[day].get(code)
    return 0 if sums is None else sums.records


def _late_share(facts: FeedFacts, city: CityFacts) -> float:
    """Share of the uploads that come after their date counted as complete: the newest days lack them as a matter of course."""
    lags = facts.lags or [(city.today - facts.complete_until).days - 1] * 7
    settled = [row for row in facts.arrivals if row.business_date <= facts.complete_until - _SETTLED]
    total = sum(row.events for row in settled)
    late = [row for row in settled if (row.sent_on - row.business_date).days > lags[row.business_date.weekday()]]
    return sum(row.events for row in late) / total if total else 0.0


def _pooled(facts: FeedFacts, days: Sequence[date]) -> float:
    """How often a busy part is absent from a day of the unit, all busy parts and days taken together."""
    before = days[-HISTORY:]
    absent = seen = 0
    for code in {code for day in before for code in facts.days[day]}:
        counts = [_records(facts, day, code) for day in before]
        last = max((place for place, count in enumerate(counts) if count), default=-1)
        if last >= _LEAST_PRESENT and median(counts[: last + 1]) >= _BUSY:
            seen += last + 1
            absent += counts[: last + 1].count(0)
    return (absent + 0.5) / (seen + 1)


def _chances(
    before: Sequence[date], counts: Sequence[int], city: CityFacts, pool: float, late: float
) -> Mapping[DayKind | None, float]:
    """How likely the part is absent on a day of each kind: its own habit, beside the unit's (for others, half a day of doubt)."""
    weight = _POOL if pool < 0.5 else 1  # a small part has only its own habit
    kinds = [city.kind(day) for day in before]
    everywhere = max(late / 2, (counts.count(0) + weight * pool) / (len(counts) + weight))
    chances: dict[DayKind | None, float] = dict.fromkeys((*DayKind, None), everywhere)
    for kind in DayKind:
        of_kind = [count for count, its in zip(counts, kinds, strict=True) if its is kind]
        if 0 in of_kind:
            chances[kind] = max(everywhere, (of_kind.count(0) + weight * pool) / (len(of_kind) + weight))
    return chances


def _best(absences: Sequence[_Absence]) -> Sequence[_Absence]:
    """The parts absent for as long as proves most; empty when nothing is proven."""
    best: tuple[float, list[_Absence]] = (0.0, [])
    for length in sorted({absence.days for absence in absences if absence.days >= _LEAST_DAYS}):
        members = [absence for absence in absences if absence.days >= length]
        busy = sum(sum(absence.weights[-length:]) for absence in members if absence.busy)
        loose = [absence for absence in members if not absence.busy]
        trials = log10(comb(len(absences), len(loose))) if loose else 0.0
        proof = busy + max(0.0, sum(sum(absence.weights[-length:]) for absence in loose) - trials - len(loose) * 0.3)
        if proof > best[0]:
            best = (proof, members)
    return best[1] if best[0] >= _ENOUGH else []


def _others_live(facts: FeedFacts, days: Sequence[date], absent: set[str], dead: Sequence[_Absence], city: CityFacts) -> bool:
    length = min(absence.days for absence in dead)
    recent, before = days[-min(length, 3) :], days[:-length][-HISTORY:]
    kinds = {city.kind(day) for day in recent}
    usual = [_rest(facts, day, absent) for day in before if city.kind(day) in kinds] or [0]
    return median([_rest(facts, day, absent) for day in recent]) >= _ALIVE * median(usual) > 0


def _rest(facts: FeedFacts, day: date, absent: set[str]) -> int:
    return sum(sums.records for code, sums in facts.days[day].items() if code not in absent)


def _verdict(rule: str, unit: UnitFacts, feed: Feed, days: Sequence[date], gone: Sequence[_Absence], city: CityFacts) -> Verdict:
    codes = sorted(absence.code for absence in gone)
    length = max(absence.days for absence in gone)
    since = days[-length]
    names = named_tables(codes, city.register)
    things_zh, things_en = ("张表", "tables") if feed is Feed.SCHEDULED else ("张表单", "forms")
    state_zh, state_en = ("只传空包", "arrive empty") if rule == EMPTY else ("停止上传", "have stopped")
    return Verdict(
        rule,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}:{len(codes)} {things_zh}自 {since} 起{state_zh},其余正常:{names.zh}",
            f"{unit.unit.name_en}, {feed}: {len(codes)} {things_en} {state_en} since {since} while others live: {names.en}",
        ),
        Text(
            f"请检查以下{things_zh[1:]}的抽取与上传:{names.zh};自 {since} 起补传。",
            f"Please check the export of {names.en}, and send again from {since} on.",
        ),
        feed,
        unit.unit.unit_id,
        {"codes": codes, "days": length, "usual_a_day": round(sum(absence.usual for absence in gone))},
        round(sum(absence.usual * absence.days for absence in gone)),
        min(10.0, 4.0 + length + len(codes) / 4),
    )


FAMILY: Final = Family(
    (
        Rule(
            DEAD_TABLES,
            Text("部分表停传", "Some tables dead"),
            "by its own history the chance of these tables being absent together for so long is below one in a million, "
            "and the others bring at least 40 % of their usual",
            "11 own days",
            Severity.TICKET,
        ),
        Rule(
            DEAD_FORMS,
            Text("部分表单停传", "Some forms dead"),
            "the same for the realtime forms",
            "11 own days",
            Severity.TICKET,
        ),
        Rule(
            EMPTY,
            Text("空包上传", "Empty uploads"),
            "uploads of tables that always held documents come and hold none, with the same proof",
            "11 own days",
            Severity.TICKET,
        ),
    ),
    (dead_parts,),
)
