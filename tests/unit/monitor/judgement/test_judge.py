"""The judge over a small ledger: what it reads, says and stores. tests/contract/test_judge has it on every database.

Three units upload once a day, at ten, and one four times; hours are counted from a Monday.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar, Day, DayKind
from monitor.judgement.judge import Judge, Snapshot, take_snapshot
from monitor.judgement.rhythms import Rhythm, Rhythms
from monitor.judgement.unit_status import FeedCondition, FeedStatus
from monitor.ledger import tables
from monitor.ledger.flips import read_flips, read_outages
from monitor.ledger.tables import Flip
from schemas.events import UnitId
from schemas.register import Life, Register
from tests.unit.monitor.judgement.small_ledger import START, SmallLedger, at

A, B, C, LIVELY, UNSEEN = UNITS = tuple(UnitId(name) for name in ("a", "b", "c", "lively", "unseen"))
GONE: Final = 24
"""The day on which a unit that stops sends nothing for the first time."""
END: Final = 26
REALTIME: Final = Feed.REALTIME
ELSE: Final = FeedCondition.ON_TIME


def register_of(register: Register, **overrides: Any) -> Register:
    some = next(iter(register.units.values()))
    return replace(register, units={unit: replace(some, unit_id=unit, **overrides) for unit in UNITS})


def ten_of(days: Iterable[int]) -> list[int]:
    return [day * 24 + 10 for day in days]


def lively(days: Iterable[int]) -> list[int]:
    return [day * 24 + hour for day in days for hour in (4, 10, 16, 22)]


def fill(small: SmallLedger, until: int, **days: int) -> None:
    """All upload until such a day, but for those that stop after fewer days."""
    for unit in (A, B, C):
        small.hear(unit, ten_of(range(days.get(unit, until))))
    small.hear(LIVELY, lively(range(until)))
    small.advance(until * 24)


def feed_of(snapshot: Snapshot, unit_id: UnitId, feed: Feed = REALTIME) -> FeedStatus:
    units = {unit.unit.unit_id: unit for unit in snapshot.status.units}
    return next(found for found in units[unit_id].feeds if found.feed is feed)


def conditions(snapshot: Snapshot) -> list[FeedCondition]:
    return [feed_of(snapshot, unit).condition for unit in UNITS]


def judge_of(small: SmallLedger, register: Register, rhythms: Rhythms | None = None, **options: Any) -> Judge:
    return Judge(small.engine, register_of(register), rhythms or Rhythms(), **options)


def test_before_the_first_event_every_unit_is_in_the_status_and_nothing_is_stored(small: SmallLedger, register: Register) -> None:
    judge = judge_of(small, register)
    snapshot = judge.take_snapshot()
    assert snapshot.status.clock is None
    assert snapshot.register == register_of(register)
    assert conditions(snapshot) == [FeedCondition.INACTIVE] * 5
    assert judge.city is None
    assert judge.weeks() == {}


def test_a_silence_is_said_and_stored_from_its_deadline_to_its_end(small: SmallLedger, register: Register) -> None:
    fill(small, END, a=GONE)
    judge = judge_of(small, register)
    snapshot = judge.take_snapshot()
    assert conditions(snapshot) == [FeedCondition.SILENT, ELSE, ELSE, ELSE, FeedCondition.NEVER_SEEN]
    last, due = at(GONE * 24 - 13), at(GONE * 24 + 12)
    assert feed_of(snapshot, A) == FeedStatus(REALTIME, FeedCondition.SILENT, last, due, due)
    assert read_flips(small.engine) == [Flip(unit_id=A, feed="realtime", quiet_since=last, started_at=due, ended_at=None)]
    assert snapshot.facts.clock == snapshot.status.clock == at(END * 24)
    # it comes back
    small.hear(A, [END * 24 + 1])
    small.advance(END * 24 + 2)
    assert conditions(judge.take_snapshot()) == [ELSE, ELSE, ELSE, ELSE, FeedCondition.NEVER_SEEN]
    [flip] = read_flips(small.engine)
    assert (flip.started_at, flip.ended_at) == (due, at(END * 24 + 2))


def test_a_judge_that_starts_anew_goes_on_where_the_stored_verdicts_end(small: SmallLedger, register: Register) -> None:
    fill(small, END, a=GONE, b=GONE)
    first = judge_of(small, register).take_snapshot()
    stored = read_flips(small.engine)
    assert take_snapshot(small.engine, register_of(register), Rhythms()).status == first.status
    assert read_flips(small.engine) == stored
    assert [flip.unit_id for flip in stored] == [A, B]


def test_a_judge_that_is_asked_every_few_hours_says_and_stores_what_one_does_that_is_asked_once(
    small: SmallLedger, register: Register
) -> None:
    small.advance(0)
    often = judge_of(small, register)
    for day in range(END):
        for unit in (A, B, C) if day < GONE else (B, C):
            small.hear(unit, ten_of([day]))
        small.hear(LIVELY, lively([day]))
        for hour in (9.5, 24.0):
            small.advance(day * 24 + hour)
            snapshot = often.take_snapshot()
    stored = [(flip.unit_id, flip.started_at, flip.ended_at) for flip in read_flips(small.engine)]
    assert stored == [(A, at(GONE * 24 + 12), None)]
    assert snapshot.status == judge_of(small, register, stores=False).take_snapshot().status


def test_one_that_does_not_store_only_says(small: SmallLedger, register: Register) -> None:
    fill(small, END, a=GONE)
    judge = judge_of(small, register, stores=False)
    assert feed_of(judge.take_snapshot(), A).condition is FeedCondition.SILENT
    assert read_flips(small.engine) == []
    hours = small.count(tables.FeedHour)
    small.advance(5_000)
    judge.take_snapshot()
    assert small.count(tables.FeedHour) == hours, "nor does it forget"


def test_after_until_nothing_is_judged(small: SmallLedger, register: Register) -> None:
    fill(small, END, a=GONE)
    snapshot = judge_of(small, register, until=at(GONE * 24 + 11.5)).take_snapshot()
    assert snapshot.status.clock == snapshot.facts.clock == at(GONE * 24 + 11.5)
    assert feed_of(snapshot, A).condition is FeedCondition.LATE
    assert feed_of(judge_of(small, register, until=at(999)).take_snapshot(), A).condition is FeedCondition.SILENT


def test_what_is_set_by_hand_is_judged_by_and_not_exported(small: SmallLedger, register: Register) -> None:
    fill(small, END, a=GONE)
    patient = Rhythms(units={A: Rhythm(realtime_quiet=72, service_from=0, service_to=24)})
    judge = judge_of(small, register, patient)
    assert feed_of(judge.take_snapshot(), A).condition is FeedCondition.ON_TIME
    weeks = judge.weeks()
    assert list(weeks) == [(B, REALTIME), (C, REALTIME), (LIVELY, REALTIME)]
    assert [len(day) for day in weeks[B, REALTIME]] == [24] * 7


def test_of_a_unit_that_is_paused_nothing_is_expected(small: SmallLedger, register: Register) -> None:
    fill(small, END, a=GONE)
    paused = register_of(register, status=Life.PAUSED)
    snapshot = Judge(small.engine, paused, Rhythms()).take_snapshot()
    assert conditions(snapshot) == [FeedCondition.NOT_EXPECTED] * 5
    assert read_flips(small.engine) == []


def test_times_in_which_nobody_at_all_was_heard_extend_what_is_set_by_hand(small: SmallLedger, register: Register) -> None:
    by_hand = {unit: Rhythm(realtime_quiet=2, service_from=0, service_to=24) for unit in UNITS}
    small.hear(A, [0, 1, 2, 12])
    small.hear(B, [0, 1, 2])
    small.advance(13.5)
    snapshot = judge_of(small, register, Rhythms(units=by_hand, outage=6)).take_snapshot()
    assert [(one.start, one.end) for one in snapshot.status.outages] == [(at(3), at(12))]
    assert feed_of(snapshot, B).deadline == at(14)
    longer = judge_of(small, register, Rhythms(units=by_hand, outage=10)).take_snapshot()
    assert longer.status.outages == []


def test_a_closed_day_does_not_count_in_a_week_that_was_set(small: SmallLedger, register: Register) -> None:
    """It is last heard at eleven in the evening of the first day."""
    small.hear(A, [23])
    small.advance(26)
    weeks = {(A, REALTIME): [[5.0] * 24] * 7}
    closed = Calendar({date(2024, 5, 7): Day(DayKind.HOLIDAY)})
    for rhythms, calendar, due in (
        (Rhythms(weeks=weeks), None, at(29)),
        (Rhythms(weeks=weeks, calendar=closed), None, at(53)),
        (Rhythms(weeks=weeks), closed, at(53)),
    ):
        assert feed_of(judge_of(small, register, rhythms, calendar=calendar).take_snapshot(), A).deadline == due


def test_an_outage_of_many_is_stored_with_its_units_and_ends(small: SmallLedger, register: Register) -> None:
    for unit in (A, B, C, LIVELY):
        small.hear(unit, range(0, 504, 2))
    small.hear(UNSEEN, range(0, 514, 2), Feed.SCHEDULED)
    small.advance(511)
    judge = judge_of(small, register)
    snapshot = judge.take_snapshot()
    assert [(one.kind, one.units) for one in snapshot.status.open_outages] == [("feed", [A, B, C, LIVELY])]
    assert conditions(snapshot)[:4] == [FeedCondition.IN_OUTAGE] * 4
    [stored] = read_outages(small.engine, START)
    assert (stored.kind, stored.value, stored.feed, stored.number) == ("feed", "realtime", "realtime", 0)
    assert (stored.started_at, stored.ended_at, stored.units) == (at(503), None, "a b c lively")
    assert at(504) < stored.found_at <= at(511)
    assert conditions(judge_of(small, register).take_snapshot()) == conditions(snapshot)
    for unit in (A, B, C, LIVELY):
        small.hear(unit, [512])
    small.advance(513)
    over = judge.take_snapshot().status
    assert (over.open_outages, over.outages_over) == ([], {0: at(513)})
    [stored] = read_outages(small.engine, START)
    assert stored.ended_at == at(513)


def flips(small: SmallLedger) -> list[tuple[str, datetime, datetime | None]]:
    return [(flip.unit_id, flip.started_at, flip.ended_at) for flip in read_flips(small.engine)]


@pytest.mark.parametrize(("missed", "told"), [(24, False), (31, True)])
def test_a_judge_that_starts_goes_over_two_weeks(missed: int, told: bool, small: SmallLedger, register: Register) -> None:
    """A day was missed, and on the next the unit was back."""
    small.hear(A, ten_of(day for day in range(40) if day != missed))
    small.hear(LIVELY, lively(range(40)))
    small.advance(40 * 24)
    judge_of(small, register).take_snapshot()
    back = at((missed + 1) * 24 + 11)
    assert flips(small) == ([(A, at(missed * 24 + 12), back)] if told else [])


NOON_OF_GONE: Final = GONE * 24 + 12
"""When the upload of that day is due."""


def test_no_hour_is_judged_that_has_not_come(small: SmallLedger, register: Register) -> None:
    fill(small, END, a=GONE)
    small.hear(LIVELY, [NOON_OF_GONE])
    small.advance(NOON_OF_GONE)
    judge_of(small, register).take_snapshot()
    assert flips(small) == []


@pytest.mark.parametrize("asked", [[NOON_OF_GONE + 1.9], [NOON_OF_GONE, NOON_OF_GONE + 1.9]])
def test_each_hour_is_judged_by_itself(asked: Sequence[float], small: SmallLedger, register: Register) -> None:
    """A unit is silent at one o'clock, and comes back before two."""
    fill(small, GONE + 1, a=GONE)
    judge = judge_of(small, register)
    small.hear(LIVELY, [NOON_OF_GONE])
    for moment in asked:
        if moment > NOON_OF_GONE:
            small.hear(A, [NOON_OF_GONE + 1])
        small.advance(moment)
        judge.take_snapshot()
    assert flips(small) == [(A, at(NOON_OF_GONE), at(NOON_OF_GONE + 1.9))]


