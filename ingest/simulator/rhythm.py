"""When units work: weekdays, missing days, the hours of the nightly upload. Core, seeded.

Invariant: every choice comes from the `Random` that is passed in; times are epoch milliseconds, days are Shanghai days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from ingest.simulator.apportion import apportion
from schemas.clock import start_of_day, to_millis

MINUTE: Final = 60_000
"""A minute in milliseconds."""
NIGHT_OPENS: Final = 30
NIGHT_CLOSES: Final = 390
"""Batches of a business date are sent between 00:30 and 06:30 (minutes after midnight) of the next day, after the
hospitals' own day-end closing and before the morning's outpatients."""
DAY_OPENS: Final = 390
DAY_CLOSES: Final = 1350
"""Realtime forms flow from 06:30 to 22:30 (minutes after midnight)."""
_WEEKEND: Final = 60
"""A weekend day has about 60 % of a weekday's documents: outpatient clinics are mostly closed."""
_RUNS: Final = (1, 2, 2, 3, 3, 4, 5, 7)
"""Lengths in days of an outage. Missing days come in runs, for a broken link is rarely mended within the day."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A unit's own nightly window, in minutes after midnight."""

    opens: int
    closes: int


def at(day: date, minute: int) -> int:
    """Epoch milliseconds of `minute` minutes after midnight of `day` in Shanghai."""
    return to_millis(start_of_day(day)) + minute * MINUTE


def unit_hours(random: Random) -> Hours:
    """A window of 50 to 110 minutes within the night; each unit keeps its own."""
    length = random.randint(50, 110)
    opens = random.randint(NIGHT_OPENS, NIGHT_CLOSES - length)
    return Hours(opens, opens + length)


def day_weights(days: Sequence[date], random: Random) -> list[int]:
    """How busy each day is: weekends weaker, and no two days quite alike."""
    return [(_WEEKEND if day.weekday() >= 5 else 100) * random.randint(90, 110) for day in days]


def table_weights(count: int) -> list[int]:
    """Heavy-tailed sizes (Zipf), largest first: a few tables hold most of a unit's documents."""
    return [1_000_000 // (rank + 1) for rank in range(count)]


def choose_days(days: Sequence[date], count: int, random: Random) -> list[date]:
    """`count` of `days`, in order, with the missing ones mostly in runs."""
    missing = len(days) - count
    if not missing or not count:
        return list(days[:count])
    lengths: list[int] = []
    while sum(lengths) < missing:
        lengths.append(min(random.choice(_RUNS), missing - sum(lengths)))
    if len(lengths) > count + 1:  # more runs than there are places between the days that stay
        lengths = apportion(missing, lengths[: count + 1], least=1)
    breaks = dict(zip(sorted(random.sample(range(count + 1), len(lengths))), lengths, strict=True))
    chosen, position = [], 0
    for number in range(count):
        position += breaks.get(number, 0)
        chosen.append(days[position])
        position += 1
    return chosen
