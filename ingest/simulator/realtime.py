"""The realtime feed and the health-record snapshots of one unit, day by day. Core, seeded.

Invariant: every realtime day has at least one form and every form at least one day; snapshot totals never fall and end
on the printed ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from ingest.simulator.apportion import apportion
from ingest.simulator.figures import Catalogue, Figures
from ingest.simulator.rhythm import DAY_CLOSES, DAY_OPENS, MINUTE, at, choose_days
from schemas.events import FormCode

NIGHT_EVENTS: Final = 3
"""Events between 00:00 and 06:30: the emergency department, every two to three hours."""
_LONGEST_GAP: Final = 44 * MINUTE
"""By day no unit pauses longer; a minute below the 45 that a monitor may lean on."""
_FORM_PAUSES: Final = 0.08
"""Share of days on which a form that the unit does send has nothing to report."""
_SNAPSHOT_OPENS: Final = 8 * 60
_SNAPSHOT_MINUTES: Final = 11 * 60
"""Snapshots are taken from 08:00 to 19:00, each district at its own time."""

Totals = tuple[int | None, int | None, int | None]
"""Base, hypertension and diabetes; None where the district does not say."""


@dataclass(frozen=True, slots=True)
class Realtime:
    """A unit's realtime feed: the forms of each realtime day, by day in order. `pace` is the steps from 06:30 to 22:30."""

    days: dict[date, tuple[FormCode, ...]]
    pace: int
    largest: int

    @property
    def events_per_day(self) -> int:
        """Events on a realtime day; more than there are forms."""
        return NIGHT_EVENTS + self.pace + 1


@dataclass(frozen=True, slots=True)
class Snapshots:
    """A district's daily totals (first day of the month to last), taken `minute` minutes after midnight."""

    minute: int
    totals: tuple[Totals, ...]


def plan_realtime(figures: Figures, catalogue: Catalogue, random: Random) -> Realtime:
    """Plan the realtime feed of one unit; no day when it has none."""
    forms = sorted(random.sample(catalogue.forms, figures.realtime_forms))
    chosen = choose_days(catalogue.period.days, figures.realtime_days, random)
    days = {day: [form for form in forms if random.random() >= _FORM_PAUSES] or [random.choice(forms)] for day in chosen}
    for form in forms:
        if not any(form in seen for seen in days.values()):
            days[random.choice(chosen)].append(form)
    # a step of 20 to 30 minutes leaves room for a jitter within the longest gap
    pace, daily_visits = random.randint(32, 48), (figures.measures.outpatient_visits or 3000) // len(catalogue.period.days)
    return Realtime({day: tuple(seen) for day, seen in days.items()}, pace, max(1, daily_visits // pace * 2))


def realtime_moments(day: date, pace: int, random: Random) -> list[int]:
    """The epoch milliseconds of a day's events, ascending: a few at night, then never longer apart than 45 minutes."""
    moment = at(day, 10) + random.randrange(20 * MINUTE)
    moments = []
    for _ in range(NIGHT_EVENTS):
        moments.append(moment)
        moment += random.randint(120 * MINUTE, 175 * MINUTE)
    step = (DAY_CLOSES - DAY_OPENS) * MINUTE // pace
    jitter = min(_LONGEST_GAP - step, step)
    return moments + [at(day, DAY_OPENS) + step * number + random.randrange(jitter) for number in range(pace + 1)]


def plan_snapshots(printed: Totals, days: int, place: int, places: int, random: Random) -> Snapshots:
    """Daily totals that grow to `printed`. `place` of `places` spreads the districts over the working day."""
    width = _SNAPSHOT_MINUTES // places
    minute = _SNAPSHOT_OPENS + width * place + random.randrange(max(1, width // 2))
    base, hypertension, diabetes = (_growth(total, days, random) for total in printed)
    return Snapshots(minute, tuple(zip(base, hypertension, diabetes, strict=True)))


def _growth(total: int | None, days: int, random: Random) -> Sequence[int | None]:
    if total is None:
        return [None] * days
    grown = total * random.randint(1, 6) // 1000
    steps = apportion(grown, [random.randint(1, 9) for _ in range(days - 1)])
    reached = [total - grown]
    for step in steps:
        reached.append(reached[-1] + step)
    return reached
