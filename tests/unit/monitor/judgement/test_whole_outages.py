"""Outages of many, case by case: how many have to be quiet, for how long, and who may be heard meanwhile.

Rows send on the realtime feed, and all were last heard at `NOON`, unless a case says otherwise. `test_outages_played` has whole
weeks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.activity import Bools
from monitor.judgement.expectation import Quiet
from monitor.judgement.whole_outages import (
    Heard,
    Outage,
    Scope,
    covered_by,
    end_of,
    find_outages,
    is_part_of,
    other_feed_lives,
    scopes_of,
)
from schemas.events import UnitId
from tests.unit.monitor.judgement.paces import MIDNIGHT, rhythms

NOON: Final = MIDNIGHT + 12
FEED: Final = Scope("feed", "realtime", Feed.REALTIME)
OTHER_FEED: Final = Scope("feed", "scheduled", Feed.SCHEDULED)
DISTRICT: Final = Scope("district", "gulou", Feed.REALTIME)
VENDOR: Final = Scope("vendor", "alpha", Feed.REALTIME)
OTHER_DISTRICT: Final = Scope("district", "qinhuai", Feed.REALTIME)


def rows(count: int, *chosen: int) -> Bools:
    return np.isin(np.arange(count), chosen)


def heard(count: int, at: Mapping[int, float] | None = None, **overrides: Any) -> Heard:
    """All were heard at noon, but for the rows that were so many hours later."""
    last = np.full(count, NOON)
    for row, hours in (at or {}).items():
        last[row] = NOON + hours
    values: dict[str, Any] = {
        "last": last,
        "since": last.copy(),
        "overdue": np.full(count, np.nan),
        "expected": np.ones(count, np.bool_),
        "scheduled": np.zeros(count, np.bool_),
    }
    return Heard(**{**values, **overrides})


def outage(scope: Scope, members: Bools, **overrides: Any) -> Outage:
    """Since noon, found an hour later."""
    values: dict[str, Any] = {"number": 3, "other_feed": np.zeros_like(members), "end": None}
    return Outage(scope=scope, start=NOON, found=NOON + 1, rows=members, **{**values, **overrides})


def test_groups_of_three_units_are_scopes_after_the_feeds() -> None:
    units = [UnitId(name) for name in "abcdef"]
    keys = [(unit, feed) for unit in units for feed in Feed]
    district = {unit: "south" if unit in "abc" else "north" for unit in units if unit != "f"}  # two in the north, four feeds
    vendor = {unit: "zeta" if unit in "abd" else "alpha" for unit in units}
    scopes = scopes_of(keys, [("district", district), ("vendor", vendor)])
    members = {scope: "".join(unit for (unit, _), inside in zip(keys, of, strict=True) if inside) for scope, of in scopes}
    assert list(members.items()) == [
        (OTHER_FEED, "abcdef"),
        (FEED, "abcdef"),
        (Scope("district", "south", Feed.SCHEDULED), "abc"),
        (Scope("district", "south", Feed.REALTIME), "abc"),
        (Scope("vendor", "alpha", Feed.SCHEDULED), "cef"),
        (Scope("vendor", "alpha", Feed.REALTIME), "cef"),
        (Scope("vendor", "zeta", Feed.SCHEDULED), "abd"),
        (Scope("vendor", "zeta", Feed.REALTIME), "abd"),
    ]
    for scope, of in scopes:
        assert {feed for (_, feed), inside in zip(keys, of, strict=True) if inside} == {scope.feed}


def test_without_units_there_are_two_feeds_and_no_rows() -> None:
    assert [(scope, str(rows.dtype), len(rows)) for scope, rows in scopes_of([], [])] == [
        (OTHER_FEED, "bool", 0),
        (FEED, "bool", 0),
    ]


@pytest.mark.parametrize(
    ("count", "back", "ended"),
    [
        (5, [0], None),
        (5, [0, 1], 2.0),
        (10, [0], None),  # one of ten may stray
        (10, [0, 1], 2.25),
        (20, [0, 1], None),
        (20, [0, 1, 2], 2.5),
        (29, [0, 1], None),
        (29, [0, 1, 2], 2.5),
        (30, [0, 1, 2], None),
        (30, [0, 1, 2, 3], 2.75),
        (30, [0, 1, 2, 3, 4], 2.75),
    ],
)
def test_a_feed_is_back_when_more_than_the_strays_are(count: int, back: Sequence[int], ended: float | None) -> None:
    out = outage(FEED, np.ones(count, np.bool_))
    found = end_of(out, heard(count, {row: 2.0 + row / 4 for row in back}))
    assert found == (None if ended is None else NOON + ended)


def test_a_district_has_no_strays() -> None:
    out = outage(DISTRICT, np.ones(30, np.bool_))
    assert end_of(out, heard(30, {0: 2.0})) is None
    assert end_of(out, heard(30, {0: 2.0, 7: 3.0})) == NOON + 2


def test_who_was_heard_as_the_outage_was_found_or_is_none_of_it_does_not_end_it() -> None:
    out = outage(DISTRICT, rows(6, 0, 1, 2))
    assert end_of(out, heard(6, {0: 1.0, 1: 1.0, 2: 1.0})) is None
    assert end_of(out, heard(6, {3: 2.0, 4: 2.0, 5: 2.0})) is None


def test_the_silence_of_who_was_not_heard_since_an_open_outage_was_found_is_that_outages() -> None:
    out = outage(DISTRICT, rows(6, 0, 1), other_feed=rows(6, 2, 3))
    now = heard(6, {1: 1.0, 0: 1.1, 2: 1.1})
    assert covered_by([out], now).tolist() == [False, True, False, True, False, False]
    assert not covered_by([outage(DISTRICT, rows(6, 0, 1), end=NOON + 2)], now).any()
    both = covered_by([out, outage(OTHER_DISTRICT, rows(6, 5))], now)
    assert both.tolist() == [False, True, False, True, False, True]


@pytest.mark.parametrize(
    ("count", "at", "lives"),
    [
        (9, {0: 1.5}, True),
        (9, {0: 1.0}, False),
        (9, {}, False),
        (10, {0: 1.5}, False),  # one of ten may stray
        (10, {0: 1.5, 1: 1.5}, True),
    ],
)
def test_the_other_feed_lives_when_more_than_its_strays_were_heard(count: int, at: Mapping[int, float], lives: bool) -> None:
    """Two rows more, which were heard, are the feed's own."""
    out = outage(FEED, rows(count + 2, count, count + 1), other_feed=rows(count + 2, *range(count)))
    assert other_feed_lives(out, heard(count + 2, {**at, count: 1.5, count + 1: 1.5})) is lives


