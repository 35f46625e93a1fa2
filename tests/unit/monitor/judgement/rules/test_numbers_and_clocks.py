from datetime import date
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import GapFacts
from monitor.judgement.facts import FeedFacts
from monitor.judgement.rules.numbers_and_clocks import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, feed, steady, unit

LIVE = steady(FORMS, last=TODAY - DAY)


def stamped(last_days: int, until: int = 0, **wrong: Any) -> FeedFacts:
    """The realtime uploads of the last `last_days` days (but for the newest `until`) say `wrong` of their clock."""
    ordinary = feed(LIVE, Feed.REALTIME).arrivals
    first, last = len(ordinary) - last_days, len(ordinary) - until
    return feed(LIVE, Feed.REALTIME, arrivals=[r._replace(**wrong) if first <= n < last else r for n, r in enumerate(ordinary)])


def slow(seconds: int, uploads: int = 4) -> FeedFacts:
    return stamped(1, behind=uploads, behind_seconds=seconds)


HOURS_SLOW = {"behind": 4, "behind_seconds": 18_000}
TWO_DAYS_FAST = {"ahead": 12, "ahead_seconds": 172_800}


def scheduled(since: date, until: date, **wrong: Any) -> FeedFacts:
    """The scheduled uploads for the dates from `since` to `until` say `wrong` of their clock."""
    ordinary = feed(steady(TABLES)).arrivals
    return feed(steady(TABLES), arrivals=[r._replace(**wrong) if since <= r.business_date <= until else r for r in ordinary])


def gap(first: int, last: int, age: int, of: Feed = Feed.SCHEDULED) -> GapFacts:
    return GapFacts(of, first, last, TODAY - DAY * age)


def gaps(count: int) -> list[GapFacts]:
    """So many numbers, none of them beside another."""
    return [gap(2 * n, 2 * n, 3) for n in range(1, count + 1)]


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
    Case("8 slow all along: the last week is told", unit(realtime=stamped(9, **HOURS_SLOW)), {"wrong_clock": {"behind": 32}}),
    Case("9 set right two days ago", unit(realtime=stamped(3, 2, **HOURS_SLOW)), {"wrong_clock": {"since": TODAY - DAY * 3}}),
    Case("10 three uploads a minute slow", unit(realtime=slow(60, uploads=3)), {"wrong_clock": {"offset_seconds": -60}}),
    Case("11 two uploads", unit(realtime=slow(60, uploads=2)), {}),
    Case("12 less than a minute", unit(realtime=slow(59)), {"wrong_clock": {"offset_seconds": -59}}),
    Case("13 an hour", unit(realtime=slow(3_600)), {"wrong_clock": {"offset_seconds": -3_600}}),
    Case("14 a day", unit(realtime=slow(86_400)), {"wrong_clock": {"offset_seconds": -86_400}}),
    Case(
        "15 as often fast as slow",
        unit(realtime=stamped(1, ahead=2, ahead_seconds=900, behind=2, behind_seconds=7_200)),
        {"wrong_clock": {"ahead": 2, "behind": 2, "offset_seconds": 900}},
    ),
    Case(
        "16 one feed's clock is set right, the other's is not",
        unit(scheduled=scheduled(TODAY - DAY * 8, TODAY - DAY * 5, **HOURS_SLOW), realtime=stamped(1, **TWO_DAYS_FAST)),
        {"wrong_clock": {"offset_seconds": 172_800}},
    ),
    Case("17 a realtime number is missing", unit(gaps=[gap(7, 7, 2, Feed.REALTIME)]), {"open_gaps": {"missing": 1}}),
    Case("18 five gaps are named", unit(gaps=gaps(5)), {"open_gaps": {"missing": 5}}),
    Case("19 of six the first five", unit(gaps=gaps(6)), {"open_gaps": {"missing": 6}}),
    Case("20 the evidence holds fifty of them", unit(gaps=gaps(51)), {"open_gaps": {"gaps": 51}}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_numbers_and_clocks(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)
