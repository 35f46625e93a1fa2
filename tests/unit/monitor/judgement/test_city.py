"""A city is made from the register, goes on from stored flips and outages, and says what is true in the words of unit status."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.activity import Bools
from monitor.judgement.calendar import Calendar
from monitor.judgement.city import Key, carry_on, city_of, moment_at, outages_over, statuses_of
from monitor.judgement.conditions import CityState, Silence, Verdicts
from monitor.judgement.unit_status import FeedCondition, FeedStatus, OutageStatus
from monitor.judgement.whole_outages import Outage, Scope
from monitor.ledger.tables import FeedOutage, Flip
from schemas.clock import SHANGHAI
from schemas.events import UnitId
from schemas.register import Register
from tests.unit.monitor.judgement.paces import MIDNIGHT

UNITS: Final = [UnitId(name) for name in ("a", "b", "c")]
KEYS: Final[list[Key]] = [(unit, feed) for unit in UNITS for feed in Feed]
ROWS: Final = {key: row for row, key in enumerate(KEYS)}
SCHEDULED, REALTIME = Feed
START: Final = datetime(2024, 5, 7, tzinfo=SHANGHAI)
NEVER: Final = np.nan


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def register_of(register: Register, **overrides: Any) -> Register:
    """Three units of one district, the last of another vendor."""
    some = next(iter(register.units.values()))
    vendors = {"a": "alpha", "b": "alpha", "c": ""}
    units = {unit: replace(some, unit_id=unit, district=UnitId("d"), vendor=vendors[unit]) for unit in UNITS}
    return replace(register, units={unit: replace(made, **overrides) for unit, made in units.items()})


def city(register: Register) -> CityState:
    return city_of(register_of(register), KEYS, Calendar())


def test_moments_are_whole_seconds_of_local_hours() -> None:
    assert moment_at(MIDNIGHT) == START
    assert moment_at(MIDNIGHT).tzinfo is UTC
    assert moment_at(MIDNIGHT + 1.5) == at(1.5)
    assert moment_at(MIDNIGHT + 0.4 / 3600) == START
    assert moment_at(MIDNIGHT + 0.6 / 3600) == START + timedelta(seconds=1)


def test_a_city_has_the_groups_of_the_register(register: Register) -> None:
    calendar = Calendar()
    made = city_of(register_of(register), KEYS, calendar)
    assert made.history.rows == 6
    assert made.scheduled.tolist() == [True, False] * 3
    assert made.calendar is calendar
    assert [scope[:2] for scope, _ in made.scopes] == [("feed", "scheduled"), ("feed", "realtime"), *[("district", "d")] * 2]
    of_vendor = city_of(register_of(register, vendor="alpha", district=None), KEYS, calendar)
    assert [scope[:2] for scope, _ in of_vendor.scopes[2:]] == [("vendor", "alpha")] * 2


def flip(unit: str, ended: float | None, feed: Feed = REALTIME) -> Flip:
    """Quiet since one, overdue since three."""
    over = None if ended is None else at(ended)
    return Flip(unit_id=unit, feed=feed, quiet_since=at(1), started_at=at(3), ended_at=over)


def test_an_open_flip_goes_on_and_one_that_ended_is_remembered(register: Register) -> None:
    made = city(register)
    latest = carry_on(made, ROWS, [flip("a", None), flip("b", 7), flip("gone", 9)], [], MIDNIGHT - 5)
    assert latest == MIDNIGHT + 7, "of a unit that is not registered nothing is known"
    row = ROWS[UNITS[0], REALTIME]
    known = (made.overdue_since, made.quiet_since, made.history.last_seen)
    assert [of_all[row] - MIDNIGHT for of_all in known] == [3, 1, 1]
    assert [np.isnan(of_all).sum() for of_all in known] == [5, 5, 5]
    assert made.silences == [Silence(ROWS[UNITS[1], REALTIME], MIDNIGHT + 1, MIDNIGHT + 3, MIDNIGHT + 7)]


@pytest.mark.parametrize(
    ("flips", "outages", "latest"),
    [
        ([], [], 0.0),
        ([flip("gone", 9), flip("a", None)], [], 3.0),
        ([flip("a", 7), flip("b", None)], [], 7.0),
        ([], [(4.0, None)], 4.0),
        ([], [(4.0, 6.0)], 6.0),
        ([flip("a", 7)], [(4.0, 6.0)], 7.0),
        ([flip("a", -9)], [(-4.0, None)], 3.0),
        ([], [(-4.0, None)], 0.0),
    ],
)
def test_it_is_judged_from_the_last_stored_verdict_on(
    flips: list[Flip], outages: list[tuple[float, float | None]], latest: float, register: Register
) -> None:
    stored = [outage(found_at=at(found), ended_at=None if end is None else at(end)) for found, end in outages]
    assert carry_on(city(register), ROWS, flips, stored, MIDNIGHT) == MIDNIGHT + latest


def outage(**overrides: Any) -> FeedOutage:
    """Of two units and one that is gone, on the realtime feed, since two, found at four."""
    values: dict[str, Any] = {
        "kind": "district",
        "value": "d",
        "feed": "realtime",
        "started_at": at(2),
        "number": 5,
        "found_at": at(4),
        "units": "a b gone",
    }
    return FeedOutage(**{**values, **overrides})


def members(*rows: int) -> Bools:
    return np.isin(np.arange(len(KEYS)), rows)


def test_an_outage_goes_on_with_its_rows_and_those_of_the_other_feed(register: Register) -> None:
    made = city(register)
    carry_on(made, ROWS, [], [outage()], MIDNIGHT)
    [known] = made.outages
    assert (known.number, known.scope, known.end) == (5, Scope("district", "d", REALTIME), None)
    assert (known.start, known.found) == (MIDNIGHT + 2, MIDNIGHT + 4)
    assert known.rows.tolist() == members(1, 3).tolist()
    assert known.other_feed.tolist() == members(0, 2).tolist()
    assert np.isnan(made.resume).all()


def test_after_an_outage_everybody_has_his_time_to_recover_but_who_is_silent(register: Register) -> None:
    made = city(register)
    stored = [outage(ended_at=at(9), units="a b c"), outage(ended_at=at(6), number=6, units="a b c")]
    carry_on(made, ROWS, [flip("a", None)], stored, MIDNIGHT)
    assert [known.end for known in made.outages] == [MIDNIGHT + 9, MIDNIGHT + 6]
    assert np.allclose(made.resume - MIDNIGHT, [NEVER, NEVER, NEVER, 11.0, NEVER, 11.0], equal_nan=True)


def test_what_is_said_of_each_feed_that_was_ever_seen(register: Register) -> None:
    made = city(register)
    made.history.last_seen[1:] = MIDNIGHT
    made.overdue_since[1] = MIDNIGHT + 3
    made.late_at = np.arange(MIDNIGHT, MIDNIGHT + 6)
    made.silent_at = np.arange(MIDNIGHT + 10, MIDNIGHT + 16)
    made.silent_at[4] = np.inf
    verdicts = Verdicts(members(1), members(2), members(3), [], [], [])
    found, open_outages = statuses_of(made, verdicts, KEYS)
    assert found == {
        ("a", REALTIME): FeedStatus(REALTIME, FeedCondition.SILENT, None, at(3), at(3)),
        ("b", SCHEDULED): FeedStatus(SCHEDULED, FeedCondition.LATE, None, at(12), at(2)),
        ("b", REALTIME): FeedStatus(REALTIME, FeedCondition.IN_OUTAGE, None, None, None),
        ("c", SCHEDULED): FeedStatus(SCHEDULED, FeedCondition.ON_TIME, None, None, None),
        ("c", REALTIME): FeedStatus(REALTIME, FeedCondition.ON_TIME, None, at(15), None),
    }
    assert open_outages == []


def test_the_outages_that_are_open_are_said_with_their_units(register: Register) -> None:
    made = city(register)
    scope = Scope("vendor", "alpha", SCHEDULED)
    made.outages = [
        Outage(7, scope, MIDNIGHT + 1, MIDNIGHT + 2, members(0, 4), members(1)),
        Outage(8, scope, MIDNIGHT + 1, MIDNIGHT + 2, members(0), members(1), MIDNIGHT + 3),
    ]
    _, open_outages = statuses_of(made, Verdicts(members(), members(), members(), [], [], []), KEYS)
    assert open_outages == [OutageStatus(7, "vendor", "alpha", SCHEDULED, at(1), [UNITS[0], UNITS[2]])]


def test_an_outage_is_over_with_the_last_of_its_parts(register: Register) -> None:
    made = city(register)
    ends = {(6, "scheduled"): 9, (6, "realtime"): 4, (7, "scheduled"): 3, (7, "realtime"): None}
    made.outages = [
        Outage(number, Scope("feed", value, Feed(value)), MIDNIGHT, MIDNIGHT, members(0), members(1), end and MIDNIGHT + end)
        for (number, value), end in ends.items()
    ]
    assert outages_over(made) == {6: at(9)}
