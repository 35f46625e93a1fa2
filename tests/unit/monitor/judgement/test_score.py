from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counting.feeds import Feed
from monitor.judgement.rules import evaluate
from monitor.judgement.score import Delivery, Score, delivery, scores
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, city, feed, steady, unit

ALL = steady(TABLES)
LIVE = steady(FORMS, last=TODAY - DAY)


def scored(facts: object) -> Score:
    of_city = city(facts)  # type: ignore[arg-type]
    found = scores(of_city, evaluate(of_city).verdicts)
    return next(score for score in found if score.unit_id == of_city.units[0].unit.unit_id)


def test_steady_unit_has_all_points() -> None:
    score = scored(unit())
    assert (score.timeliness, score.completeness, score.consistency, score.points) == (1.0, 1.0, 1.0, 100.0)


def test_missing_days_cost_timeliness() -> None:
    gone = {date(2024, 9, day) for day in range(1, 8)}
    score = scored(unit(scheduled=feed({day: codes for day, codes in ALL.items() if day not in gone})))
    assert score.deliveries[Feed.SCHEDULED].missing == 7
    assert score.timeliness == pytest.approx(1 - 7 / 57)


def test_late_dates_count_half() -> None:
    late = [row._replace(sent_on=row.business_date + DAY * 2) for row in feed(ALL).arrivals]
    facts = feed(ALL, arrivals=late)
    assert delivery(Feed.SCHEDULED, facts, city()) == Delivery(28, 0, 28)
    assert scored(unit(scheduled=facts)).timeliness == pytest.approx((14 + 29) / 57)


def test_contradiction_costs_consistency() -> None:
    bare = unit()
    without = {day: measures._replace(visits=None) for day, measures in bare.measures.items()}
    score = scored(unit(measures=without))
    assert score.against == ["revenue_without_visits"]
    assert score.points == pytest.approx(96.0)


def test_half_of_the_forms_costs_completeness() -> None:
    forms = feed(steady(FORMS[:2], last=TODAY - DAY), Feed.REALTIME)
    assert scored(unit(realtime=forms)).completeness == pytest.approx(0.75)


@given(st.integers(0, 62), st.integers(0, 62), st.integers(0, 62))
def test_three_shares_add_up_to_all(on_time: int, late: int, missing: int) -> None:
    owed = on_time + late + missing
    shares = Delivery(owed, on_time, late).shares()
    assert sum(shares) == (1000 if owed else 0)
    assert all(share >= 0 for share in shares)
    assert [bool(share) for share in shares] <= [bool(part) for part in (on_time, late, missing)]
