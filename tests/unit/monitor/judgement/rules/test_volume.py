from collections.abc import Mapping
from datetime import date
from math import exp, log
from random import Random

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.facts import Sums, UnitFacts
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.volume import FAMILY, city_shifts
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, Days, city, feed, found_rules, scaled, steady, unit

ALL = steady(TABLES)
LAST = TODAY - DAY * 2
LIVE = steady(FORMS, last=TODAY - DAY)


def fading(percent_a_day: float, for_days: int, of: Days = ALL) -> Days:
    days: Days = of
    for n in range(for_days):
        days = scaled(days, 1 - percent_a_day / 100, max(of) - DAY * n)
    return days


def noisy(noise: float) -> Days:
    """Every day another size, the last two of the usual one."""
    random = Random(5)
    return {
        day: scaled({day: codes}, exp(random.gauss(0, noise)) if day < LAST - DAY else 1, day)[day] for day, codes in ALL.items()
    }


def falling_back(times: int) -> Days:
    """So many times the usual a fortnight ago, and since then a little less each day, down to the usual."""
    days: Days = ALL
    for n in range(14):
        days = scaled(days, times ** (n / 13), LAST - DAY * n, LAST - DAY * n)
    return days


def on(records: Mapping[int, int]) -> Days:
    """So many documents on these days of September."""
    return {date(2024, 9, day): {"C0002": Sums(3, count)} for day, count in records.items()}


def plain(usual: int, newest: Mapping[int, int]) -> Days:
    """The same number every day, but for some days of September."""
    return {**{day: {"C0002": Sums(3, usual)} for day in ALL}, **on(newest)}


def workdays(first: date, newest: Mapping[int, int], small_until: date = date.min) -> Days:
    """A hundred documents (ten at first) on every workday, but for some days of September."""
    found = {day: {"C0002": Sums(3, 100 if day > small_until else 10)} for day in ALL if day >= first}
    return {day: codes for day, codes in {**found, **on(newest)}.items() if day.weekday() < 5}


def since(of: Days, first: date) -> Days:
    return {day: codes for day, codes in of.items() if day >= first}