@pytest.mark.parametrize(
    ("narrow", "wide", "part"),
    [
        (outage(DISTRICT, rows(4, 0, 1)), outage(FEED, rows(4, 1, 2)), True),
        (outage(DISTRICT, rows(4, 0, 1)), outage(FEED, rows(4, 2, 3)), False),
        (outage(DISTRICT, rows(4, 0, 1), end=NOON + 2), outage(FEED, rows(4, 1, 2)), False),
        (outage(FEED, rows(4, 0, 1)), outage(FEED, rows(4, 1, 2)), False),
        (outage(DISTRICT, rows(4, 0, 1)), outage(OTHER_DISTRICT, rows(4, 1, 2)), False),
    ],
)
def test_an_open_outage_of_a_group_is_part_of_one_of_a_feed_that_has_its_rows(narrow: Outage, wide: Outage, part: bool) -> None:
    assert is_part_of(narrow, wide) is part


def found(
    pace: Sequence[float], known: Sequence[Outage] = (), scope: Scope = FEED, hours: float = 1.0, **of_heard: Any
) -> list[Outage]:
    """The outages of `scope`, `hours` after noon; each row is surprised so much by every hour. Two more rows were heard."""
    count = len(pace)
    members = np.append(np.ones(count, np.bool_), [False, False])
    now = heard(count + 2, **{"at": {count: 0.5, count + 1: 0.5}, **of_heard})
    return find_outages([(scope, members)], known, Quiet.of(rhythms([*pace, 0.1, 0.1]), now.since), now, NOON + hours)