@pytest.mark.parametrize(
    ("clock", "left"),
    [
        (3_047.0, 11), (3_048.0, 11), (3_072.0, 10), (3_264.0, 5), (3_744.0, 5), (3_768.0, 5), (3_888.0, 8),
        (11_640.0, 1), (11_664.0, 0),
    ],
)  # fmt: skip
def test_hours_are_forgotten_as_a_day_begins_but_for_those_of_feasts_and_make_up_workdays(
    clock: float, left: int, small: SmallLedger, register: Register
) -> None:
    """Ten days from the first on, which follows a feast, 11 May among them, a make-up workday; and the first hour of 10 June, a
    feast. The days beside these are remembered as they are.

    A judge that was away for long leaves some of them for a year.
    """
    small.hear(A, [*ten_of(range(10)), 35 * 24])
    small.advance(900)
    judge = judge_of(small, register)
    judge.take_snapshot()
    assert small.count(tables.FeedHour) == 11
    small.advance(clock)
    judge.take_snapshot()
    assert small.count(tables.FeedHour) == left


def test_hours_are_forgotten_once_a_day(small: SmallLedger, register: Register) -> None:
    small.hear(A, [3_290])
    small.advance(3_300)
    judge = judge_of(small, register)
    judge.take_snapshot()
    small.hear(B, [24 * 2])  # older than what is kept
    for clock, left in ((3_301, 2), (3_311, 2), (3_312, 1)):
        small.advance(clock)
        judge.take_snapshot()
        assert small.count(tables.FeedHour) == left


