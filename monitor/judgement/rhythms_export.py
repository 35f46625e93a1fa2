"""Learned rhythms as whole weeks, and all rhythms as the TOML that sets them: so that they can be read, kept and frozen. Core."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import Final

import numpy as np

from monitor.counting.feeds import Feed
from monitor.judgement.activity import Floats
from monitor.judgement.calendar import Calendar, Day, DayKind, ordinary
from monitor.judgement.conditions import CityState, least_silence
from monitor.judgement.expectation import deadlines
from monitor.judgement.learned_rhythm import HORIZON_AHEAD, HORIZON_BACK
from monitor.judgement.rhythms import WEEKDAYS, Rhythm, Rhythms, Week
from schemas.clock import from_days
from schemas.events import UnitId

LONGEST: Final = 24.0 * 14
"""Hours: a feed of which nothing is expected for longer is told to be silent then."""
_ORDINARY_AFTER: Final = 6
"""Days that have to be ordinary after the day of an upload, for its deadline to be that of an ordinary week."""


def learned_weeks(city: CityState) -> Floats:
    """By row, weekday and hour of the last upload: the hours after which the row would be silent, as learned up to now.

    NaN for rows whose rhythm is not learned. Days before holidays are passed over where the time around today has others.
    """
    rhythms = city.rhythms
    rows = city.history.rows
    found = np.full((rows, 7, 24), np.nan)
    if rhythms is None:
        return found
    for weekday, day in ordinary_week(rhythms.first_day, city.calendar).items():
        for hour in range(24):
            since = np.full(rows, day * 24.0 + hour + 0.5)
            due = np.maximum(deadlines(rhythms, since) - since, least_silence(city))
            found[rhythms.learned, weekday, hour] = np.minimum(due, LONGEST)[rhythms.learned]
    return found


def ordinary_week(first_day: int, calendar: Calendar) -> Mapping[int, int]:
    """For each weekday the newest day around today that has the most ordinary days after it, in days since 1970."""
    best: dict[int, tuple[int, int]] = {}
    for number in range(first_day, first_day + HORIZON_BACK + HORIZON_AHEAD - _ORDINARY_AFTER - 1):
        around = [from_days(number) + timedelta(days=ahead) for ahead in range(_ORDINARY_AFTER + 1)]
        special = sum(
            calendar.day(day).kind in (DayKind.HOLIDAY, DayKind.MAKE_UP) or calendar.near_long_feast(day) for day in around
        )
        weekday, candidate = around[0].weekday(), (-special, number)
        best[weekday] = max(best.get(weekday, candidate), candidate)
    return {weekday: day for weekday, (_, day) in sorted(best.items())}


def rhythms_toml(rhythms: Rhythms, weeks: Mapping[tuple[UnitId, Feed], Week]) -> str:
    """Everything that is expected, as `--rhythms` takes it. `weeks`: what was learned; what is set goes before it."""
    lines = ["[default]", *_numbers(rhythms.default, None), "", "[platform]"]
    lines += [f"outage = {rhythms.outage:g}", f"recovery = {rhythms.recovery:g}"]
    lines += _calendar(rhythms.calendar)
    everything = {**weeks, **rhythms.weeks}
    for unit_id in sorted({*rhythms.units, *(unit_id for unit_id, _ in everything)}):
        own = list(_numbers(rhythms.of(unit_id), rhythms.default))
        if own:
            lines += ["", f'[units."{unit_id}"]', *own]
        for feed in Feed:
            week = everything.get((unit_id, feed))
            if week is not None:
                lines += ["", f'[units."{unit_id}".weeks.{feed}]']
                lines += [
                    f"{name} = [{', '.join(f'{hours:.1f}' for hours in day)}]" for name, day in zip(WEEKDAYS, week, strict=True)
                ]
    return "\n".join(lines) + "\n"


def _calendar(calendar: Calendar) -> Iterator[str]:
    """The days that were set."""
    days = sorted(calendar.overrides.items())
    lists = {
        "closed": [day for day, said in days if said == Day(DayKind.HOLIDAY)],
        "make_up": [day for day, said in days if said.kind is DayKind.MAKE_UP],
        "ordinary": [day for day, said in days if said == ordinary(day)],
    }
    if days:
        yield from ("", "[calendar]")
        yield from (f"{name} = {_listed(found)}" for name, found in lists.items() if found)
    feasts = sorted({said.feast for _, said in days if said.kind is DayKind.HOLIDAY and said.feast})
    if feasts:
        yield from ("", "[calendar.holidays]")
        yield from (f'"{feast}" = {_listed([day for day, said in days if said == (DayKind.HOLIDAY, feast)])}' for feast in feasts)


def _listed(days: Sequence[date]) -> str:
    return f"[{', '.join(map(str, days))}]"


def _numbers(rhythm: Rhythm, default: Rhythm | None) -> Iterator[str]:
    """What a rhythm says other than the default."""
    for one in fields(rhythm):
        value = getattr(rhythm, one.name)
        if default is None or value != getattr(default, one.name):
            yield f"{one.name} = {value:g}"