@pytest.mark.parametrize(
    ("pace", "out"),
    [
        ([3.5, 3.5, 3.5, 3.5], True),  # a surprise of fourteen
        ([3.5, 3.5, 3.5, 3.4], False),
        ([900.0, 900.0, 900.0], True),  # three that were surely expected
        ([900.0, 900.0, 9.0], False),
        ([7.0, 7.0, 0.2, 0.2], False),  # fourteen, of hardly more than two
    ],
)
def test_a_feed_is_out_when_the_silence_of_three_or_more_is_beyond_chance(pace: Sequence[float], out: bool) -> None:
    assert bool(found(pace)) is out


@pytest.mark.parametrize(
    ("pace", "out"),
    [
        ([4.5, 4.5, 4.0], True),  # a surprise of thirteen
        ([4.5, 4.5, 3.9], False),
        ([90.0, 90.0, 2.0], True),  # of one no more than five and a half, and of two no more than eleven
        ([90.0, 90.0, 1.9], False),
        ([90.0, 3.75, 3.75], True),
        ([90.0, 3.75, 3.7], False),
    ],
)
def test_a_group_is_out_when_thirteen_of_surprise_are_not_one_units(pace: Sequence[float], out: bool) -> None:
    assert bool(found(pace, scope=DISTRICT)) is out


@pytest.mark.parametrize(("overdue", "out"), [(1, False), (2, False), (3, True)])
def test_units_that_miss_their_moment_together_are_a_group_that_is_out(overdue: int, out: bool) -> None:
    """Of four that send once a day and hardly say anything hour by hour, so many had to be there by three in the afternoon."""
    steady = np.append(np.arange(4) < overdue, [False, False])
    now = heard(6, {4: 2.0, 5: 2.0})
    once_a_day = rhythms([0.1] * 6, longest_quiet=np.where(steady, 3.0, np.inf))
    district = [(DISTRICT, np.arange(6) < 4)]
    assert bool(find_outages(district, [], Quiet.of(once_a_day, now.since), now, NOON + 3.1)) is out
    assert not find_outages(district, [], Quiet.of(once_a_day, now.since), now, NOON + 2.9), "as long as they are only late"


def test_only_whole_hours_of_silence_say_anything() -> None:
    assert not found([900.0] * 3, hours=0.9)
    late = np.array([NOON, NOON, NOON + 0.1, NOON + 1, NOON + 1])
    assert not found([900.0] * 3, hours=1.9, since=late), "from six past twelve to six to two there is none"


def test_what_is_found_is_who_is_out_since_when() -> None:
    (out,) = found([900.0] * 3, hours=1.5)
    assert (out.number, out.scope, out.start, out.found, out.end) == (0, FEED, NOON, NOON + 1.5, None)
    assert out.rows.tolist() == [True, True, True, False, False]
    assert not out.other_feed.any()


@pytest.mark.parametrize(("quiet", "silent", "out"), [(1, 0, False), (2, 0, False), (3, 0, True), (2, 1, True), (1, 2, False)])
def test_an_outage_is_of_three_of_whom_two_are_not_silent_yet(quiet: int, silent: int, out: bool) -> None:
    overdue = np.array([*[np.nan] * quiet, *[NOON + 0.5] * silent, np.nan, np.nan])
    assert bool(found([900.0] * (quiet + silent), overdue=overdue)) is out


