from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals
from monitor.judgement.facts import FeedFacts, Sums
from monitor.judgement.rules.copies import FAMILY, is_copy
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, TABLES, TODAY, Days, feed, steady, unit

ALL = steady(TABLES)
LAST = TODAY - DAY * 2


def copied(run: int, day: date = LAST) -> Days:
    """The last `run` dates up to `day` hold what the date before them holds."""
    pattern = ALL[day - DAY * run]
    return {d: pattern if day - DAY * run < d <= day else codes for d, codes in ALL.items()}


def stuck(run: int) -> FeedFacts:
    """On the last `run` days of sending everything was for the date that was due before them."""
    ordinary = feed(ALL).arrivals
    old = TODAY - DAY * (2 + run)
    kept = [row for row in ordinary if row.business_date <= old]
    again = [Arrivals(TODAY - DAY * n, old, 15, 2_700) for n in range(1, run + 1)]
    return feed({day: codes for day, codes in ALL.items() if day <= old}, arrivals=[*kept, *again])


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
    ],
)
def test_copy_is_beyond_chance(before: dict[str, int], day: dict[str, int], copy: bool) -> None:
    assert is_copy({c: Sums(1, n) for c, n in before.items()}, {c: Sums(1, n) for c, n in day.items()}) is copy


def test_realtime_feed_is_copied_too(snapshot: SnapshotAssertion) -> None:
    forms = steady(("RT01", "RT02", "RT03", "RT04"), last=TODAY - DAY)
    forms[TODAY - DAY] = forms[TODAY - DAY * 2]
    check(Case("", unit(realtime=feed(forms, Feed.REALTIME)), {"same_content": {"days": 1}}), FAMILY, snapshot)
