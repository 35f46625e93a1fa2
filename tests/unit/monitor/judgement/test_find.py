"""When units are judged, what is read for it, and what is kept. tests/contract/test_findings has it on every database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar, Day, DayKind
from monitor.judgement.find import finding_of, is_due, judge_units, open_findings, read_city, row_of, special_days, summary_is_due
from monitor.judgement.findings import Finding
from monitor.judgement.rules.verdict import Severity
from monitor.ledger.findings import FindingFilter, last_judged
from schemas.register import Register
from tests.factories import NOON, OTHER_UNIT, UNIT
from tests.unit.monitor.judgement.examples import DROP
from tests.unit.monitor.judgement.small_ledger import SmallLedger, at

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MIDNIGHT: Final = NOON - 12 * HOUR


@pytest.mark.parametrize(
    ("judged", "clock", "due", "summary"),
    [
        (None, None, False, None),
        (None, NOON, True, False),
        (NOON, NOON, False, False),
        (NOON, NOON + 59 * MINUTE, False, False),
        (NOON, NOON + HOUR, True, False),
        (MIDNIGHT - MINUTE, MIDNIGHT, True, False),
        (MIDNIGHT, MIDNIGHT + MINUTE, False, False),
        (MIDNIGHT + 8 * HOUR - MINUTE, MIDNIGHT + 8 * HOUR, True, True),
        (MIDNIGHT + 8 * HOUR - 2 * MINUTE, MIDNIGHT + 8 * HOUR - MINUTE, False, False),
        (MIDNIGHT + 8 * HOUR, MIDNIGHT + 8 * HOUR + MINUTE, False, False),
        (MIDNIGHT - 9 * HOUR, MIDNIGHT + 9 * HOUR, True, True),
    ],
)
def test_units_are_judged_as_a_day_ends_for_the_summary_and_every_hour(
    judged: datetime | None, clock: datetime | None, due: bool, summary: bool | None
) -> None:
    assert is_due(judged, clock) is due
    if clock is not None:
        assert summary_is_due(judged, clock) is summary


def test_days_like_no_other_are_holidays_make_up_workdays_and_those_around_long_feasts() -> None:
    september = [14, 15, 16, 17, 29, 30]  # Mid-autumn with its make-up workday; one for National Day, and the day before it
    october = range(1, 10)  # seven holidays, and two days on which people return
    expected = {date(2024, 9, day) for day in september} | {date(2024, 10, day) for day in october}
    assert special_days(Calendar(), date(2024, 10, 11)) == expected


def test_days_of_the_look_back_are_sixty_two_before_today() -> None:
    today = date(2024, 8, 30)
    oldest, older = today - 62 * DAY, today - 63 * DAY
    closed = Calendar({day: Day(DayKind.HOLIDAY) for day in (today + DAY, today, oldest, older)})
    assert special_days(closed, today) == {today, oldest}


WHOLE: Final = replace(
    DROP,
    opened_at=NOON,
    updated_at=NOON + HOUR,
    closed_at=NOON + 2 * HOUR,
    evidence={"tables": ["C0002"], "last": "鼓楼"},
    lost=7,
    unusual=2.5,
)


def test_a_finding_is_kept_whole() -> None:
    row = row_of(WHOLE)
    assert finding_of(row) == WHOLE
    assert (row.severity, row.opened_at, row.since, row.updated_at, row.closed_at) == (
        "ticket", NOON, WHOLE.since, NOON + HOUR, NOON + 2 * HOUR,
    )  # fmt: skip
    assert (row.what_zh, row.what_en, row.ask_zh, row.ask_en) == ("骤降", "dropped", "请核对", "check")
    assert row.evidence == '{"last": "鼓楼", "tables": ["C0002"]}'
    of_city = replace(WHOLE, unit_id=None, feed=None)
    assert (row_of(of_city).unit_id, row_of(of_city).feed) == ("", "")
    assert finding_of(row_of(of_city)) == of_city


def two_of(register: Register) -> Register:
    return replace(register, units={unit_id: register.units[unit_id] for unit_id in (UNIT, OTHER_UNIT)})


OVERDUE: Final[Mapping[tuple[str, Feed], datetime]] = {(UNIT, Feed.REALTIME): at(30)}


def test_a_city_is_read_at_the_platform_clock_or_an_earlier_moment(small: SmallLedger, register: Register) -> None:
    assert read_city(small.engine, register) is None
    small.hear(UNIT, [10, 11])
    small.advance(40)
    city = read_city(small.engine, two_of(register), OVERDUE)
    assert city is not None
    assert (city.clock, [facts.unit.unit_id for facts in city.units]) == (at(40), [UNIT, OTHER_UNIT])
    assert [facts.feeds[Feed.REALTIME].overdue_since for facts in city.units] == [at(30), None]
    assert city.special == special_days(Calendar(), date(2024, 5, 7))
    closed = Calendar({date(2024, 5, 6): Day(DayKind.HOLIDAY)})
    earlier = read_city(small.engine, two_of(register), calendar=closed, at=at(20))
    assert earlier is not None
    assert earlier.clock == at(20)
    assert date(2024, 5, 6) in earlier.special
    assert earlier.units[0].feeds[Feed.REALTIME].overdue_since is None


def silent(small: SmallLedger, wanted: FindingFilter | None = None) -> list[Finding]:
    return [found for found in open_findings(small.engine, wanted) if found.rule == "silent"]


def test_what_holds_is_kept_changed_and_closed(small: SmallLedger, register: Register) -> None:
    city = two_of(register)
    assert not judge_units(small.engine, city, {})
    small.hear(UNIT, [10, 11])
    small.advance(40)
    assert judge_units(small.engine, city, OVERDUE)
    assert last_judged(small.engine).clock == at(40)
    [first] = silent(small)
    assert (first.unit_id, first.severity, first.since, first.opened_at) == (UNIT, Severity.PAGE, date(2024, 5, 7), at(40))
    small.advance(41)
    assert judge_units(small.engine, city, {(UNIT, Feed.REALTIME): at(31)})
    [changed] = silent(small)
    assert (changed.opened_at, changed.updated_at) == (at(40), at(41))
    assert changed.evidence != first.evidence
    small.advance(42)
    assert judge_units(small.engine, city, {})
    assert silent(small) == []
    [closed] = silent(small, FindingFilter())
    assert closed == replace(changed, closed_at=at(42))


def test_a_calendar_of_ones_own_is_judged_by(small: SmallLedger, register: Register) -> None:
    """Where all of the month but its first days was closed, a unit that never sent is not yet said to have sent nothing."""
    city = two_of(register)
    small.hear(UNIT, [10], Feed.SCHEDULED)
    small.advance(24 * 24)
    closed = Calendar({date(2024, 5, day): Day(DayKind.HOLIDAY) for day in range(1, 31)})
    assert judge_units(small.engine, city, {}, closed)
    by_own = {found.key for found in open_findings(small.engine)}
    small.advance(24 * 24 + 1)
    assert judge_units(small.engine, city, {})
    assert by_own != {found.key for found in open_findings(small.engine)}
