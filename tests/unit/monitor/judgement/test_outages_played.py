"""Outages of many: units that all pause at the same time of day are none; all of them gone is one, with everybody in it."""

from collections.abc import Callable, Sequence
from random import Random

import numpy as np

from monitor.counting.feeds import Feed
from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory
from monitor.judgement.calendar import Calendar
from monitor.judgement.conditions import CityState, evaluate
from monitor.judgement.whole_outages import Outage, scopes_of
from schemas.events import UnitId

ROWS = 12
MIDNIGHT = 19_850 * 24
"""Local hours: 2024-05-07, a Tuesday, with no holiday in the following four weeks but one day."""
WAKING = range(23)


def city_of(districts: int = 1) -> CityState:
    keys = [(UnitId(f"u{row}"), Feed.REALTIME) for row in range(ROWS)]
    groups = {UnitId(f"u{row}"): f"d{row * districts // ROWS}" for row in range(ROWS)}
    return CityState(ActivityHistory(ROWS), np.zeros(ROWS, np.bool_), scopes_of(keys, [("district", groups)]), Calendar())


def play(city: CityState, first: int, hours: int, rows: Sequence[int]) -> list[Outage]:
    """Every one of `rows` sends each hour from minute 12 to 50, but in the hour before midnight. Returns what was found."""
    found: list[Outage] = []
    for hour in range(first, first + hours):
        if hour % 24 in WAKING:
            city.history.add(ActiveHour(row, hour - HOURS_EAST, 12, 50, 5) for row in rows)
        found += evaluate(city, hour + 1.0).outages_found
        found += evaluate(city, hour + 1.2).outages_found  # before the first minute of the next hour
    return found


EVERYBODY = range(ROWS)


def test_a_pause_that_all_make_every_night_is_no_outage() -> None:
    city = city_of()
    assert play(city, MIDNIGHT, 24 * 24, EVERYBODY) == []


def test_all_gone_is_one_outage_that_ends_when_they_are_back_and_nobody_is_silent() -> None:
    city = city_of()
    play(city, MIDNIGHT, 20 * 24 + 9, EVERYBODY)
    gone = MIDNIGHT + 20 * 24 + 9
    [outage] = play(city, gone, 10, [])
    assert outage.scope.kind == "feed"
    assert outage.rows.all()
    assert gone - 1 < outage.start <= gone
    assert np.isnan(city.overdue_since).all(), "its silence is nobody's own"
    assert play(city, gone + 10, 30, EVERYBODY) == []
    assert outage.end is not None
    assert gone + 10 <= outage.end <= gone + 11
    assert np.isnan(city.overdue_since).all()


def test_one_message_ends_no_outage_and_who_stays_away_gets_his_own() -> None:
    city = city_of()
    play(city, MIDNIGHT, 20 * 24 + 9, EVERYBODY)
    gone = MIDNIGHT + 20 * 24 + 9
    [outage] = play(city, gone, 4, [])
    play(city, gone + 4, 1, [3])
    assert outage.end is None
    play(city, gone + 5, 7, range(1, ROWS))
    assert outage.end is not None
    assert np.flatnonzero(~np.isnan(city.overdue_since)).tolist() == [0]


def test_a_district_that_is_gone_while_others_live_is_one_outage() -> None:
    city = city_of(districts=3)
    play(city, MIDNIGHT, 20 * 24 + 9, EVERYBODY)
    [outage] = play(city, MIDNIGHT + 20 * 24 + 9, 8, range(4, ROWS))
    assert outage.scope[:2] == ("district", "d0")
    assert outage.rows.tolist() == [True] * 4 + [False] * 8
    assert np.isnan(city.overdue_since).all()


def test_a_single_silence_is_that_units_own() -> None:
    city = city_of(districts=3)
    play(city, MIDNIGHT, 20 * 24 + 9, EVERYBODY)
    assert play(city, MIDNIGHT + 20 * 24 + 9, 8, range(1, ROWS)) == []
    assert np.flatnonzero(~np.isnan(city.overdue_since)).tolist() == [0]