def test_silences_that_ended_within_eighteen_weeks_are_remembered(small: SmallLedger, register: Register) -> None:
    ends = (200, 4_000)
    small.put(
        *(Flip(unit_id=A, feed=REALTIME, quiet_since=at(end - 9), started_at=at(end - 5), ended_at=at(end)) for end in ends)
    )
    small.hear(A, [4_010])
    small.advance(4_012)
    judge = judge_of(small, register)
    judge.take_snapshot()
    assert judge.city is not None
    assert [silence.end - silence.overdue for silence in judge.city.silences] == [5.0]


def test_what_comes_after_until_and_who_is_not_registered_are_left_out(small: SmallLedger, register: Register) -> None:
    fill(small, GONE + 1, a=GONE)
    small.hear(A, [NOON_OF_GONE + 5])
    small.hear(UnitId("stranger"), [NOON_OF_GONE])
    small.advance(NOON_OF_GONE + 9)
    snapshot = judge_of(small, register, until=at(NOON_OF_GONE + 1.5)).take_snapshot()
    assert feed_of(snapshot, A).condition is FeedCondition.SILENT


def test_an_upload_at_the_very_moment_of_the_clock_counts(small: SmallLedger, register: Register) -> None:
    fill(small, GONE + 1, a=GONE)
    small.hear(LIVELY, [NOON_OF_GONE])
    small.hear(A, [NOON_OF_GONE + 1])
    small.advance(NOON_OF_GONE + 1)
    assert feed_of(judge_of(small, register).take_snapshot(), A).condition is FeedCondition.ON_TIME
    assert flips(small) == []
