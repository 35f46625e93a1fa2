"""Of whom nothing is expected nothing is found."""

from dataclasses import replace

import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.facts import UnitFacts
from schemas.register import Life
from tests.unit.monitor.judgement.steady import DAY, TABLES, TODAY, feed, found_rules, scaled, steady, unit

DROPPED = unit(scheduled=feed(scaled(steady(TABLES), 0.2, TODAY - DAY * 4)))


def living(life: Life) -> UnitFacts:
    return replace(DROPPED, unit=replace(DROPPED.unit, status=life))


@pytest.mark.parametrize("life", [Life.ONBOARDING, Life.PAUSED, Life.RETIRED])
def test_only_an_active_unit_is_judged(life: Life) -> None:
    assert found_rules(living(Life.ACTIVE)) == ["sudden_drop"]
    assert found_rules(living(life)) == []


def test_a_feed_that_is_not_expected_is_not_judged() -> None:
    without = replace(DROPPED, unit=replace(DROPPED.unit, feeds={Feed.REALTIME: None}))
    assert found_rules(without) == []
