"""What the uploads of the made-up city hold: documents of each table and form, date by date. Core, seeded.

A feed sends each of its parts (tables or forms) once for each date: a scheduled one at its slot, a realtime one with the last
upload of the day. So a date that fell into a silence is missing here too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.find import SUMMARY_HOUR
from schemas.events import UnitId
from schemas.register import Register, UnitKind
from tests.judge.city import Days, Sender, Unit
from tests.judge.faults import STALL, Fault

DISTRICTS: Final = 12
"""So many units of the city are districts, which send cumulative totals too; the others are hospitals."""
YUAN_PER_VISIT: Final = 300
YUAN_PER_DISCHARGE: Final = 12_000


@dataclass(frozen=True)
class Habits:
    """How a feed ordinarily is. `parts`: documents of each table or form on a workday.

    `pause`: the chance that a form has none on a day. `noise`: the spread of a day's size (natural logarithm). `weekend`,
    `feast`: the share of a workday's documents. `slips`: the share of dates that come one to three days late. `visits`: on
    a workday.
    """

    parts: dict[str, float]
    pause: float
    noise: float
    weekend: float
    feast: float
    slips: float
    visits: float = 0.0


@dataclass
class Delivery:
    """What a feed sends for one date: `day` counts from 1970, `sent` is in local hours, `clock` in hours (fast: above 0).

    `latest`: by when it has always come. `skipped` numbers of the sequence are lost before it; with `fills` the lost ones
    come, too. `rest`: what comes later.
    """

    day: int
    sent: float
    counts: dict[str, int]
    measures: Measures = field(default_factory=Measures)
    clock: float = 0.0
    skipped: int = 0
    fills: bool = False
    latest: float = 0.0
    rest: "Delivery | None" = None


def made_up_register(register: Register, units: Sequence[Unit]) -> Register:
    """A register of the city's units: the first twelve are districts."""
    kinds = [UnitKind.DISTRICT if number < DISTRICTS else UnitKind.HOSPITAL for number in range(len(units))]
    likes = [next(unit for unit in register.units.values() if unit.kind is kind) for kind in kinds]
    made = [
        replace(
            like,
            unit_id=unit_id_of(number),
            name_zh=f"单位{number}",
            name_en=f"Unit {number}",
            names=(f"单位{number}",),
            active_from=None,
            active_until=None,
            district=None,
        )
        for number, like in enumerate(likes)
    ]
    return replace(register, units={unit.unit_id: unit for unit in made})


def unit_id_of(number: int) -> UnitId:
    """The id of the city's unit with that number."""
    return UnitId(f"u{number:02d}")


def uploads_by_day(sender: Sender, days: Days) -> NDArray[np.int64]:
    """How many uploads of each day of the history the sender has sent, or still will."""
    day = np.floor((sender.event_time - sender.clock - days.start) / 24).astype(np.int64)
    return np.bincount(np.clip(day, 0, days.count - 1), minlength=days.count)


def make_habits(register: Register, kind: UnitKind, feed: Feed, random: np.random.Generator) -> Habits:
    """Between six and sixteen tables that are required of its kind, or most of the forms; large units and small ones."""
    size = float(random.lognormal(0, 0.8))
    weekend, feast = float(random.choice([1.0, 0.8, 0.6, 0.6, 0.3])), float(random.choice([0.15, 0.4, 0.7]))
    if feed is Feed.SCHEDULED:
        codes = sorted(str(table.code) for table in register.required_tables(kind))
        chosen = random.choice(codes, int(random.integers(6, 17)), replace=False)
        parts = {str(code): size * float(random.lognormal(4, 2)) + 0.3 for code in chosen}
        pause = 0.0
    else:
        codes = sorted(register.forms)
        chosen = random.choice(codes, int(random.choice([8, 10, 11, 11, 11])), replace=False)
        parts = {str(code): size * float(random.lognormal(3.5, 1)) + 2 for code in chosen}
        pause = float(random.choice([0.0, 0.0, 0.03, 0.08]))
    noise = float(random.choice([0.05, 0.1, 0.2, 0.3]))
    visits = 0.3 * sum(parts.values()) * float(random.lognormal(0, 0.4))
    return Habits(parts, pause, noise, weekend, feast, float(random.choice([0.0, 0.0, 0.02])), visits)


