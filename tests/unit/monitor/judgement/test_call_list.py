from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.judgement.call_list import call_list, urgency
from monitor.judgement.findings import Finding
from monitor.judgement.rules import RULES
from monitor.judgement.rules.verdict import Severity, Text
from schemas.events import UnitId
from schemas.register import Register
from tests.factories import OTHER_UNIT, UNIT
from tests.unit.monitor.judgement.examples import DROP, FOR_INFORMATION, LADDER, SILENT, TODAY


def test_one_line_a_unit_most_urgent_first(register: Register) -> None:
    calls = call_list([LADDER, DROP, SILENT, FOR_INFORMATION], {}, register, TODAY)
    assert [call.unit_id for call in calls] == [OTHER_UNIT, UNIT]
    assert calls[1].findings == [DROP, LADDER]
    assert calls[1].line == Text("骤降(另有 1 项)", "dropped (and 1 more)")
    assert (calls[1].since, calls[1].lost) == (LADDER.since, 1_000)


def test_more_lost_stranger_longer_and_oftener_is_more_urgent() -> None:
    usual = urgency(DROP, 1, TODAY)
    assert urgency(replace(DROP, lost=1_000_000), 1, TODAY) > usual
    assert urgency(replace(DROP, unusual=9.0), 1, TODAY) > usual
    assert urgency(replace(DROP, since=TODAY - timedelta(days=6)), 1, TODAY) > usual
    assert urgency(DROP, 4, TODAY) > usual
    assert urgency(replace(DROP, severity=Severity.PAGE), 1, TODAY) > usual


@pytest.mark.parametrize(
    ("what", "finding", "times", "points"),
    [
        ("20 for unusual, 6 for what is lost, 1.6 for three days, 8 for being fresh", DROP, 1, 35.6),
        ("a page: 30 more", replace(DROP, severity=Severity.PAGE), 1, 65.6),
        ("nothing lost: 6 less", replace(DROP, lost=0), 1, 29.6),
        ("a million lost: 6 more", replace(DROP, lost=1_000_000), 1, 41.6),
        ("as unusual as can be: 20 more", replace(DROP, unusual=10.0), 1, 55.6),
        ("since today", replace(DROP, since=TODAY), 1, 34.0),
        ("since tomorrow, as of a clock that is ahead", replace(DROP, since=TODAY + timedelta(days=1)), 1, 34.0),
        ("for seven days", replace(DROP, since=TODAY - timedelta(days=7)), 1, 37.0),
        ("for eight days: not fresh any more", replace(DROP, since=TODAY - timedelta(days=8)), 1, 29.2),
        ("for a month", replace(DROP, since=TODAY - timedelta(days=31)), 1, 31.0),
        ("for two: no more than for one", replace(DROP, since=TODAY - timedelta(days=62)), 1, 31.0),
        ("for the fourth time", DROP, 4, 38.6),
        ("not counted yet", DROP, 0, 35.6),
    ],
)
def test_points(what: str, finding: Finding, times: int, points: float) -> None:
    assert round(urgency(finding, times, TODAY), 1) == points, what


def test_urgency_of_a_unit_is_that_of_its_worst_finding_and_two_for_each_other(register: Register) -> None:
    (call,) = call_list([LADDER, DROP, replace(DROP, feed="realtime")], {DROP.key: 4}, register, TODAY)
    assert call.urgency == 38.6 + 2 + 2


def test_of_equally_urgent_findings_the_worse_rule_leads(register: Register) -> None:
    surge, unknown, worst = (replace(DROP, rule=rule) for rule in ("surge", "former_rule", RULES[0].name))
    (call,) = call_list([surge, DROP, worst, unknown], {}, register, TODAY)
    assert [found.rule for found in call.findings] == ["former_rule", RULES[0].name, "sudden_drop", "surge"]


def test_what_nobody_counted_was_opened_once(register: Register) -> None:
    again = replace(DROP, feed="realtime")
    (call,) = call_list([DROP, again], {DROP.key: 1}, register, TODAY)
    assert call.findings == [DROP, again]
    (alone,) = call_list([again], {DROP.key: 1}, register, TODAY)
    assert alone.urgency == 35.6


def test_equally_urgent_units_stand_in_the_registers_order_after_those_it_does_not_know(register: Register) -> None:
    first, second = list(register.units)[:2]
    units = [second, first, UnitId("demolished-hospital"), None]
    calls = call_list([replace(DROP, unit_id=unit_id) for unit_id in units], {}, register, TODAY)
    assert [call.unit_id for call in calls] == ["demolished-hospital", None, first, second]
    assert calls[0].name == Text("demolished-hospital", "demolished-hospital")


def test_old_sores_come_after_what_is_new() -> None:
    assert urgency(replace(DROP, since=TODAY - timedelta(days=60)), 1, TODAY) < urgency(DROP, 1, TODAY)


def test_finding_of_the_whole_city_is_the_platforms_own_call(register: Register) -> None:
    (call,) = call_list([replace(DROP, unit_id=None)], {}, register, TODAY)
    assert call.name == Text("平台", "the platform")
