from dataclasses import replace
from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals
from monitor.judgement.facts import FeedFacts, Sums
from monitor.judgement.rules.copies import FAMILY, is_copy
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, Days, feed, steady, unit

ALL = steady(TABLES)
LIVE = steady(FORMS, last=TODAY - DAY)
LAST = TODAY - DAY * 2


def copied(run: int, day: date = LAST) -> Days:
    """The last `run` dates up to `day` hold what the date before them holds."""
    pattern = ALL[day - DAY * run]
    return {d: pattern if day - DAY * run < d <= day else codes for d, codes in ALL.items()}


def newest(of: Days, count: int) -> Days:
    return {day: of[day] for day in sorted(of)[-count:]}


def stuck(run: int) -> FeedFacts:
    """On the last `run` days of sending everything was for the date that was due before them."""
    ordinary = feed(ALL).arrivals
    old = TODAY - DAY * (2 + run)
    kept = [row for row in ordinary if row.business_date <= old]
    again = [Arrivals(TODAY - DAY * n, old, 15, 2_700) for n in range(1, run + 1)]
    return feed({day: codes for day, codes in ALL.items() if day <= old}, arrivals=[*kept, *again])


def sending(days: int, *rows: tuple[int, int, int], which: Feed = Feed.SCHEDULED) -> FeedFacts:
    """Punctual on so many days of sending; then `rows`: sent how many days ago, for the date of how many days ago, uploads."""
    ordinary = feed(ALL) if which is Feed.SCHEDULED else feed(LIVE, which)
    before = [row for row in ordinary.arrivals if row.sent_on < TODAY - DAY * rows[0][0]]
    then = [Arrivals(TODAY - DAY * sent, TODAY - DAY * of, events, events * 100) for sent, of, events in rows]
    return replace(ordinary, arrivals=[*before[len(before) - days :], *then])


UNTOLD = {("same_content", Feed.SCHEDULED)}
MOVED = {"stuck_date": {"days": 5}}
OLD = {"stuck_date": {"business_date": str(TODAY - DAY * 4), "days": 2, "since": TODAY - DAY * 2}}

CASES = [
    Case("1 every day is another", unit(), {}),
    Case("2 a day with yesterday's counts", unit(scheduled=feed(copied(1))), {"same_content": {"days": 1, "since": LAST}}),
    Case("3 four such days", unit(scheduled=feed(copied(4))), {"same_content": {"days": 4, "since": LAST - DAY * 3}}),
    Case("4 it has changed again", unit(scheduled=feed(copied(4, LAST - DAY))), {}),
    Case("5 two days for the same old date may be a backfill", unit(scheduled=stuck(1)), {}),
    Case(
        "6 the same old date twice more",
        unit(scheduled=stuck(2)),
        {"stuck_date": {"business_date": str(TODAY - DAY * 4), "days": 2, "since": TODAY - DAY * 2}},
    ),
    Case(
        "7 a unit that delivers after three days is not stuck",
        unit(scheduled=feed(ALL, arrivals=[r._replace(sent_on=r.business_date + DAY * 3) for r in feed(ALL).arrivals])),
        {},
    ),
    Case("8 twelve days, and the last as the one before", unit(scheduled=feed(newest(copied(1), 12))), {"same_content": {}}),
    Case("9 eleven days", unit(scheduled=feed(newest(copied(1), 11))), {}, UNTOLD),
    Case("10 eleven days, each another", unit(scheduled=feed(newest(ALL, 11))), {}),
    Case("11 always the same", unit(scheduled=feed(dict.fromkeys(ALL, ALL[LAST]))), {}, UNTOLD),
    Case(
        "12 one of ten days before was as its day before",
        unit(scheduled=feed(newest({**copied(1), LAST - DAY * 5: ALL[LAST - DAY * 6]}, 12))),
        {"same_content": {"days": 1}},
    ),
    Case(
        "13 one of nine and another one of eleven",
        unit(scheduled=feed(newest({**copied(1), LAST - DAY * 5: ALL[LAST - DAY * 6], LAST - DAY * 8: ALL[LAST - DAY * 9]}, 13))),
        {},
    ),
    Case("14 six days", unit(scheduled=feed(copied(6))), {"same_content": {"days": 6}}),
    Case("15 what is sent today does not count yet", unit(scheduled=sending(9, (3, 4, 5), (2, 4, 5), (1, 4, 5), (0, 1, 5))), OLD),
    Case("16 nine of ten uploads", unit(scheduled=sending(9, (3, 4, 5), (2, 4, 9), (2, 3, 1), (1, 4, 9), (1, 2, 1))), OLD),
    Case("17 eight of nine", unit(scheduled=sending(9, (3, 4, 5), (2, 4, 8), (2, 3, 1), (1, 4, 5))), {}),
    Case("18 an old date on two days may be a backfill", unit(scheduled=sending(9, (2, 5, 5), (1, 5, 5))), {}),
    Case("19 a date that could not be older", unit(scheduled=sending(9, (3, 3, 5), (2, 3, 5), (1, 3, 5))), {}),
    Case("20 ten days of sending", unit(scheduled=sending(7, (3, 4, 5), (2, 4, 5), (1, 4, 5))), OLD),
    Case(
        "21 nine, and the other feed stands still",
        unit(
            scheduled=sending(6, (3, 4, 5), (2, 4, 5), (1, 4, 5)),
            realtime=sending(20, (3, 3, 5), (2, 3, 5), (1, 3, 5), which=Feed.REALTIME),
        ),
        {"stuck_date": {"business_date": str(TODAY - DAY * 3)}},
        {("stuck_date", Feed.SCHEDULED)},
    ),
    Case("22 six of eleven days for six dates", unit(scheduled=sending(5, *((n, 7, 5) for n in range(6, 0, -1)))), MOVED),
    Case(
        "23 five of ten days for five dates: dates hardly move",
        unit(scheduled=sending(4, *((n, 7, 5) for n in range(6, 0, -1)))),
        {},
    ),
    Case("24 ever the same date", unit(scheduled=sending(0, *((n, 60, 5) for n in range(20, 0, -1)))), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_copies(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


@pytest.mark.parametrize(
    ("before", "day", "copy"),
    [
        ({"A": 4_321_987}, {"A": 4_321_987}, True),
        ({"A": 4_321_987}, {"A": 4_321_988}, False),
        ({"A": 7, "B": 3}, {"A": 7, "B": 3}, False),  # so small numbers agree by chance
        ({"A": 700, "B": 321, "C": 5}, {"A": 700, "B": 321, "C": 4}, False),  # five digits: not quite beyond chance
        ({"A": 700, "B": 3_210, "C": 5}, {"A": 700, "B": 3_210, "C": 4}, True),
        ({}, {}, False),
        ({"A": 0}, {"A": 0}, False),
        ({"A": 1_000_000}, {"A": 1_000_000}, True),
        ({"A": 9_000_000}, {"A": 9_000_000, "B": 1_000_000}, True),
        ({"A": 9_000_000}, {"A": 9_000_000, "B": 1_000_001}, False),
    ],
)
def test_copy_is_beyond_chance(before: dict[str, int], day: dict[str, int], copy: bool) -> None:
    assert is_copy({c: Sums(1, n) for c, n in before.items()}, {c: Sums(1, n) for c, n in day.items()}) is copy


def test_realtime_feed_is_copied_too(snapshot: SnapshotAssertion) -> None:
    forms = dict(LIVE)
    forms[TODAY - DAY] = forms[TODAY - DAY * 2]
    check(Case("", unit(realtime=feed(forms, Feed.REALTIME)), {"same_content": {"days": 1}}), FAMILY, snapshot)