def make_deliveries(
    sender: Sender,
    row: int,
    faults: Sequence[Fault],
    habits: Habits,
    before: NDArray[np.int64],
    days: Days,
    random: np.random.Generator,
) -> list[Delivery]:
    """Everything that the sender sends, by date. `before`: how many uploads each day had before the faults took some away."""
    quiet = [(fault.start, fault.end) for fault in faults if fault.kind != STALL and row in fault.rows]
    if sender.feed is Feed.SCHEDULED:
        found = list(_by_slots(sender, quiet, habits, days, random))
    else:
        found = list(_by_uploads(sender, habits, before, days, random))
    for delivery in found:
        delivery.clock = sender.clock
    return found


def _by_slots(
    sender: Sender, quiet: Sequence[tuple[float, float]], habits: Habits, days: Days, random: np.random.Generator
) -> Iterator[Delivery]:
    """A date is sent at the first slot of the first (or second) own day after it that is not in a silence."""
    assert sender.slot_sent is not None
    assert sender.slot_day is not None
    assert sender.slot_latest is not None
    own = np.unique(sender.slot_day)
    kept = np.array([not any(start <= sent < end for start, end in quiet) for sent in sender.slot_sent], np.bool_)
    for place in range(sender.days_back, len(own)):
        moments = sender.slot_sent[kept & (sender.slot_day == own[place])]
        if len(moments):
            day = int(own[place - sender.days_back])
            level = _level(habits, day, days) * float(random.lognormal(0, habits.noise))
            late = 24.0 * int(random.integers(1, 4)) if random.random() < habits.slips else 0.0
            counts, measures = _counts(habits, level, random), _measures(habits.visits * level, random)
            latest = float(sender.slot_latest[kept & (sender.slot_day == own[place])][0])
            yield Delivery(day, float(moments[0]) + late, counts, measures, latest=latest)


def _by_uploads(
    sender: Sender, habits: Habits, before: NDArray[np.int64], days: Days, random: np.random.Generator
) -> Iterator[Delivery]:
    """A day of a realtime feed: as much of it as was sent, with its last upload."""
    first = int(days.start) // 24
    after = uploads_by_day(sender, days)
    day_of = np.floor((sender.event_time - sender.clock) / 24).astype(np.int64) - first
    pace = np.ones(days.count)
    if sender.intensity is not None:
        pace = sender.intensity.reshape(days.count, 24).sum(axis=1)
        pace = pace / np.median(pace[pace > 0])
    for day in np.flatnonzero(after):
        moments = sender.arrive[day_of == day]
        if len(moments):
            level = float(pace[day]) * min(1.0, after[day] / before[day]) * float(random.lognormal(0, habits.noise))
            yield Delivery(first + int(day), float(moments.max()), _counts(habits, level, random))


def _level(habits: Habits, day: int, days: Days) -> float:
    place = day - int(days.start) // 24
    if not 0 <= place < days.count or not days.off[place]:
        return 1.0
    return min(habits.feast, habits.weekend) if days.holiday[place] else habits.weekend


def _counts(habits: Habits, level: float, random: np.random.Generator) -> dict[str, int]:
    sizes = np.array(list(habits.parts.values())) * level * random.lognormal(0, 0.1, len(habits.parts))
    counts = np.where(random.random(len(sizes)) < habits.pause, 0, random.poisson(sizes))
    return {code: int(count) for code, count in zip(habits.parts, counts, strict=True) if count}


def _measures(expected: float, random: np.random.Generator) -> Measures:
    visits, discharges = int(random.poisson(expected)) + 5, int(random.poisson(expected / 15)) + 3
    cents = (visits * YUAN_PER_VISIT * 100, discharges * YUAN_PER_DISCHARGE * 100)
    return Measures(visits, discharges, *(int(amount * random.uniform(0.8, 1.2)) for amount in cents))


def day_after(hours: float) -> float:
    """The hour of the summary on the morning after the day of `hours`."""
    return (hours // 24 + 1) * 24 + float(SUMMARY_HOUR)
