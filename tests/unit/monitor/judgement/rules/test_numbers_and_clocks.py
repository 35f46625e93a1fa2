from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import GapFacts
from monitor.judgement.facts import FeedFacts
from monitor.judgement.rules.numbers_and_clocks import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TODAY, feed, steady, unit

LIVE = steady(FORMS, last=TODAY - DAY)


def stamped(last_days: int, until: int = 0, **wrong: Any) -> FeedFacts:
    """The realtime uploads of the last `last_days` days (but for the newest `until`) say `wrong` of their clock."""
    ordinary = feed(LIVE, Feed.REALTIME).arrivals
    first, last = len(ordinary) - last_days, len(ordinary) - until
    return feed(LIVE, Feed.REALTIME, arrivals=[r._replace(**wrong) if first <= n < last else r for n, r in enumerate(ordinary)])


HOURS_SLOW = {"behind": 4, "behind_seconds": 18_000}
TWO_DAYS_FAST = {"ahead": 12, "ahead_seconds": 172_800}


def gap(first: int, last: int, age: int) -> GapFacts:
    return GapFacts(Feed.SCHEDULED, first, last, TODAY - DAY * age)


CASES = [
    Case("1 clocks and numbers in order", unit(), {}),
    Case(
        "2 two days fast",
        unit(realtime=stamped(1, **TWO_DAYS_FAST)),
        {"wrong_clock": {"offset_seconds": 172_800, "since": TODAY - DAY}},
    ),
    Case(
        "3 five hours slow", unit(realtime=stamped(3, **HOURS_SLOW)), {"wrong_clock": {"offset_seconds": -18_000, "behind": 12}}
    ),
    Case("4 a slip", unit(realtime=stamped(1, behind=1, behind_seconds=2)), {}),
    Case("5 set right three days ago", unit(realtime=stamped(6, 3, **HOURS_SLOW)), {}),
    Case("6 numbers missing since yesterday", unit(gaps=[gap(40, 44, 1)]), {}),
    Case(
        "7 numbers missing since two days",
        unit(gaps=[gap(40, 44, 2), gap(50, 50, 9)]),
        {"open_gaps": {"missing": 6, "ranges": ["40–44", "50"], "since": TODAY - DAY * 9}},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_numbers_and_clocks(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)