def test_of_whom_nothing_is_known_or_expected_is_none_of_it() -> None:
    since = np.array([NOON, NOON, NOON, np.nan, NOON, NOON + 0.5, NOON + 0.5])
    expected = np.array([True, True, True, True, False, True, True])
    (out,) = found([900.0] * 5, since=since, expected=expected)
    assert out.rows.tolist() == [True, True, True, False, False, False, False]


def test_who_fell_silent_meanwhile_is_one_of_them() -> None:
    overdue = np.array([NOON + 0.5, NOON, np.nan, np.nan, np.nan, np.nan, np.nan])
    (out,) = found([900.0] * 5, overdue=overdue)
    assert out.rows.tolist() == [True, False, True, True, True, False, False], "the second was silent before"
    since = np.array([NOON, NOON, NOON + 0.2, NOON + 0.2, NOON + 0.2, NOON + 1, NOON + 1])
    assert found([900.0] * 5, overdue=np.array([NOON + 0.5, *[np.nan] * 6]), since=since, hours=2.5)[0].rows[0]


@pytest.mark.parametrize(
    ("pace", "late", "start"),
    [
        ([900.0] * 20, [0.8, 0.9], NOON),  # two of twenty that are expected may stray
        ([900.0] * 20, [0.7, 0.8, 0.9], None),
        ([900.0] * 19 + [0.0], [0.8, 0.9], None),  # of nineteen only one
        ([900.0] * 19 + [0.0], [0.9], NOON),
        ([900.0] * 9, [0.9], None),  # of nine none
    ],
)
def test_strays_are_as_many_as_the_units_that_are_expected_allow(
    pace: Sequence[float], late: Sequence[float], start: float | None
) -> None:
    at = dict(enumerate(late)) | {len(pace): 0.95, len(pace) + 1: 0.95}
    outages = found(pace, at=at)
    assert [out.start for out in outages] == ([] if start is None else [start])


def test_an_outage_begins_with_the_last_that_is_no_stray() -> None:
    (out,) = found([900.0] * 10, at={0: 0.9, 1: 0.0, 10: 1.5, 11: 1.5}, hours=2.0)
    assert out.start == NOON
    later = {0: 0.9, 1: 0.4, 10: 1.5, 11: 1.5}
    (out,) = found([900.0] * 10, at=later, hours=2.0)
    assert out.start == NOON + 0.4


def test_where_none_may_stray_an_outage_begins_with_the_last() -> None:
    (out,) = found([900.0] * 9 + [0.0], at={0: 0.4, 10: 1.5, 11: 1.5}, hours=2.0)
    assert out.start == NOON + 0.4


def test_a_group_without_strays_begins_with_its_last() -> None:
    (out,) = found([900.0] * 10, at={0: 0.9, 10: 1.5, 11: 1.5}, hours=2.0, scope=DISTRICT)
    assert out.start == NOON + 0.9


@pytest.mark.parametrize(
    ("others", "out"),
    [
        ({0: 0.3, 1: 0.3}, True),
        ({0: 0.3, 1: 0.2}, False),  # a message on its way
        ({0: 0.3}, False),
        ({}, False),
    ],
)
def test_a_group_is_out_while_two_others_on_its_feed_were_heard_since(others: Mapping[int, float], out: bool) -> None:
    """Otherwise it is more than the group that is out. Rows 3 and 4 are others, 5 and 6 those of the other feed."""
    now = heard(7, {3 + row: hours for row, hours in others.items()} | {5: 0.9, 6: 0.9}, scheduled=rows(7, 5, 6))
    outages = find_outages([(DISTRICT, rows(7, 0, 1, 2))], [], Quiet.of(rhythms([900.0] * 7), now.since), now, NOON + 1)
    assert bool(outages) is out


