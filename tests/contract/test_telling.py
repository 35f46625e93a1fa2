"""Targets that come, change and go while they are told, on every database."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from monitor.ledger.incidents import list_incidents
from monitor.paging.own_incidents import open_own
from monitor.paging.planning import UNREACHABLE, Planner
from monitor.paging.receive import record
from monitor.paging.target import Pace, Secret, Target
from monitor.paging.telling import telling
from monitor.paging.webhook_message import WebhookMessage
from schemas.register import Register
from tests.contract.until import until
from tests.factories import make_alert, make_delivery
from tests.services.robots import DingTalkRobot, RobotServer
from tests.unit.monitor.paging.messages import make_target

AT_ONCE = Pace(settle=timedelta(), apart=timedelta())


def fire(engine: Engine, unit: str) -> None:
    alert = make_alert(fingerprint=unit, labels={"unit_id": unit, "scope": "unit"})
    record(engine, WebhookMessage.model_validate(make_delivery(alert)))


def test_a_target_that_comes_is_told_and_one_that_goes_hears_no_more(engine: Engine, register: Register) -> None:
    first, second = DingTalkRobot(secret="SEC"), DingTalkRobot(secret="SEC")
    names = iter([(unit_id, unit.name_zh) for unit_id, unit in register.units.items()])
    fired: list[str] = []

    def fire_another() -> None:
        unit_id, name = next(names)
        fire(engine, unit_id)
        fired.append(name)
        time.sleep(0.5)

    def told(robot: DingTalkRobot, words: str) -> bool:
        return any(words in robot.text(index) for index in range(len(robot.taken)))

    with RobotServer({"/first": first, "/second": second}) as robots:
        url = Secret(robots.url("/first", "access_token=a"))
        old = make_target(url=url, secret=Secret("SEC"), allow_private=True, pace=AT_ONCE, per_minute=1000)
        moved = replace(old, url=Secret(robots.url("/second", "access_token=a")))
        targets: list[Target] = []
        with telling(engine, Planner(engine, lambda: register, lambda: None), lambda: tuple(targets)):
            fire_another()
            targets[:] = [old]
            until(lambda: told(first, fired[0]))
            targets[:] = [moved]
            until(lambda: second.taken, doing=fire_another)
            before = len(first.taken)
            fire_another()
            until(lambda: told(second, fired[-1]))
            assert not told(second, fired[0]), "it goes on where it was"
            targets[:] = [replace(moved, name="other")]
            until(lambda: told(second, f"{len(fired)} 家单位"))  # who is new hears of all that is open
            fire_another()
            until(lambda: told(second, fired[-1]))
        assert len(first.taken) == before


def test_that_a_target_cannot_be_reached_is_over_when_it_is_a_target_no_more(engine: Engine, register: Register) -> None:
    robot = DingTalkRobot(secret="SEC")
    with RobotServer({"/ding": robot}) as robots:
        url = Secret(robots.url("/ding", "access_token=a"))
        here = make_target(url=url, secret=Secret("SEC"), allow_private=True, pace=AT_ONCE)
        targets = [here, replace(here, name="gone")]
        open_own(engine, UNREACHABLE, "gone is away", "gone", datetime.now(UTC), part="gone")
        with telling(engine, Planner(engine, lambda: register, lambda: None), lambda: tuple(targets)):
            until(lambda: robot.taken)
            targets.pop()
            until(lambda: not list_incidents(engine, open_only=True))