def test_one_failure_of_both_feeds_is_one_incident_and_the_feed_that_comes_back_first_blames_nobody() -> None:
    keys = [(UnitId(f"u{row // 2}"), (Feed.SCHEDULED, Feed.REALTIME)[row % 2]) for row in range(24)]
    groups = {UnitId(f"u{unit}"): f"d{unit // 4}" for unit in range(12)}
    scheduled = np.array([feed is Feed.SCHEDULED for _, feed in keys], np.bool_)
    city = CityState(ActivityHistory(24), scheduled, scopes_of(keys, [("district", groups)]), Calendar())
    batches, forms = range(0, 24, 2), range(1, 24, 2)
    found: list[Outage] = []

    def hours(first: int, count: int, silent: Sequence[int], back: Sequence[int] = ()) -> None:
        for hour in range(first, first + count):
            due = [*(batches if hour % 24 == 2 else ()), *(row for row in forms if hour % 24 in range(7, 23) or row % 3 == 0)]
            city.history.add(ActiveHour(row, hour - HOURS_EAST, 12, 50, 5) for row in due if row not in silent or row in back)
            found.extend(evaluate(city, hour + 1.0).outages_found)

    gone = MIDNIGHT + 20 * 24 + 1
    hours(MIDNIGHT, gone - MIDNIGHT, [])
    hours(gone, 6, range(24))  # 1:00 to 7:00: all batches are missed, and the forms of those that are awake
    hours(gone + 6, 1, range(24), forms[:3])  # the first forms come back
    hours(gone + 7, 24 * 2, [])
    assert {outage.scope.feed for outage in found} == {Feed.SCHEDULED, Feed.REALTIME}
    assert {outage.number for outage in found} == {0}
    assert city.silences == []
    assert np.isnan(city.overdue_since).all()


def both_feeds(
    batch_at: Sequence[int], daily: int | None = None
) -> tuple[CityState, list[Outage], Callable[[int, int, Sequence[int]], None]]:
    """Twelve units in three districts, rows two by two.

    Unit n of a district brings its batch at `batch_at[n]`, forms every hour from 7 to 23, and one in three at night. Unit
    `daily` of a district brings its forms once a day, at 1.
    """
    keys = [(UnitId(f"u{row // 2:02d}"), (Feed.SCHEDULED, Feed.REALTIME)[row % 2]) for row in range(24)]
    groups = {UnitId(f"u{unit:02d}"): f"d{unit // 4}" for unit in range(12)}
    scheduled = np.array([feed is Feed.SCHEDULED for _, feed in keys], np.bool_)
    city = CityState(ActivityHistory(24), scheduled, scopes_of(keys, [("district", groups)]), Calendar())
    found: list[Outage] = []

    def sends(row: int, hour: int) -> bool:
        unit = row // 2 % 4
        if row % 2 == 0:
            return hour % 24 == batch_at[unit]
        if unit == daily:
            return hour % 24 == 1
        return hour % 24 in range(7, 23) or Random(f"{row} {hour}").random() < 0.33

    def hours(first: int, count: int, gone: Sequence[int]) -> None:
        for hour in range(first, first + count):
            due = [row for row in range(24) if sends(row, hour) and row not in gone]
            city.history.add(ActiveHour(row, hour - HOURS_EAST, 12, 50, 5) for row in due)
            found.extend(evaluate(city, hour + 1.0).outages_found)

    return city, found, hours


def test_what_stops_a_district_at_night_shows_on_both_feeds_together() -> None:
    city, found, hours = both_feeds((2, 2, 14, 14))
    gone = MIDNIGHT + 20 * 24 + 23
    hours(MIDNIGHT, gone - MIDNIGHT, [])
    hours(gone, 7, range(8))
    assert {outage.scope[:2] for outage in found} == {("district", "d0")}
    assert {outage.number for outage in found} == {0}
    assert {outage.scope.feed for outage in found} == set(Feed)
    assert np.isnan(city.overdue_since).all()


def test_a_daily_upload_that_is_missed_amid_an_outage_of_its_district_waits_for_the_verdict_on_all() -> None:
    city, found, hours = both_feeds((2, 2, 14, 14), daily=3)
    gone = MIDNIGHT + 20 * 24 + 22
    hours(MIDNIGHT, gone - MIDNIGHT, [])
    hours(gone, 24, range(8))
    assert {outage.number for outage in found} == {0}
    assert city.silences == []
    assert np.isnan(city.overdue_since).all()


