"""From the incident log to robots that check as their vendors do, on every database: nothing lost, nothing twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from monitor.ledger.incident_book import incident_book
from monitor.ledger.incidents import list_incidents
from monitor.ledger.outbox import list_messages
from monitor.ledger.pruning import prune
from monitor.paging.channels.channel import Answer, Request, Verdict
from monitor.paging.message import Message, MessageKind
from monitor.paging.planning import Planner
from monitor.paging.receive import record
from monitor.paging.sender import LEASE, Sender
from monitor.paging.target import Kind, Match, Pace, Secret, Target
from monitor.paging.transport import send
from monitor.paging.webhook_message import WebhookMessage
from schemas.clock import to_millis
from schemas.period import Period
from schemas.register import Register
from tests.factories import make_alert, make_delivery
from tests.services.robots import DingTalkRobot, RobotServer, WeComRobot
from tests.unit.monitor.paging.messages import make_target

BEGAN = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class City:
    """A ledger, a robot, and a clock that the test moves."""

    engine: Engine
    register: Register
    robots: RobotServer
    robot: DingTalkRobot
    other: WeComRobot
    now: datetime = BEGAN
    target: Target = field(default_factory=make_target)

    def sender(self, me: str = "one", **overrides: Any) -> Sender:
        planner = Planner(self.engine, lambda: self.register, lambda: None, overrides.pop("summary", None))
        return Sender(self.engine, planner, me, clock=lambda: self.now, **overrides)

    def deliver(self, *alerts: dict[str, Any]) -> None:
        record(self.engine, WebhookMessage.model_validate(make_delivery(*alerts)), self.now)

    def fire(self, *units: str, **overrides: Any) -> None:
        self.deliver(*(alert(unit, **overrides) for unit in units))

    def resolve(self, *units: str) -> None:
        self.deliver(*(alert(unit, status="resolved") for unit in units))

    def go_on(self, seconds: float = 20, *, sender: Sender | None = None, target: Target | None = None) -> None:
        """Time passes; then the sender has its turn."""
        self.now += timedelta(seconds=seconds)
        (sender or self.sender()).serve(target or self.target)

    def titles(self) -> list[str]:
        return [str(post.content["markdown"]["title"]) for post in self.robot.taken]


def alert(unit: str, **overrides: Any) -> dict[str, Any]:
    labels = {"unit_id": unit, "scope": "unit"} | overrides.pop("labels", {})
    return make_alert(fingerprint=f"{unit}-{labels.get('feed', '')}", labels=labels, **overrides)


@pytest.fixture
def city(engine: Engine, register: Register) -> Iterator[City]:
    robot, other = DingTalkRobot(secret="SEC"), WeComRobot()
    with RobotServer({"/ding": robot, "/wecom": other}) as robots:
        city = City(engine, register, robots, robot, other)
        robot.clock = other.clock = lambda: city.now.timestamp()
        url = Secret(robots.url("/ding", "access_token=a"))
        city.target = make_target(url=url, secret=Secret("SEC"), allow_private=True, pace=Pace(apart=timedelta()))
        city.go_on(0)
        yield city


def test_a_silent_unit_is_one_message_and_its_recovery_another(city: City) -> None:
    city.fire("qinhuai")
    city.go_on(9)
    assert city.titles() == [], "more might be coming"
    city.go_on(10)
    for _ in range(3):
        city.go_on()
    city.resolve("qinhuai")
    city.go_on()
    city.go_on()
    assert city.titles() == ["【告警】秦淮区 定时上传中断", "【恢复】秦淮区 定时上传已恢复"]


def test_a_storm_within_minutes_is_one_message(city: City, register: Register) -> None:
    units = list(register.units)[:50]
    for some in (units[:10], units[10:30], units[30:]):
        city.fire(*some)
        city.go_on(8)
    city.go_on()
    city.go_on()
    assert city.titles() == ["【告警】50 家单位 定时上传中断"]
    city.resolve(*units)
    city.go_on()
    assert city.titles()[1:] == ["【恢复】50 家单位 定时上传已恢复"]


def test_an_outage_that_is_over_before_it_was_told_is_one_message(city: City) -> None:
    city.fire("qinhuai")
    city.go_on(5)
    city.resolve("qinhuai")
    city.go_on()
    assert city.titles() == ["【恢复】秦淮区 定时上传已恢复"]


def test_while_a_robot_is_away_what_happens_becomes_one_message_and_order_is_kept(city: City) -> None:
    city.fire("qinhuai")
    city.robots.stop()
    city.go_on()
    city.fire("gulou")
    city.go_on(60)
    city.fire("xuanwu")
    city.go_on(60)
    city.robots.start()
    city.go_on(300)
    city.go_on()
    city.go_on()
    assert city.titles() == ["【告警】秦淮区 定时上传中断", "【告警】2 家单位 定时上传中断"]


def test_a_robot_that_falters_is_tried_again_with_growing_waits(city: City) -> None:
    city.robot.faults.extend([500, 502])
    city.fire("qinhuai")
    city.go_on()
    city.go_on(4)
    assert len(city.robot.faults) == 1, "five seconds have not passed"
    city.go_on(1)
    city.go_on(9)
    assert (list(city.robot.faults), city.titles()) == ([], [])
    city.go_on(1)
    assert len(city.titles()) == 1


def test_a_message_is_sent_once_by_however_many_processes(city: City) -> None:
    city.fire("qinhuai", "gulou")
    city.now += 20 * SECOND
    senders = [city.sender(f"process-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda sender: sender.serve(city.target), senders * 3))
    assert city.titles() == ["【告警】2 家单位 定时上传中断"]
    assert len(list_messages(city.engine)) == 1


def test_a_restart_loses_nothing_and_repeats_nothing(city: City) -> None:
    city.fire("qinhuai")
    city.robots.stop()
    city.go_on()
    city.robots.start()
    for number in range(5):
        city.go_on(30, sender=city.sender(f"process-{number}"))
    assert len(city.titles()) == 1


def test_who_dies_while_sending_leaves_a_message_that_says_it_may_be_a_repetition(city: City) -> None:
    def die(request: Request, target: Target) -> Answer:
        send(request, target)
        raise KeyboardInterrupt

    city.fire("qinhuai")
    city.now += 20 * SECOND
    with pytest.raises(KeyboardInterrupt):
        city.sender("dies", send=die).serve(city.target)
    city.go_on(60, sender=city.sender("heir"))
    assert len(city.titles()) == 1, "the message is still the other's"
    city.go_on(LEASE.total_seconds(), sender=city.sender("heir"))
    assert len(city.titles()) == 2
    assert "可能重复" in city.robot.text(1)
    assert "可能重复" not in city.robot.text(0)


def test_a_message_whose_answer_was_lost_says_that_it_may_be_a_repetition(city: City) -> None:
    answers = [Answer(Verdict.LATER, "no answer", doubtful=True), Answer(Verdict.LATER, "away")]

    def lose_the_answer(request: Request, target: Target) -> Answer:
        answer = send(request, target)
        return answers.pop(0) if answers else answer

    city.fire("qinhuai")
    for seconds in (20, 10, 20):  # the second time it is not even reached, and the doubt stays
        city.go_on(seconds, sender=city.sender(send=lose_the_answer))
    assert answers == []
    assert ["可能重复" in city.robot.text(index) for index in range(3)] == [False, True, True]


def test_more_than_a_robot_takes_in_a_minute_is_gathered_and_never_refused(city: City) -> None:
    target = replace(city.target, pace=Pace(settle=timedelta(), apart=timedelta()))
    for number in range(60):
        city.deliver(make_alert(fingerprint=f"f{number}", labels={"alertname": f"Alert{number}", "unit_id": "qinhuai"}))
        city.go_on(1, target=target)
    for _ in range(10):
        city.go_on(30, target=target)
    assert city.robot.refused == []
    assert len(city.robot.taken) == 60, "each is an alert of another name"


def test_a_broken_robot_is_told_to_the_others_and_its_return_too(city: City) -> None:
    other = make_target(
        Kind.WECOM, name="other", url=Secret(city.robots.url("/wecom", "key=k")), allow_private=True, pace=Pace(apart=timedelta())
    )
    city.go_on(0, target=other)
    city.fire("qinhuai")
    broken = replace(city.target, secret=Secret("wrong"))
    for _ in range(4):
        city.go_on(300, target=broken)
        city.go_on(20, target=other)
    told = [city.other.text(index) for index in range(len(city.other.taken))]
    assert any("通知目标 duty 已" in text and "errcode 310000" in text for text in told)
    city.go_on(300)
    city.go_on(20)
    city.go_on(20, target=other)
    assert city.titles() == ["【告警】秦淮区 定时上传中断"]
    assert "【恢复】" in city.other.text()
    assert "SEC" not in str([message.problem for message in list_messages(city.engine)])


def test_a_message_that_is_refused_for_good_keeps_nobody_waiting(city: City) -> None:
    answers = [Answer(Verdict.REFUSED, "errcode 430102: unfit text")]

    def refuse_once(request: Request, target: Target) -> Answer:
        return answers.pop() if answers else send(request, target)

    city.fire("qinhuai")
    city.go_on(sender=city.sender(send=refuse_once))
    city.go_on(60)
    city.go_on(60)
    assert [message.state for message in list_messages(city.engine)] == ["given_up", "sent"]
    assert "拒收第 1 号消息" in city.robot.text()


def test_an_acknowledged_page_is_not_named_again_and_the_others_are_in_one_message(city: City) -> None:
    city.fire("qinhuai", "gulou", "xuanwu")
    city.go_on()
    numbers = [incident.id for incident in list_incidents(city.engine) if incident.unit_id == "gulou"]
    with incident_book(city.engine, city.now) as book:
        assert book.acknowledge(numbers[0] or 0, "wang")
    city.go_on(3600 * 3.9)
    assert len(city.titles()) == 1
    city.go_on(3600 * 0.2)
    assert city.titles()[1:] == ["【未确认】2 个事件仍未处理"]
    city.go_on(60)
    assert len(city.titles()) == 2
    city.go_on(3600 * 4)
    assert len(city.titles()) == 3


def test_a_muted_incident_is_not_told(city: City) -> None:
    city.fire("qinhuai")
    with incident_book(city.engine, city.now) as book:
        assert book.mute(list_incidents(city.engine)[0].id or 0, "wang", city.now + timedelta(hours=1))
    city.go_on(1800)
    assert city.titles() == []
    city.go_on(1801)
    assert len(city.titles()) == 1


def test_a_target_hears_only_what_concerns_it(city: City) -> None:
    target = replace(city.target, routes=(Match(district=("gulou",)),))
    city.fire("qinhuai", "gulou")
    city.go_on(target=target)
    city.go_on(target=target)
    assert city.titles() == ["【告警】鼓楼区 定时上传中断"]


def test_a_new_target_hears_of_what_is_open_and_not_of_what_was_over(city: City) -> None:
    city.fire("qinhuai", "gulou")
    city.resolve("gulou")
    city.now += 60 * SECOND
    late = replace(city.target, name="late")
    city.go_on(0, target=late)
    city.go_on(0, target=late)
    assert city.titles() == ["【告警】秦淮区 定时上传中断"]


def test_flapping_is_gathered(city: City) -> None:
    for _ in range(20):
        city.fire("qinhuai")
        city.go_on(30)
        city.resolve("qinhuai")
        city.go_on(30)
    assert 4 <= len(city.titles()) <= 6
    city.go_on(1800)
    assert city.titles()[-1] == "【恢复】秦淮区 定时上传已恢复"


def test_the_summary_of_the_day_goes_out_once_at_its_hour(city: City) -> None:
    def summary(now: datetime) -> Message:
        return Message(kind=MessageKind.SUMMARY, title_zh="【日报】11月24日", lines_zh=("50 家正常",), created_at=now)

    target = replace(city.target, summary_at=(BEGAN + timedelta(hours=8, minutes=1)).time())
    for _ in range(5):
        city.go_on(30, sender=city.sender(summary=summary), target=target)
    assert city.titles() == ["【日报】11月24日"]
    city.go_on(86_400, sender=city.sender(summary=summary), target=target)
    assert len(city.titles()) == 2


def test_a_new_incident_with_the_number_of_one_that_was_pruned_is_told(city: City) -> None:
    city.fire("qinhuai")
    city.go_on()
    city.resolve("qinhuai")
    city.go_on()
    city.now += timedelta(days=62)
    with city.engine.begin() as connection:
        connection.execute(
            text("UPDATE platform_clock SET complete_until = :now"), {"now": to_millis(city.now + timedelta(days=62))}
        )
    prune(city.engine, Period.parse("2027-01"))
    assert (list_incidents(city.engine), list_messages(city.engine)) == ([], [])
    city.fire("gulou")
    city.go_on()
    assert city.titles()[-1] == "【告警】鼓楼区 定时上传中断"
