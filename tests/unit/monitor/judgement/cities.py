"""A simulated city at the grain of daily sums: units with rhythms of their own, feasts, noise, backfills, and labelled faults.

It shares nothing with the rules: what a fault is, is said here by what it does to the sums.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import (
    Arrivals,
    DeclarationRow,
    FeedRow,
    FormRow,
    GapFacts,
    HealthDay,
    Measures,
    UnitDays,
    UploadRow,
)
from monitor.judgement.facts import CityFacts
from monitor.judgement.gather import gather
from schemas.clock import start_of_day
from schemas.events import TableCode, UnitId
from schemas.register import Register, Unit

DAY: Final = timedelta(days=1)
KINDS: Final = (
    "dead_tables",
    "dead_forms",
    "empty_uploads",
    "same_content",
    "stuck_date",
    "sudden_drop",
    "surge",
    "steady_decline",
    "missing_days",
    "implausible_upload",
    "revenue_without_visits",
    "totals_fell",
    "wrong_clock",
    "open_gaps",
)


@dataclass(frozen=True)
class Fault:
    """From `start` on, for `days` business dates, a unit does what `kind` says."""

    kind: str
    unit_id: UnitId
    start: date
    days: int


@dataclass
class Habits:
    """How a unit ordinarily behaves."""

    tables: Mapping[str, float]
    forms: Mapping[str, tuple[float, float]]  # documents a day, chance of a pause
    noise: float
    weekend: float  # share of a workday's documents; 0: nothing on weekends
    lag: int
    feast: float
    backfill: float
    burst: float


@dataclass
class Upload:
    """What a unit sent of one feed for one date."""

    sent_on: date
    sums: dict[str, tuple[int, int]]
    measures: Measures = field(default_factory=Measures)
    behind: int = 0


class SimulatedCity:
    """Three months of `units`; `at(day)` tells the facts on the morning of that day."""

    def __init__(self, register: Register, units: int, first: date, days: int, seed: int, special: frozenset[date]) -> None:
        self.random = Random(seed)
        self.register = register
        chosen = self.random.sample(list(register.units.values()), units)
        self.register_here = replace(register, units={unit.unit_id: unit for unit in chosen})
        self.first, self.days, self.special = first, days, special
        self.habits = {unit.unit_id: self._habits(unit) for unit in chosen}
        self.faults: list[Fault] = []

    def _habits(self, unit: Unit) -> Habits:
        random = self.random
        tables = random.sample([str(table.code) for table in self.register.required_tables(unit.kind)], random.randint(6, 40))
        forms = random.sample([str(code) for code in self.register.forms], random.choice((8, 10, 11, 11, 11)))
        size = random.lognormvariate(0, 0.8)
        pause = random.choice((0.0, 0.0, 0.03, 0.08))
        return Habits(
            {code: size * random.lognormvariate(4, 2) + 0.3 for code in tables},
            {code: (size * random.lognormvariate(3.5, 1) + 2, pause) for code in forms},
            random.choice((0.05, 0.1, 0.2, 0.3)),
            random.choice((1.0, 0.8, 0.6, 0.6, 0.3, 0.0)),
            random.choice((1, 1, 1, 1, 2)),
            random.choice((0.0, 0.15, 0.4, 0.7)),
            random.choice((0.0, 0.0, 0.02)),
            random.choice((0.0, 0.0, 0.01)),
        )

    def play(self) -> None:
        """Draw everything; call it once, after the faults are set."""
        self.scheduled: dict[UnitId, dict[date, list[Upload]]] = {}
        self.realtime: dict[UnitId, dict[date, list[Upload]]] = {}
        self.health: dict[UnitId, list[HealthDay]] = {}
        for unit_id, habits in self.habits.items():
            random = Random(f"{self.random.random()}|{unit_id}")
            self.scheduled[unit_id] = self._feed(unit_id, habits, Feed.SCHEDULED, random)
            self.realtime[unit_id] = self._feed(unit_id, habits, Feed.REALTIME, random)
            self.health[unit_id] = list(self._totals(unit_id, random))

    def _fault(self, unit_id: UnitId, kind: str, day: date) -> Fault | None:
        for fault in self.faults:
            if fault.unit_id == unit_id and fault.kind == kind and fault.start <= day < fault.start + DAY * fault.days:
                return fault
        return None

    def _totals(self, unit_id: UnitId, random: Random) -> Iterator[HealthDay]:
        base = random.randint(50_000, 900_000)
        for number in range(self.days):
            day = self.first + DAY * number
            base += random.randint(0, 40)
            fell = 3_000 if self._fault(unit_id, "totals_fell", day) else 0
            yield HealthDay(day, base - fell, base // 10, None)

    def _feed(self, unit_id: UnitId, habits: Habits, feed: Feed, random: Random) -> dict[date, list[Upload]]:
        found: dict[date, list[Upload]] = {}
        last: dict[str, tuple[int, int]] = {}
        for number in range(self.days):
            day = self.first + DAY * number
            level = habits.weekend if day.weekday() >= 5 else 1.0
            if day in self.special:
                level = min(level, habits.feast) if habits.weekend else 0.0
            if not level or self._fault(unit_id, "missing_days", day):
                continue
            level *= random.lognormvariate(0, habits.noise) * (3 if random.random() < habits.burst else 1)
            sums = self._sums(habits, feed, level, random)
            sums = self._spoil(unit_id, feed, day, sums, last)
            if not sums:
                continue
            last = sums
            lag = habits.lag if feed is Feed.SCHEDULED else 0
            late = random.randint(1, 3) if random.random() < habits.backfill else 0
            measures = self._measures(unit_id, day, level) if feed is Feed.SCHEDULED else Measures()
            behind = 8 if feed is Feed.REALTIME and self._fault(unit_id, "wrong_clock", day) else 0
            as_of, sent = day, day + DAY * (lag + late)
            if feed is Feed.SCHEDULED and (stuck := self._fault(unit_id, "stuck_date", day)):
                as_of = stuck.start - DAY
            found.setdefault(as_of, []).append(Upload(sent, sums, measures, behind))
        return found

    def _sums(self, habits: Habits, feed: Feed, level: float, random: Random) -> dict[str, tuple[int, int]]:
        sums = {}
        parts = habits.tables.items() if feed is Feed.SCHEDULED else [(code, size) for code, (size, _) in habits.forms.items()]
        for code, size in parts:
            if feed is Feed.REALTIME and random.random() < habits.forms[code][1]:
                continue
            records = _poisson(size * level * random.lognormvariate(0, 0.1), random)
            if records:
                sums[code] = (max(1, records // 200), records)
        return sums

    def _spoil(
        self, unit_id: UnitId, feed: Feed, day: date, sums: dict[str, tuple[int, int]], last: dict[str, tuple[int, int]]
    ) -> dict[str, tuple[int, int]]:
        scheduled = feed is Feed.SCHEDULED
        if scheduled and (self._fault(unit_id, "same_content", day)) and last:
            return dict(last)
        if scheduled and self._fault(unit_id, "empty_uploads", day):
            return {code: (events, 0) for code, (events, _) in sums.items()}
        if (scheduled and self._fault(unit_id, "dead_tables", day)) or (
            not scheduled and self._fault(unit_id, "dead_forms", day)
        ):
            parts = self.habits[unit_id].tables if scheduled else self.habits[unit_id].forms
            dead = set(Random(unit_id).sample(sorted(parts), max(3, len(parts) // 3)))
            return {code: value for code, value in sums.items() if code not in dead}
        factor = 1.0
        if scheduled and self._fault(unit_id, "sudden_drop", day):
            factor = 0.2
        if scheduled and self._fault(unit_id, "surge", day):
            factor = 5.0
        if scheduled and (decline := self._fault(unit_id, "steady_decline", day)):
            factor = 0.93 ** (day - decline.start).days
        sums = {code: (events, int(records * factor)) for code, (events, records) in sums.items() if int(records * factor)}
        if scheduled and sums and self._fault(unit_id, "implausible_upload", day):
            sums[min(sums)] = (1, 900_000_000)
        return sums

    def _measures(self, unit_id: UnitId, day: date, level: float) -> Measures:
        visits = int(300 * level) + 5
        gone = self._fault(unit_id, "revenue_without_visits", day)
        return Measures(None if gone else visits, int(20 * level) + 3, visits * 30_000, (int(20 * level) + 3) * 1_200_000)

    def at(self, today: date) -> CityFacts:
        """The facts on the morning of `today`: what was sent before it."""
        rows = UnitDays([], [], [], [], [], [], [], [])
        since = today - DAY * 62
        for unit_id in self.habits:
            tables = frozenset(TableCode(code) for code in self.habits[unit_id].tables)
            for feed, uploads in ((Feed.SCHEDULED, self.scheduled[unit_id]), (Feed.REALTIME, self.realtime[unit_id])):
                self._rows(rows, unit_id, feed, uploads, today, since)
            rows.declarations.append(DeclarationRow(unit_id, start_of_day(self.first), tables))  # type: ignore[attr-defined]
            rows.ever += [(unit_id, code) for code in tables]  # type: ignore[operator]
            rows.health += [(unit_id, row) for row in self.health[unit_id] if since <= row.day < today]  # type: ignore[operator]
            for fault in self.faults:
                if (
                    fault.unit_id == unit_id
                    and fault.kind == "open_gaps"
                    and fault.start < today < fault.start + DAY * fault.days
                ):
                    rows.gaps.append((unit_id, GapFacts(Feed.SCHEDULED, 4012, 4077, fault.start)))  # type: ignore[attr-defined]
        return gather(self.register_here, start_of_day(today), rows, self.special)

    def _rows(
        self, rows: UnitDays, unit_id: UnitId, feed: Feed, uploads: Mapping[date, list[Upload]], today: date, since: date
    ) -> None:
        moments: list[datetime] = []
        for day, sent in uploads.items():
            here = [upload for upload in sent if upload.sent_on < today and day >= since]
            moments += [start_of_day(upload.sent_on) for upload in here]
            sums: dict[str, tuple[int, int]] = {}
            for upload in here:
                for code, (events, records) in upload.sums.items():
                    before = sums.get(code, (0, 0))
                    sums[code] = (before[0] + events, before[1] + records)
                events, records = (sum(value[n] for value in upload.sums.values()) for n in (0, 1))
                empty = sum(events for events, records in upload.sums.values() if not records)
                seconds = 5 * 3600 if upload.behind else 0
                row = Arrivals(upload.sent_on, day, events, records, empty, 0, upload.behind, 0, seconds)
                rows.arrivals.append((unit_id, feed, row))  # type: ignore[attr-defined]
            for place, (code, (events, records)) in enumerate(sums.items()):
                if feed is Feed.SCHEDULED:
                    measures = here[-1].measures if place == 0 else Measures()
                    rows.uploads.append(UploadRow(unit_id, code, day, events, records, measures))  # type: ignore[attr-defined]
                else:
                    rows.forms.append(FormRow(unit_id, code, day, events, records))  # type: ignore[attr-defined]
        if moments:
            rows.feeds.append(FeedRow(unit_id, feed, min(moments), max(moments)))  # type: ignore[attr-defined]


def _poisson(mean: float, random: Random) -> int:
    if mean > 30:
        return max(0, round(random.gauss(mean, mean**0.5)))
    limit, product, count = 2.718281828459045**-mean, random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count