def test_that_a_whole_feed_is_out_says_nothing_of_a_district_on_the_other_feed() -> None:
    _, found, hours = both_feeds((2, 14, 14, 14))
    gone = MIDNIGHT + 20 * 24 + 20
    hours(MIDNIGHT, gone - MIDNIGHT, [])
    hours(gone, 6, range(1, 24, 2))
    hours(gone + 6, 6, [0, *range(1, 24, 2)])  # and one batch is missed
    assert [(outage.scope.kind, outage.scope.feed) for outage in found] == [("feed", Feed.REALTIME)]


def test_one_unit_that_is_silent_on_both_feeds_is_no_outage_of_its_district() -> None:
    city, found, hours = both_feeds((2, 14, 14, 14))
    gone = MIDNIGHT + 20 * 24 + 20
    hours(MIDNIGHT, gone - MIDNIGHT, [])
    hours(gone, 24, [0, 1])
    assert found == []
    assert np.flatnonzero(~np.isnan(city.overdue_since)).tolist() == [0, 1]


def test_one_busy_unit_that_is_silent_and_three_quiet_ones_are_no_outage_of_their_district() -> None:
    keys = [(UnitId(f"u{row:02d}"), Feed.REALTIME) for row in range(ROWS)]
    groups = {UnitId(f"u{row:02d}"): f"d{row // 4}" for row in range(ROWS)}
    city = CityState(ActivityHistory(ROWS), np.zeros(ROWS, np.bool_), scopes_of(keys, [("district", groups)]), Calendar())
    found: list[Outage] = []

    def sends(row: int, hour: int) -> bool:
        return row % 4 == 0 or Random(f"{row} {hour}").random() < 0.1  # three of four send every ten hours

    def hours(first: int, count: int, gone: Sequence[int]) -> None:
        for hour in range(first, first + count):
            due = [row for row in range(ROWS) if sends(row, hour) and row not in gone]
            city.history.add(ActiveHour(row, hour - HOURS_EAST, 12, 50, 5) for row in due)
            found.extend(evaluate(city, hour + 1.0).outages_found)

    gone = MIDNIGHT + 30 * 24
    hours(MIDNIGHT, gone - MIDNIGHT, [])
    hours(gone, 7, range(4))  # by chance the three others say nothing, either
    assert found == []
    assert np.flatnonzero(~np.isnan(city.overdue_since)).tolist() == [0]


def test_one_that_sends_once_amid_a_long_outage_does_not_begin_its_end() -> None:
    keys = [(UnitId(f"u{row:02d}"), Feed.SCHEDULED) for row in range(30)]
    groups = {UnitId(f"u{row:02d}"): f"d{row // 10}" for row in range(30)}
    city = CityState(ActivityHistory(30), np.ones(30, np.bool_), scopes_of(keys, [("district", groups)]), Calendar())
    found: list[Outage] = []
    by_night, at_noon = range(8), range(8, 30)

    def days(first: int, count: int, sends: Sequence[int]) -> None:
        for hour in range(first, first + 24 * count):
            due = {2: by_night, 14: at_noon}.get(hour % 24, ())
            city.history.add(ActiveHour(row, hour - HOURS_EAST, 12, 50, 5) for row in due if row in sends)
            found.extend(evaluate(city, hour + 1.0).outages_found)

    gone = MIDNIGHT + 20 * 24
    days(MIDNIGHT, 20, range(30))
    days(gone, 1, [])
    days(gone + 24, 1, [29])
    days(gone + 48, 5, [])
    days(gone + 7 * 24, 1, range(30))
    [outage] = found
    assert outage.end is not None
    assert gone + 7 * 24 + 2 <= outage.end <= gone + 7 * 24 + 3
    assert {silence.row for silence in city.silences} == {29}, "it sent no more after that"
    assert np.isnan(city.overdue_since).all()


def test_a_district_whose_outage_becomes_one_of_the_whole_feed_is_no_more_an_outage_of_its_own() -> None:
    city = city_of(districts=3)
    play(city, MIDNIGHT, 20 * 24 + 9, EVERYBODY)
    gone = MIDNIGHT + 20 * 24 + 9
    [district] = play(city, gone, 5, range(4, ROWS))
    [feed] = play(city, gone + 5, 6, [])
    assert (district.scope.kind, feed.scope.kind) == ("district", "feed")
    assert district.number == feed.number, "it is the same failure"
    assert (district.end, feed.end) == (feed.found, None)
    assert [outage for outage in city.outages if outage.end is None] == [feed]
    play(city, gone + 11, 3, EVERYBODY)
    assert feed.end is not None
    assert [outage.end for outage in city.outages] == [feed.found, feed.end]