@pytest.mark.parametrize(
    ("known", "out"),
    [
        ([], True),
        ([outage(FEED, rows(6, 0, 1))], True),  # half of them
        ([outage(FEED, rows(6, 0, 1, 2))], False),  # more than half
        ([outage(FEED, rows(6, 0, 1)), outage(OTHER_DISTRICT, rows(6, 1, 2))], False),
        ([outage(FEED, rows(6, 0, 1, 2, 3), end=NOON + 0.5)], True),
        ([outage(OTHER_FEED, rows(6, 4, 5), other_feed=rows(6, 0, 1, 2, 3))], True),  # each feed comes back by itself
    ],
)
def test_a_group_that_is_mostly_in_open_outages_is_none_of_its_own(known: Sequence[Outage], out: bool) -> None:
    assert bool(found([900.0] * 4, known, scope=DISTRICT)) is out


BOTH: Final = [(DISTRICT, rows(8, 0, 2, 4)), (DISTRICT._replace(feed=Feed.SCHEDULED), rows(8, 1, 3, 5))]
"""Three units, each with a realtime row and a scheduled one beside it; and one unit that lives."""


@pytest.mark.parametrize(
    ("realtime", "scheduled", "out"),
    [
        ([3.5, 3.0, 0.0], [3.5, 3.0, 0.0], True),  # a surprise of thirteen
        ([3.5, 3.0, 0.0], [3.5, 2.9, 0.0], False),
        ([9.0, 0.0, 0.0], [9.0, 0.0, 0.0], False),  # of one unit no more than twice four
        ([9.0, 3.0, 0.0], [9.0, 2.0, 0.0], True),
        ([9.0, 3.0, 0.0], [9.0, 1.9, 0.0], False),
        ([4.0, 4.0, 3.0], [1.0, 1.0, 0.0], True),  # each feed quiet beyond two
        ([4.0, 4.0, 4.0], [1.0, 0.9, 0.0], False),
        ([1.0, 0.9, 0.0], [4.0, 4.0, 4.0], False),
    ],
)
def test_both_feeds_of_a_group_add_up(realtime: Sequence[float], scheduled: Sequence[float], out: bool) -> None:
    pace = [weight for both in zip(realtime, scheduled, strict=True) for weight in both]
    now = heard(10, {6: 0.5, 7: 0.5, 8: 0.5, 9: 0.5}, scheduled=rows(10, 1, 3, 5, 7, 9))
    scopes = [(scope, np.append(members, [False, False])) for scope, members in BOTH]
    outages = find_outages(scopes, [], Quiet.of(rhythms([*pace, 0.1, 0.1, 0.1, 0.1]), now.since), now, NOON + 1)
    assert [one.scope.feed for one in outages] == ([Feed.REALTIME, Feed.SCHEDULED] if out else [])
    assert [one.number for one in outages] == ([0, 0] if out else [])
    for one, other in zip(outages, reversed(outages), strict=True):
        assert one.other_feed.tolist() == other.rows.tolist()


def test_the_other_feed_of_a_group_adds_nothing_while_that_whole_feed_is_out() -> None:
    pace = [3.5, 3.5, 3.0, 3.0, 0.0, 0.0]
    now = heard(10, {6: 0.5, 8: 0.5}, scheduled=rows(10, 1, 3, 5, 7, 9))
    scopes = [(scope, np.append(members, [False, False])) for scope, members in BOTH]
    out = outage(OTHER_FEED, rows(10, 1, 3, 5, 7, 9))
    assert find_outages(scopes, [out], Quiet.of(rhythms([*pace, 0.1, 0.1, 0.1, 0.1]), now.since), now, NOON + 1) == []
    whole = [(OTHER_FEED, rows(10, 1, 3, 5, 7, 9)), *scopes]
    quiet = Quiet.of(rhythms([3.0, 5.0, 3.0, 5.0, 0.0, 5.0, 0.1, 5.0, 0.1, 5.0]), now.since)
    found_now = find_outages(whole, [], quiet, now, NOON + 1)
    assert [one.scope for one in found_now] == [OTHER_FEED], "nor while it is found"


