"""Make the facts of the city from the ledger's rows. Core: rows in, facts out; whoever reads the rows says how far back."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals, Measures, UnitDays
from monitor.judgement.facts import CityFacts, FeedFacts, Sums, UnitFacts, complete_until, usual_lags
from schemas.clock import local_date
from schemas.events import UnitId
from schemas.register import Register, Unit


def gather(register: Register, clock: datetime, rows: UnitDays, special: frozenset[date] = frozenset()) -> CityFacts:
    """The facts of every registered unit at `clock`; units that the register does not know are left out."""
    days: dict[tuple[str, Feed], dict[date, dict[str, Sums]]] = defaultdict(lambda: defaultdict(dict))
    measures: dict[str, dict[date, Measures]] = defaultdict(dict)
    for row in rows.uploads:
        days[row.unit_id, Feed.SCHEDULED][row.day][row.code] = Sums(row.events, row.records)
        if row.measures != _NOTHING:
            before = measures[row.unit_id].get(row.day, _NOTHING)
            measures[row.unit_id][row.day] = Measures(*map(_plus, before, row.measures))
    for form in rows.forms:
        days[form.unit_id, Feed.REALTIME][form.day][form.code] = Sums(form.events, form.records)
    arrivals = _by_feed(rows.arrivals)
    progress = {(row.unit_id, row.feed): row for row in rows.feeds}
    ever = _by_unit(rows.ever)
    declared = {row.unit_id: row for row in rows.declarations}
    health, gaps = _by_unit(rows.health), _by_unit(rows.gaps)
    today = local_date(clock)

    def feed_facts(unit_id: UnitId, feed: Feed) -> FeedFacts:
        known, came = progress.get((unit_id, feed)), arrivals.get((unit_id, feed), [])
        lags = usual_lags(feed, today, came, special)
        return FeedFacts(
            days.get((unit_id, feed), {}),
            complete_until(lags, today),
            lags,
            came,
            None if known is None else local_date(known.first_event_at),
            None if known is None else known.last_event_at,
            rows.overdue.get((unit_id, feed)),
        )

    def unit_facts(unit: Unit) -> UnitFacts:
        declaration = declared.get(unit.unit_id)
        return UnitFacts(
            unit,
            {feed: feed_facts(unit.unit_id, feed) for feed in Feed},
            measures.get(unit.unit_id, {}),
            frozenset(ever.get(unit.unit_id, ())),
            None if declaration is None else declaration.codes,
            None if declaration is None else local_date(declaration.declared_at),
            sorted(health.get(unit.unit_id, ())),
            sorted(gaps.get(unit.unit_id, ())),
        )

    return CityFacts(clock, register, [unit_facts(unit) for unit in register.units.values()], special)


_NOTHING = Measures()


def _by_unit(rows: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for unit_id, value in rows:
        found[unit_id].append(value)
    return found


def _by_feed(rows: Iterable[tuple[str, Feed, Arrivals]]) -> dict[tuple[str, Feed], list[Arrivals]]:
    found: dict[tuple[str, Feed], list[Arrivals]] = defaultdict(list)
    for unit_id, feed, row in rows:
        found[unit_id, feed].append(row)
    return found


def _plus(before: int | None, more: int | None) -> int | None:
    if before is None or more is None:
        return before if more is None else more
    return before + more
