"""What the rules know of a city is what the ledger's rows say, unit by unit."""

from dataclasses import replace
from datetime import date, timedelta
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
from monitor.judgement.facts import FeedFacts, Sums, UnitFacts
from monitor.judgement.gather import gather
from schemas.clock import start_of_day
from schemas.events import TableCode
from schemas.register import Register
from tests.factories import OTHER_UNIT, UNIT

TODAY: Final = date(2024, 9, 30)
DAY: Final = timedelta(days=1)
CLOCK: Final = start_of_day(TODAY) + timedelta(hours=7)
FIRST: Final = date(2024, 9, 2)
HABIT: Final = [Arrivals(FIRST + DAY * (n + 3), FIRST + DAY * n, 2, 40) for n in range(14)]
"""Each date is sent three days later."""
SENT_TODAY: Final = [Arrivals(FIRST, FIRST, 1, 3)]
CODES: Final = frozenset({TableCode("C0002"), TableCode("C0004")})
UNKNOWN: Final = "demolished-hospital"


def rows() -> UnitDays:
    return UnitDays(
        uploads=[
            UploadRow(UNIT, "C0002", FIRST, 2, 40, Measures(5, None, 100, None)),
            UploadRow(UNIT, "C0004", FIRST, 1, 7, Measures(3, None, None, 0)),
            UploadRow(UNIT, "C0004", FIRST + DAY, 1, 0, Measures()),
            UploadRow(OTHER_UNIT, "C0002", FIRST, 1, 9, Measures()),
            UploadRow(UNKNOWN, "C0002", FIRST, 1, 9, Measures(1, 1, 1, 1)),
        ],
        forms=[FormRow(UNIT, "RT01", FIRST, 1, 3), FormRow(UNIT, "RT02", FIRST, 2, 0)],
        arrivals=[*((UNIT, Feed.SCHEDULED, row) for row in HABIT), *((UNIT, Feed.REALTIME, row) for row in SENT_TODAY)],
        feeds=[
            FeedRow(UNIT, Feed.SCHEDULED, start_of_day(FIRST) - timedelta(hours=1), CLOCK - timedelta(hours=30)),
            FeedRow(UNIT, Feed.REALTIME, start_of_day(FIRST), CLOCK - timedelta(hours=2)),
        ],
        ever=[(UNIT, TableCode("C0004")), (UNIT, TableCode("C0002")), (UNKNOWN, TableCode("C0002"))],
        declarations=[DeclarationRow(UNIT, start_of_day(FIRST) - timedelta(minutes=1), CODES)],
        health=[(UNIT, HealthDay(FIRST + DAY, 11, 2, None)), (UNIT, HealthDay(FIRST, 10, 1, None))],
        gaps=[(UNIT, GapFacts(Feed.SCHEDULED, 9, 12, FIRST)), (UNIT, GapFacts(Feed.SCHEDULED, 3, 4, FIRST))],
        overdue={(UNIT, Feed.REALTIME): CLOCK - timedelta(hours=1)},
    )


def test_each_registered_unit_has_its_facts(register: Register) -> None:
    units = {unit_id: register.units[unit_id] for unit_id in (UNIT, OTHER_UNIT)}
    city = gather(replace(register, units=units), CLOCK, rows(), frozenset({date(2024, 9, 17)}))
    scheduled = FeedFacts(
        {FIRST: {"C0002": Sums(2, 40), "C0004": Sums(1, 7)}, FIRST + DAY: {"C0004": Sums(1, 0)}},
        date(2024, 9, 26),
        [3] * 7,
        HABIT,
        FIRST - DAY,
        CLOCK - timedelta(hours=30),
    )
    forms = {"RT01": Sums(1, 3), "RT02": Sums(2, 0)}
    overdue = CLOCK - timedelta(hours=1)
    realtime = FeedFacts({FIRST: forms}, date(2024, 9, 29), [0] * 7, SENT_TODAY, FIRST, CLOCK - timedelta(hours=2), overdue)
    one, other = city.units
    assert one == UnitFacts(
        units[UNIT],
        {Feed.SCHEDULED: scheduled, Feed.REALTIME: realtime},
        {FIRST: Measures(8, None, 100, 0)},
        CODES,
        CODES,
        FIRST - DAY,
        [HealthDay(FIRST, 10, 1, None), HealthDay(FIRST + DAY, 11, 2, None)],
        [GapFacts(Feed.SCHEDULED, 3, 4, FIRST), GapFacts(Feed.SCHEDULED, 9, 12, FIRST)],
    )
    assert other == UnitFacts(
        units[OTHER_UNIT],
        {
            Feed.SCHEDULED: FeedFacts({FIRST: {"C0002": Sums(1, 9)}}, date(2024, 9, 28), [1] * 7, []),
            Feed.REALTIME: FeedFacts({}, date(2024, 9, 29), [0] * 7, []),
        },
        {},
        health=[],
        gaps=[],
    )
    assert (city.clock, city.special) == (CLOCK, frozenset({date(2024, 9, 17)}))
    assert city.register.units == units


def test_what_waited_for_a_feast_is_no_habit(register: Register) -> None:
    feasts = frozenset(row.business_date + DAY for row in HABIT)
    (one,) = gather(replace(register, units={UNIT: register.units[UNIT]}), CLOCK, rows(), feasts).units
    assert one.feeds[Feed.SCHEDULED].lags == [1] * 7
