"""Who is judged, by what, and in which order the verdicts stand."""

from dataclasses import replace

import pytest

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import GapFacts, HealthDay
from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules import RULES
from monitor.judgement.rules.evaluation import evaluate, key_of
from monitor.judgement.rules.verdict import Verdict
from schemas.register import Life
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, city, feed, found_rules, scaled, steady, unit

SINCE = TODAY - DAY * 4


def dropped(number: int = 0) -> UnitFacts:
    return unit(number, scheduled=feed(scaled(steady(TABLES), 0.2, SINCE)))


def living(life: Life, number: int = 0) -> UnitFacts:
    facts = dropped(number)
    return replace(facts, unit=replace(facts.unit, status=life))


def keys(verdicts: list[Verdict]) -> list[tuple[str, str | None, str | None]]:
    return [key_of(verdict) for verdict in verdicts]


@pytest.mark.parametrize("life", [Life.ONBOARDING, Life.PAUSED, Life.RETIRED])
def test_only_an_active_unit_is_judged(life: Life) -> None:
    assert found_rules(living(Life.ACTIVE)) == ["sudden_drop"]
    assert found_rules(living(life)) == []


def test_who_stands_behind_a_retired_unit_is_judged() -> None:
    assert found_rules(living(Life.RETIRED), dropped(1)) == ["sudden_drop"]


def test_a_feed_that_is_not_expected_is_not_judged() -> None:
    facts = dropped()
    assert found_rules(replace(facts, unit=replace(facts.unit, feeds={Feed.REALTIME: None}))) == []


def test_what_is_of_no_feed_is_judged() -> None:
    fallen = unit(health=[HealthDay(TODAY - DAY, 9, None, None), HealthDay(TODAY, 8, None, None)])
    assert found_rules(fallen) == ["totals_fell"]


def test_all_are_judged_or_those_that_are_asked_for() -> None:
    two, first = city(dropped(), dropped(1)), dropped().unit.unit_id
    assert len(evaluate(two).verdicts) == 2
    assert keys(list(evaluate(two, {first}).verdicts)) == [("sudden_drop", first, Feed.SCHEDULED)]


def test_what_cannot_be_told_says_of_whom() -> None:
    young = unit(gaps=[], health=[HealthDay(TODAY, 9, None, None)], realtime=feed(steady(FORMS, TODAY - DAY, TODAY - DAY)))
    unknown = evaluate(city(young), {young.unit.unit_id}).unknown
    assert ("totals_stand_still", young.unit.unit_id, None) in unknown
    assert ("forms_never_sent", young.unit.unit_id, Feed.REALTIME) in unknown


def test_what_the_whole_city_does_is_nobodys_finding() -> None:
    assert found_rules(*map(dropped, range(8)), peers=0) == []


def test_the_worst_comes_first_and_of_one_rule_the_registers_order_holds() -> None:
    gap = [GapFacts(Feed.SCHEDULED, 4, 4, SINCE)]
    first, second = replace(dropped(1), gaps=gap), replace(dropped(0), gaps=gap)
    one, two = first.unit.unit_id, second.unit.unit_id
    found = evaluate(city(first, second))
    assert keys(list(found.verdicts)) == [
        ("sudden_drop", one, Feed.SCHEDULED),
        ("sudden_drop", two, Feed.SCHEDULED),
        ("open_gaps", one, Feed.SCHEDULED),
        ("open_gaps", two, Feed.SCHEDULED),
    ]
    assert found == evaluate(city(first, second))


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
