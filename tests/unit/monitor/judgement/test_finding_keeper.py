"""The keeper judges when it is time, reads what is open, whoever judged, and says what does not go."""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Final

import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar, Day, DayKind
from monitor.judgement.find import row_of
from monitor.judgement.finding_keeper import FindingKeeper, overdue_feeds
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.unit_status import FeedCondition, FeedStatus, PlatformStatus, UnitStatus, judge
from schemas.clock import local_date
from schemas.errors import HipwatchError
from schemas.register import Register
from tests.factories import OTHER_UNIT, UNIT
from tests.unit.monitor.judgement.examples import DROP
from tests.unit.monitor.judgement.small_ledger import SmallLedger, at

REALTIME: Final = Feed.REALTIME
DUE: Final = at(30)


def two_of(register: Register) -> Register:
    return replace(register, units={unit_id: register.units[unit_id] for unit_id in (UNIT, OTHER_UNIT)})


def silent_since(register: Register, clock: datetime | None, due: datetime | None = DUE) -> PlatformStatus:
    """The first unit's realtime feed is silent, the other's is on time."""
    feeds = [FeedStatus(REALTIME, FeedCondition.SILENT, at(12), due, due)]
    fine = [FeedStatus(REALTIME, FeedCondition.ON_TIME, at(12), at(99))]
    units = [UnitStatus(register.units[UNIT], feeds), UnitStatus(register.units[OTHER_UNIT], fine)]
    return PlatformStatus(clock, {}, [], units)


def heard(small: SmallLedger, clock: float) -> None:
    small.hear(UNIT, [10, 11])
    small.advance(clock)


def test_the_feeds_that_are_silent_are_overdue_since_their_deadline(register: Register) -> None:
    assert overdue_feeds(silent_since(register, at(40))) == {(UNIT, REALTIME): at(30)}
    assert overdue_feeds(silent_since(register, at(40), None)) == {}


def test_it_judges_when_it_is_time_and_keeps_what_is_open(small: SmallLedger, register: Register) -> None:
    keeper = FindingKeeper(small.engine, lambda: two_of(register))
    assert (keeper.open, keeper.judged_until, keeper.problem) == ((), None, None)
    heard(small, 40)
    keeper.refresh(None)
    assert keeper.judged_until is None
    keeper.refresh(silent_since(register, at(40)))
    assert keeper.judged_until == at(40)
    assert ("silent", UNIT, "realtime") in {found.key for found in keeper.open}
    small.advance(40.5)
    keeper.refresh(silent_since(register, at(40.5)))
    assert keeper.judged_until == at(40), "an hour has not passed"
    small.advance(41)
    keeper.refresh(judge(two_of(register), at(41), {}, [], Rhythms()))
    assert keeper.judged_until == at(41)
    assert ("silent", UNIT, "realtime") not in {found.key for found in keeper.open}


def test_what_another_has_judged_is_read(small: SmallLedger, register: Register) -> None:
    keeper = FindingKeeper(small.engine, lambda: register)
    small.put(row_of(DROP))
    keeper.refresh(None)
    assert not keeper.open, "nobody has judged"
    small.judged(at(50))
    keeper.refresh(None)
    assert keeper.open == [DROP]
    assert keeper.judged_until == at(50)
    small.put(row_of(replace(DROP, rule="surge")))
    keeper.refresh(None)
    assert keeper.open == [DROP], "nobody has judged since"


def test_a_calendar_of_ones_own_is_judged_by(small: SmallLedger, register: Register) -> None:
    heard(small, 24 * 24)
    closed = Calendar({local_date(at(24 * day)): Day(DayKind.HOLIDAY) for day in range(-5, 25)})
    by_own = FindingKeeper(small.engine, lambda: two_of(register), closed)
    by_own.refresh(silent_since(register, at(24 * 24), None))
    small.advance(24 * 24 + 1)
    plain = FindingKeeper(small.engine, lambda: two_of(register))
    plain.refresh(silent_since(register, at(24 * 24 + 1), None))
    assert {found.key for found in plain.open} != {found.key for found in by_own.open}


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_the_summary_is_said_line_by_line_when_its_hour_has_come(
    small: SmallLedger, register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    keeper = FindingKeeper(small.engine, lambda: two_of(register))
    heard(small, 31.9)
    keeper.refresh(silent_since(register, at(31.9)))
    assert said(caplog) == []
    small.advance(32)
    keeper.refresh(silent_since(register, at(32)))
    assert said(caplog)[0] == "2024-05-07 08:00 日报:有变化"
    assert len(said(caplog)) >= 3
    lines = len(said(caplog))
    small.advance(33)
    keeper.refresh(silent_since(register, at(33)))
    assert len(said(caplog)) == lines


def test_what_does_not_go_is_said_once_and_kept_until_it_goes(
    small: SmallLedger, register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def read() -> Register:
        if broken:
            raise HipwatchError("the register cannot be read")
        return two_of(register)

    keeper = FindingKeeper(small.engine, read)
    heard(small, 40)
    for _ in range(3):
        keeper.refresh(silent_since(register, at(40)))
        assert keeper.problem == "the register cannot be read"
    assert said(caplog) == ["the register cannot be read"]
    broken = False
    keeper.refresh(silent_since(register, at(40)))
    assert keeper.problem is None
    assert keeper.judged_until == at(40)


def test_a_status_without_a_clock_is_not_judged(small: SmallLedger, register: Register) -> None:
    keeper = FindingKeeper(small.engine, lambda: register)
    keeper.refresh(silent_since(register, None))
    assert (keeper.judged_until, keeper.problem) == (None, None)
