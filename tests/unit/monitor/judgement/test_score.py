from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counting.feeds import Feed
from monitor.judgement.facts import Sums
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.verdict import Severity, Text, Verdict
from monitor.judgement.score import CONTRADICTING, Delivery, Score, delivery, scores
from schemas.events import TableCode, UnitId
from tests.unit.monitor.judgement.steady import DAY, FORMS, SMALL, TABLES, TODAY, Days, city, feed, steady, unit

ALL = steady(TABLES)
LIVE = steady(FORMS, last=TODAY - DAY)


FIRST_UNIT = unit().unit.unit_id


def verdict(rule: str, unit_id: UnitId | None = FIRST_UNIT) -> Verdict:
    return Verdict(rule, Severity.TICKET, TODAY, Text("", ""), Text("", ""), unit_id=unit_id)


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
    late_unit = scored(unit(scheduled=facts))
    assert late_unit.timeliness == pytest.approx((14 + 29) / 57)
    assert late_unit.points == 87.7, "50 x 0.754 + 30 + 20"


def test_contradiction_costs_consistency() -> None:
    bare = unit()
    without = {day: measures._replace(visits=None) for day, measures in bare.measures.items()}
    score = scored(unit(measures=without))
    assert score.against == ["revenue_without_visits"]
    assert score.points == pytest.approx(96.0)


def test_half_of_the_forms_costs_completeness() -> None:
    forms = feed(steady(FORMS[:2], last=TODAY - DAY), Feed.REALTIME)
    half = scored(unit(realtime=forms))
    assert half.completeness == pytest.approx(0.75)
    assert half.points == 92.5, "50 + 30 x 0.75 + 20"


WORKDAYS = {day: codes for day, codes in ALL.items() if day.weekday() < 5}
FEAST = frozenset({date(2024, 9, 16), date(2024, 9, 17)})


@pytest.mark.parametrize(
    ("what", "days", "special", "owed"),
    [
        ("every day", ALL, [], Delivery(28, 28, 0)),
        ("who sends on workdays owes workdays", WORKDAYS, [], Delivery(20, 20, 0)),
        ("a feast that is worked counts", ALL, FEAST, Delivery(28, 28, 0)),
        ("one that is not is not owed", {day: WORKDAYS[day] for day in WORKDAYS if day not in FEAST}, FEAST, Delivery(18, 18, 0)),
        ("who has shown no week owes every day", {day: ALL[day] for day in list(ALL)[-3:]}, [], Delivery(28, 3, 0)),
        ("but no feast", {day: ALL[day] for day in list(ALL)[-3:]}, FEAST, Delivery(26, 3, 0)),
        ("a date without a document never came", {**ALL, date(2024, 9, 3): {"C0002": Sums(1, 0)}}, [], Delivery(28, 27, 0)),
    ],
)
def test_delivery(what: str, days: Days, special: Iterable[date], owed: Delivery) -> None:
    assert delivery(Feed.SCHEDULED, feed(days), city(special=frozenset(special))) == owed, what


def test_a_date_that_came_in_time_and_again_later_is_on_time() -> None:
    twice = [*feed(ALL).arrivals, *(row._replace(sent_on=row.business_date + DAY * 5) for row in feed(ALL).arrivals)]
    for arrivals in (twice, twice[::-1]):
        assert delivery(Feed.SCHEDULED, feed(ALL, arrivals=arrivals), city()) == Delivery(28, 28, 0)


def test_a_form_is_late_on_the_day_after() -> None:
    forms = steady(FORMS, last=TODAY - DAY)
    arrivals = [row._replace(sent_on=row.business_date + DAY) for row in feed(forms, Feed.REALTIME).arrivals]
    facts = feed(forms, Feed.REALTIME, arrivals=arrivals[:-4])
    assert delivery(Feed.REALTIME, facts, city()) == Delivery(29, 4, 25), "of a date whose arrival is forgotten nothing is known"


