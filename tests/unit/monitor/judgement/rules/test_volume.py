from math import exp
from random import Random

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.facts import Sums
from monitor.judgement.rules.volume import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, Days, feed, found_rules, scaled, steady, unit

ALL = steady(TABLES)
LAST = TODAY - DAY * 2
LIVE = steady(FORMS, last=TODAY - DAY)


def fading(percent_a_day: float, for_days: int) -> Days:
    days: Days = ALL
    for n in range(for_days):
        days = scaled(days, 1 - percent_a_day / 100, LAST - DAY * n)
    return days


def noisy(noise: float) -> Days:
    """Every day another size, the last two of the usual one."""
    random = Random(5)
    return {
        day: scaled({day: codes}, exp(random.gauss(0, noise)) if day < LAST - DAY else 1, day)[day] for day, codes in ALL.items()
    }


def falling_back() -> Days:
    """Five times the usual a fortnight ago, and since then a little less each day, down to the usual."""
    days: Days = ALL
    for n in range(14):
        days = scaled(days, 5 ** (n / 13), LAST - DAY * n, LAST - DAY * n)
    return days


CASES = [
    Case("1 as ever", unit(), {}),
    Case("2 one weak day happens to everybody", unit(scheduled=feed(scaled(ALL, 0.3, LAST))), {}),
    Case(
        "3 two days at 30 %",
        unit(scheduled=feed(scaled(ALL, 0.3, LAST - DAY))),
        {"sudden_drop": {"days": 2, "since": LAST - DAY}},
    ),
    Case(
        "4 one day at 5 % is enough", unit(scheduled=feed(scaled(ALL, 0.05, LAST))), {"sudden_drop": {"days": 1, "since": LAST}}
    ),
    Case("5 two days at 70 % are within the noise", unit(scheduled=feed(scaled(ALL, 0.7, LAST - DAY))), {}),
    Case(
        "6 three weeks at 30 % are not learned away",
        unit(scheduled=feed(scaled(ALL, 0.3, LAST - DAY * 20))),
        {"sudden_drop": {"since": LAST - DAY * 20}},
    ),
    Case("7 back to normal after a week at 30 %", unit(scheduled=feed(scaled(ALL, 0.3, LAST - DAY * 9, LAST - DAY))), {}),
    Case(
        "8 two days of fivefold",
        unit(scheduled=feed(scaled(ALL, 5, LAST - DAY))),
        {"surge": {"days": 2, "since": LAST - DAY}},
    ),
    Case("9 one day of fivefold is a backfill or a burst", unit(scheduled=feed(scaled(ALL, 5, LAST))), {}),
    Case(
        "10 normal again after two weeks at 30 %: no surge",
        unit(scheduled=feed(scaled(ALL, 0.3, LAST - DAY * 16, LAST - DAY * 2))),
        {},
    ),
    Case(
        "11 the realtime feed alone",
        unit(realtime=feed(scaled(LIVE, 0.2, TODAY - DAY * 2), Feed.REALTIME)),
        {"sudden_drop": {"days": 2, "since": TODAY - DAY * 2}},
    ),
    Case("12 a fortnight of 6 % less each day", unit(scheduled=feed(fading(6, 14))), {"steady_decline": {"days": 14}}),
    Case("13 a fortnight of 1 % less each day is a season", unit(scheduled=feed(fading(1, 14))), {}),
    Case(
        "14 a feed of a few documents has no shares",
        unit(scheduled=feed({day: {"C0002": Sums(1, 9 if day < LAST - DAY else 1)} for day in ALL})),
        {},
    ),
    Case(
        "15 of a noisy unit two low days prove it together, though one of them alone is near",
        unit(scheduled=feed(scaled(scaled(noisy(0.3), 0.28, LAST - DAY), 0.5, LAST))),
        {"sudden_drop": {"days": 2, "since": LAST - DAY}},
    ),
    Case("16 two days that are near prove nothing", unit(scheduled=feed(scaled(noisy(0.6), 0.3, LAST - DAY))), {}),
    Case(
        "17 a noisy unit's surge",
        unit(scheduled=feed(scaled(scaled(noisy(0.3), 3, LAST - DAY), 2, LAST))),
        {"surge": {"days": 2, "since": LAST - DAY}},
    ),
    Case(
        "18 one odd day of millions hides no surge",
        unit(scheduled=feed(scaled(scaled(ALL, 900, LAST - DAY * 9, LAST - DAY * 9), 5, LAST - DAY))),
        {"surge": {"days": 2, "since": LAST - DAY}},
    ),
    Case("19 what falls back after a surge does not decline", unit(scheduled=feed(falling_back())), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_volume(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_what_the_whole_city_has_in_common_is_nobodys_finding() -> None:
    weak = [unit(number, scheduled=feed(scaled(ALL, 0.3, LAST - DAY))) for number in range(15)]
    assert not {"sudden_drop", "steady_decline"} & set(found_rules(*weak, peers=0))