UNTOLD = {(rule, Feed.SCHEDULED) for rule in ("sudden_drop", "surge", "steady_decline")}
SINKING = {day: 100 - 6 * place for place, day in enumerate(range(16, 28))}
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
    Case("19 what falls back after a surge does not decline", unit(scheduled=feed(falling_back(5))), {}),
    Case("20 days without a document are another rule's", unit(scheduled=feed(scaled(ALL, 0, LAST - DAY))), {}),
    Case("21 days of one document are not", unit(scheduled=feed(plain(100, {27: 1, 28: 1}))), {"sudden_drop": {"records": 2}}),
    Case("22 of twenty a day", unit(scheduled=feed(plain(20, {27: 2, 28: 2}))), {"sudden_drop": {"usual": 40}}),
    Case("23 of nineteen", unit(scheduled=feed(plain(19, {27: 2, 28: 2}))), {}),
    Case(
        "24 ten own days are enough",
        unit(scheduled=feed(workdays(date(2024, 9, 13), {27: 5}))),
        {"sudden_drop": {"days": 1}},
        {("steady_decline", Feed.SCHEDULED)},
    ),
    Case("25 nine are not", unit(scheduled=feed(workdays(date(2024, 9, 16), {27: 5}))), {}, UNTOLD),
    Case(
        "26 of a young feed nothing is known, the other one drops",
        unit(
            scheduled=feed(workdays(date(2024, 9, 16), {})),
            realtime=feed(scaled(LIVE, 0.2, TODAY - DAY * 2), Feed.REALTIME),
        ),
        {"sudden_drop": {"since": TODAY - DAY * 2}},
        UNTOLD,
    ),
    Case(
        "27 a drop right after the first week has nothing to be compared with",
        unit(scheduled=feed(workdays(date(2024, 9, 9), dict.fromkeys(range(16, 28), 30)))),
        {},
        {("steady_decline", Feed.SCHEDULED)},
    ),
    Case(
        "28 who began small is compared with what it became",
        unit(scheduled=feed(workdays(date(2024, 8, 5), dict.fromkeys(range(26, 28), 30), small_until=date(2024, 8, 16)))),
        {"sudden_drop": {"days": 2}},
    ),
    Case(
        "29 a Saturday like no other is no day of a run: one day of fivefold is left",
        unit(scheduled=feed({**workdays(date(2024, 8, 5), {27: 500}), LAST: {"C0002": Sums(3, 500)}})),
        {},
    ),
    Case(
        "30 a feed that comes to nothing day by day",
        unit(scheduled=feed(fading(30, 14))),
        {"sudden_drop": {}, "steady_decline": {}},
    ),
    Case(
        "31 two Saturdays cannot be compared: twelve days of fourteen are enough",
        unit(scheduled=feed({**workdays(date(2024, 8, 5), SINKING), **on({21: 100, 28: 100})})),
        {"steady_decline": {"days": 12}},
    ),
    Case(
        "32 eleven are not",
        unit(scheduled=feed({**workdays(date(2024, 8, 5), SINKING), **on({21: 100, 22: 100, 28: 100})})),
        {},
    ),
    Case(
        "33 twenty-one own days are enough",
        unit(scheduled=feed(since(fading(7, 14), LAST - DAY * 20))),
        {"steady_decline": {"days": 14}},
    ),
    Case(
        "34 twenty are not",
        unit(scheduled=feed(since(fading(7, 14), LAST - DAY * 19))),
        {},
        {("steady_decline", Feed.SCHEDULED)},
    ),
    Case(
        "35 the other feed declines, this one is young",
        unit(scheduled=feed(workdays(date(2024, 9, 13), {})), realtime=feed(fading(6, 14, LIVE), Feed.REALTIME)),
        {"steady_decline": {}},
        {("steady_decline", Feed.SCHEDULED)},
    ),
    Case("36 nor does it with a week before", unit(scheduled=feed(since(falling_back(10), LAST - DAY * 20))), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_volume(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def sending(number: int, days: Days) -> UnitFacts:
    return unit(number, scheduled=feed(days))


@pytest.mark.parametrize(
    "days",
    [scaled(ALL, 0.3, LAST - DAY), scaled(ALL, 3, LAST - DAY), fading(7, 14)],
    ids=["weak", "strong", "falling"],
)
def test_what_the_whole_city_has_in_common_is_nobodys_finding(days: Days) -> None:
    assert not {"sudden_drop", "surge", "steady_decline"} & set(found_rules(*(sending(n, days) for n in range(15)), peers=0))
    assert {"sudden_drop", "surge", "steady_decline"} & set(found_rules(sending(0, days)))


def test_half_of_the_usual_is_no_drop_though_the_city_doubles() -> None:
    doubled = [sending(number, scaled(ALL, 2, LAST - DAY)) for number in range(1, 10)]
    assert found_rules(sending(0, scaled(ALL, 0.5, LAST - DAY)), *doubled, peers=0) == []


def test_in_a_small_city_nothing_is_in_common() -> None:
    assert found_rules(sending(0, scaled(ALL, 2.5, LAST - DAY)), peers=0) == ["surge"]


def test_days_of_which_the_city_says_nothing_are_like_any_other() -> None:
    """The other eight units are ten days old."""
    young = [sending(number, since(ALL, LAST - DAY * 9)) for number in range(1, 9)]
    town = city(sending(0, fading(7, 14)), *young, peers=0)
    assert min(city_shifts(town)[Feed.SCHEDULED]) > LAST - DAY * 10
    assert [found.rule for found in evaluate(town).verdicts] == ["steady_decline"]


@pytest.mark.parametrize(("units", "common"), [(8, {date(2024, 9, 27): log(4 / 11)}), (7, {})])
def test_eight_units_are_a_city(units: int, common: Mapping[date, float]) -> None:
    """Ten workdays of ten documents each, but for three on the last of them."""
    ten_days = {day: {"RT01": Sums(1, 10)} for day in workdays(date(2024, 9, 16), {})}
    forms = feed({**ten_days, date(2024, 9, 27): {"RT01": Sums(1, 3)}}, Feed.REALTIME)
    shifts = city_shifts(city(*(unit(number, scheduled=feed({}), realtime=forms) for number in range(units)), peers=0))
    assert shifts[Feed.SCHEDULED] == {}
    assert {day: shift for day, shift in shifts[Feed.REALTIME].items() if shift} == pytest.approx(common)
    assert len(shifts[Feed.REALTIME]) == (10 if common else 0)