def test_contradictions_cost_no_more_than_there_is() -> None:
    facts = city(unit())
    one, peer, *_ = facts.units
    against = [verdict("surge"), verdict("wrong_clock"), verdict("wrong_clock"), verdict("totals_fell", peer.unit.unit_id)]
    [score] = [score for score in scores(facts, [*against, verdict("wrong_clock", None)]) if score.unit_id == one.unit.unit_id]
    assert (score.against, score.consistency) == (["wrong_clock"], 0.8)
    every = [verdict(rule) for rule in CONTRADICTING]
    [score] = [score for score in scores(facts, every) if score.unit_id == one.unit.unit_id]
    assert (score.consistency, score.points) == (0.0, 80.0)


def test_the_best_stands_first_and_who_was_never_seen_nowhere() -> None:
    half = unit(1, realtime=feed(steady(FORMS[:2], last=TODAY - DAY), Feed.REALTIME))
    unseen = unit(2, scheduled=feed({}), realtime=feed({}, Feed.REALTIME), ever=frozenset())
    best, *others = (unit(number) for number in (0, 3))
    found = scores(city(half, unseen, best, *others, peers=0), [])
    assert [score.unit_id for score in found] == [facts.unit.unit_id for facts in (best, *others, half)]


def test_a_feed_that_nobody_used_is_owed_by_nobody() -> None:
    no_forms = unit(realtime=feed({}, Feed.REALTIME))
    [score] = scores(city(no_forms, peers=0), [])
    assert (list(score.deliveries), score.completeness, score.points) == ([Feed.SCHEDULED], 1.0, 100.0)
    no_batches = unit(scheduled=feed({}))
    [score] = scores(city(no_batches, peers=0), [])
    assert (list(score.deliveries), score.completeness, score.points) == ([Feed.REALTIME], 0.5, 85.0)


def test_where_nothing_was_owed_there_is_nothing_to_score() -> None:
    nothing = unit(scheduled=feed({}), realtime=feed({}, Feed.REALTIME))
    [score] = scores(city(nothing, peers=0), [])
    assert score == Score(nothing.unit.unit_id, {}, 0.0, 0.0, 1.0, [], None)
    none_required = replace(SMALL, tables={})
    [score] = scores(city(replace(nothing, declared=None), peers=0, register=none_required), [])
    assert score.completeness == 0.0


def test_who_never_declared_is_held_against_what_is_required_by_then() -> None:
    tables = {
        TableCode(code): replace(SMALL.tables[TableCode(code)], required_from=begins)
        for code, begins in zip(TABLES[:3], (None, date(2024, 9, 30), date(2024, 10, 1)), strict=True)
    }
    only_first = unit(declared=None, scheduled=feed(steady(TABLES[:1])), ever=frozenset())
    [score] = scores(city(only_first, peers=0, register=replace(SMALL, tables=tables)), [])
    assert score.completeness == pytest.approx(0.75), "one of two tables, all forms"


@pytest.mark.parametrize(
    ("delivered", "shares"),
    [
        (Delivery(0, 0, 0), (0, 0, 0)),
        (Delivery(3, 1, 1), (333, 333, 334)),
        (Delivery(3, 1, 2), (334, 666, 0)),
        (Delivery(7, 7, 0), (1000, 0, 0)),
        (Delivery(7, 0, 7), (0, 1000, 0)),
        (Delivery(7, 0, 0), (0, 0, 1000)),
    ],
)
def test_shares(delivered: Delivery, shares: tuple[int, int, int]) -> None:
    assert delivered.shares() == shares


@given(st.integers(0, 62), st.integers(0, 62), st.integers(0, 62))
def test_three_shares_add_up_to_all(on_time: int, late: int, missing: int) -> None:
    owed = on_time + late + missing
    shares = Delivery(owed, on_time, late).shares()
    assert sum(shares) == (1000 if owed else 0)
    assert all(share >= 0 for share in shares)
    assert [bool(share) for share in shares] <= [bool(part) for part in (on_time, late, missing)]
