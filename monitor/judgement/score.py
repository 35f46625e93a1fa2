"""A unit's month in one number, and the three numbers that it is made of. Core; the formula stands beside every score.

Timeliness: of the dates that both feeds owe, on time counts 1, late ½, missing 0. Completeness: tables of the month against
those declared (never declared: required), forms of the month against those required. Consistency: 1 less ⅕ for each
contradiction, implausible number, copy or wrong total of the month. Rules on trial do not score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from monitor.counting.feeds import Feed
from monitor.judgement.facts import CityFacts, FeedFacts, UnitFacts
from monitor.judgement.rules.expected_days import days_between, own_weekdays
from monitor.judgement.rules.verdict import Text, Verdict
from schemas.events import UnitId

FORMULA: Final = Text(
    "得分 = 50×及时 + 30×完整 + 20×一致;及时 = (按时 + ½×迟报) / 应报;完整 = 表与表单上传比例的平均;一致 = 1 − ⅕×矛盾项",
    "score = 50 × timeliness + 30 × completeness + 20 × consistency; timeliness = (on time + ½ late) / owed; "
    "completeness = mean of the shares of tables and forms; consistency = 1 − ⅕ for each contradiction",
)
_TIMELY: Final = 50
_COMPLETE: Final = 30
_CONSISTENT: Final = 20
_EACH: Final = 0.2
_ON_TIME: Final = {Feed.SCHEDULED: 1, Feed.REALTIME: 0}
"""Days after its business date by whose end a date is on time, by default: no public rule fixes it."""
_EVERY_DAY: Final = frozenset(range(7))
CONTRADICTING: Final = frozenset(
    {
        "same_content",
        "empty_uploads",
        "implausible_upload",
        "implausible_ratio",
        "totals_fell",
        "revenue_without_visits",
        "revenue_without_discharges",
        "visits_without_revenue",
        "discharges_without_revenue",
        "wrong_clock",
    }
)


@dataclass(frozen=True)
class Delivery:
    """The dates that a feed owed, and how they came. The three parts add up to `owed`."""

    owed: int
    on_time: int
    late: int

    @property
    def missing(self) -> int:
        """Dates that never came."""
        return self.owed - self.on_time - self.late

    def shares(self) -> tuple[int, int, int]:
        """On time, late, missing in tenths of a percent; they add up to 1000 (to 0 where nothing was owed)."""
        if not self.owed:
            return 0, 0, 0
        on_time, late = (1000 * part // self.owed for part in (self.on_time, self.late))
        rest = 1000 - on_time - late
        return (on_time, late, rest) if self.missing else (on_time + rest, late, 0)


@dataclass(frozen=True)
class Score:
    """One unit and month. Parts are 0 to 1; `points` 0 to 100. None: nothing was owed, so there is nothing to score."""

    unit_id: UnitId
    deliveries: dict[Feed, Delivery]
    timeliness: float
    completeness: float
    consistency: float
    against: Sequence[str]
    points: float | None


def scores(city: CityFacts, verdicts: Sequence[Verdict]) -> list[Score]:
    """Every unit of the register that was ever seen, best first. `verdicts` are those of the judged month's end."""
    of_unit: dict[UnitId, list[Verdict]] = {unit.unit.unit_id: [] for unit in city.units}
    for verdict in verdicts:
        if verdict.unit_id is not None:
            of_unit[verdict.unit_id].append(verdict)
    found = [_score(unit, city, of_unit[unit.unit.unit_id]) for unit in city.units if unit.seen]
    return sorted(found, key=lambda score: -(score.points or 0))


def _score(unit: UnitFacts, city: CityFacts, verdicts: Sequence[Verdict]) -> Score:
    deliveries = {feed: delivery(feed, facts, city) for feed, facts in unit.feeds.items() if _uses(feed, city)}
    owed = sum(one.owed for one in deliveries.values())
    timely = sum(one.on_time + one.late / 2 for one in deliveries.values()) / owed if owed else 0.0
    complete = _completeness(unit, city)
    against = sorted({verdict.rule for verdict in verdicts if verdict.rule in CONTRADICTING})
    consistent = max(0.0, 1 - _EACH * len(against))
    points = _TIMELY * timely + _COMPLETE * complete + _CONSISTENT * consistent if owed else None
    return Score(
        unit.unit.unit_id, deliveries, timely, complete, consistent, against, None if points is None else round(points, 1)
    )


def delivery(feed: Feed, facts: FeedFacts, city: CityFacts) -> Delivery:
    """How the dates of the judged month came, up to what should be here by now.

    A feed owes the weekdays that it ever keeps; one without a week of its own owes every day but public holidays.
    """
    weekdays = own_weekdays(facts, city) or _EVERY_DAY
    last = min(city.period.last, facts.complete_until)
    here = {day for day in facts.own_days if facts.records[day]}
    owed = [d for d in days_between(city.period.first, last) if d in here or (d.weekday() in weekdays and d not in city.special)]
    first: dict[date, date] = {}
    for row in facts.arrivals:
        first[row.business_date] = min(first.get(row.business_date, row.sent_on), row.sent_on)
    came = [day for day in owed if day in here]
    late = sum(1 for day in came if (first.get(day, day) - day).days > _ON_TIME[feed])
    return Delivery(len(owed), len(came) - late, late)


def _uses(feed: Feed, city: CityFacts) -> bool:
    """Whether anybody used the feed in the month: before it was introduced, nobody owed it."""
    return any((m.realtime_days if feed is Feed.REALTIME else m.upload_days) for m in city.months.values())


def _completeness(unit: UnitFacts, city: CityFacts) -> float:
    month = city.months[unit.unit.unit_id]
    promised = unit.declared or frozenset(table.code for table in city.register.required_tables(unit.unit.kind, city.period.last))
    shares = [len(month.tables & promised) / len(promised)] if promised else []
    if _uses(Feed.REALTIME, city):
        forms = {form.code for form in city.register.expected_forms(unit.unit, city.period.last)}
        shares += [len(month.forms & forms) / len(forms)] if forms else []
    return sum(shares) / len(shares) if shares else 0.0
