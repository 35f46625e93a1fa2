"""When a target is told what: the table of cases."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from monitor.paging.message import MessageKind, Severity
from monitor.paging.plan import Plan, Standing, Told, plan
from monitor.paging.target import Match, QuietHours, Subject, Target
from tests.unit.monitor.paging.messages import make_target

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)  # noon in Beijing
OPENED, RECOVERED = MessageKind.OPENED, MessageKind.RECOVERED
SUBJECT = Subject("UnitFeedSilent", Severity.PAGE, "unit", "qinhuai", "district", "qinhuai")


def standing(number: int = 1, *, ago: float = 60, **overrides: Any) -> Standing:
    values: dict[str, Any] = {
        "incident_id": number,
        "subject": SUBJECT,
        "feed": "realtime",
        "is_open": True,
        "change": number,
        "changed_at": NOW - timedelta(seconds=ago),
    }
    return Standing(**(values | overrides))


def planned(
    *pending: Standing, target: Target | None = None, told: dict[int, Told] | None = None, now: datetime = NOW, **overrides: Any
) -> Plan:
    values: dict[str, Any] = {"last_told": {}, "most": 20}
    return plan(target or make_target(), pending, told or {}, now=now, **(values | overrides))


def kinds(result: Plan) -> list[tuple[MessageKind, int]]:
    return [(message.group.kind, len(message.incidents)) for message in result.due]


def test_a_storm_of_units_is_one_message() -> None:
    assert kinds(planned(*(standing(number) for number in range(72)))) == [(OPENED, 72)]


def test_a_message_waits_until_its_group_has_settled_but_not_for_ever() -> None:
    assert kinds(planned(standing(1, ago=9))) == []
    assert kinds(planned(standing(1, ago=10))) == [(OPENED, 1)]
    assert kinds(planned(standing(1, ago=60), standing(2, ago=5))) == [], "more are coming in"
    assert kinds(planned(standing(1, ago=181), standing(2, ago=5))) == [(OPENED, 2)]


def test_the_next_message_of_a_group_keeps_its_distance_and_another_group_does_not_care() -> None:
    last = planned(standing()).due[0].group.key
    recently = {last: NOW - timedelta(seconds=119)}
    assert kinds(planned(standing(), last_told=recently)) == []
    assert kinds(planned(standing(feed="scheduled"), last_told=recently)) == [(OPENED, 1)]
    assert kinds(planned(standing(), last_told={last: NOW - timedelta(seconds=120)})) == [(OPENED, 1)]


@pytest.mark.parametrize(
    ("is_open", "told", "expected"),
    [
        (True, None, OPENED),
        (True, Told(False, 0), OPENED),  # again
        (True, Told(True, 0), None),  # closed and opened again before anybody was told: still open
        (False, Told(True, 0), RECOVERED),
        (False, None, RECOVERED),  # it came and went before it was told
        (False, Told(False, 0), RECOVERED),  # once more so
    ],
)
def test_what_is_told_is_the_difference_to_what_was_told(is_open: bool, told: Told | None, expected: MessageKind | None) -> None:
    result = planned(standing(is_open=is_open, change=5), told={1: told} if told else {})
    assert [message.group.kind for message in result.due] == ([expected] if expected else [])
    assert bool(result.passed_over) is (expected is None)


def test_a_target_hears_only_what_its_routes_take() -> None:
    target = make_target(routes=(Match(severity=("page",), district=("gulou",)), Match(scope=("monitor",))))
    assert kinds(planned(standing(), target=target)) == []
    assert planned(standing(), target=target).passed_over == (standing(),)
    gulou = standing(subject=replace(SUBJECT, district="gulou"))
    ours = standing(2, subject=Subject("MonitorDown", Severity.PAGE, "monitor"), feed=None)
    assert kinds(planned(gulou, ours, target=target)) == [(OPENED, 1), (OPENED, 1)]


def test_recoveries_may_be_left_out() -> None:
    result = planned(standing(is_open=False, change=2), target=make_target(recoveries=False), told={1: Told(True, 1)})
    assert (result.due, len(result.passed_over)) == ((), 1)


def test_in_quiet_hours_only_pages_are_told_and_the_rest_in_one_message_afterwards() -> None:
    target = make_target(quiet=QuietHours(time(11), time(13)))
    ticket = replace(SUBJECT, severity=Severity.TICKET)
    tickets = [standing(number, subject=ticket) for number in range(5)]
    assert kinds(planned(*tickets, standing(9), target=target)) == [(OPENED, 1)]
    assert kinds(planned(*tickets, target=target, now=NOW + timedelta(hours=1))) == [(OPENED, 5)]


def test_a_muted_incident_is_told_when_the_mute_is_over_if_it_is_still_open() -> None:
    muted = standing(muted_until=NOW + timedelta(hours=1))
    assert planned(muted) == Plan((), ()), "neither told nor passed over"
    assert kinds(planned(muted, now=NOW + timedelta(hours=1))) == [(OPENED, 1)]


def test_the_recovery_of_a_muted_incident_is_told_to_who_knew_of_it() -> None:
    over = standing(is_open=False, change=2, muted_until=NOW + timedelta(hours=1))
    assert kinds(planned(over, told={1: Told(True, 1)})) == [(RECOVERED, 1)]
    assert kinds(planned(over)) == []


def test_who_flaps_is_told_of_when_it_has_kept_still() -> None:
    flapping = standing(ago=600, changes_lately=5)
    assert kinds(planned(flapping)) == []
    assert kinds(planned(flapping, standing(2))) == [(OPENED, 2)], "it goes along with others"
    assert kinds(planned(flapping, now=NOW + timedelta(minutes=20))) == [(OPENED, 1)]


def test_with_few_messages_left_the_most_urgent_go_first_and_nothing_is_forgotten() -> None:
    ticket = standing(1, subject=replace(SUBJECT, severity=Severity.TICKET), ago=900)
    over = standing(2, is_open=False, ago=800, change=9)
    page = standing(3, ago=100)
    told = {2: Told(True, 1)}
    everything = planned(ticket, over, page, told=told)
    assert [message.incidents[0].incident_id for message in everything.due] == [3, 2, 1]
    assert planned(ticket, over, page, told=told, most=1).due == everything.due[:1]
    assert planned(ticket, over, page, told=told, most=0) == Plan((), ())