def test_the_other_feed_of_a_feed_is_all_of_it_but_who_is_silent() -> None:
    scopes = [(OTHER_FEED, rows(8, 1, 3, 5, 7)), (FEED, rows(8, 0, 2, 4, 6)), *BOTH]
    overdue = np.array([np.nan] * 5 + [NOON - 9.0] + [np.nan] * 2)
    now = heard(8, {7: 0.5, 3: 0.5, 1: 0.5}, overdue=overdue, scheduled=rows(8, 1, 3, 5, 7))
    (out,) = find_outages(scopes, [], Quiet.of(rhythms([900.0] * 8), now.since), now, NOON + 1)
    assert out.scope == FEED
    assert out.other_feed.tolist() == rows(8, 1, 3, 7).tolist()


@pytest.mark.parametrize(
    ("known", "number"),
    [
        (outage(OTHER_FEED, rows(5)), 3),  # both feeds: one failure
        (outage(OTHER_FEED, rows(5), end=NOON + 0.1), 3),  # it overlaps
        (outage(OTHER_FEED, rows(5), end=NOON), 4),  # it was over
        (outage(DISTRICT, rows(5)), 4),
        (outage(DISTRICT, rows(5, 2)), 3),  # of some of these rows
        (outage(DISTRICT, rows(5), other_feed=rows(5, 2)), 3),
        (outage(DISTRICT, rows(5, 3, 4)), 4),
    ],
)
def test_what_overlaps_on_the_other_feed_or_has_some_of_these_rows_is_the_same_failure(known: Outage, number: int) -> None:
    (out,) = found([900.0] * 3, [known])
    assert out.number == number


def test_a_groups_two_feeds_are_one_failure_and_two_groups_are_two() -> None:
    same = outage(DISTRICT._replace(feed=Feed.SCHEDULED), rows(5))
    assert [out.number for out in found([900.0] * 3, [same], scope=DISTRICT)] == [3]
    assert [out.number for out in found([900.0] * 3, [outage(OTHER_DISTRICT, rows(5))], scope=DISTRICT)] == [4]
    assert [out.number for out in found([900.0] * 3, [outage(OTHER_FEED, rows(5))], scope=DISTRICT)] == [4]
    first = [outage(OTHER_DISTRICT, rows(5, 4), number=7), outage(OTHER_FEED, rows(5, 4), number=2, end=NOON - 1)]
    assert [out.number for out in found([900.0] * 3, first, scope=DISTRICT)] == [8]


def test_two_groups_that_are_out_are_both_found_and_one_is_not_found_twice() -> None:
    scopes = [
        (DISTRICT, rows(8, 0, 1, 2)),
        (OTHER_DISTRICT, rows(8, 3, 4, 5)),
        (Scope("vendor", "v", Feed.REALTIME), rows(8, 0, 1, 2)),
    ]
    now = heard(8, {6: 0.5, 7: 0.5})
    outages = find_outages(scopes, [], Quiet.of(rhythms([900.0] * 8), now.since), now, NOON + 1)
    assert [(out.number, out.scope) for out in outages] == [(0, DISTRICT), (1, OTHER_DISTRICT)]


def test_a_group_whose_feed_is_quiet_beyond_it_hides_no_other() -> None:
    """Rows 0 to 2 and 3 to 5 are the two feeds of a district; only on the second are others heard."""
    scopes = [(DISTRICT, rows(8, 0, 1, 2)), (DISTRICT._replace(feed=Feed.SCHEDULED), rows(8, 3, 4, 5))]
    now = heard(8, {6: 0.5, 7: 0.5}, scheduled=rows(8, 3, 4, 5, 6, 7))
    outages = find_outages(scopes, [], Quiet.of(rhythms([900.0] * 8), now.since), now, NOON + 1)
    assert [out.scope.feed for out in outages] == [Feed.SCHEDULED]
