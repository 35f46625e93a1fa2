"""How sure an absence is, by numbers that can be checked by hand. Days are Mondays where their kind does not matter."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import log10
from typing import Any

import pytest

from monitor.counting.unit_days import Arrivals
from monitor.judgement.facts import DayKind, FeedFacts, Sums
from monitor.judgement.rules.absence import Absence, absences, chances_by_kind, late_share, pooled_share, proven
from tests.unit.monitor.judgement.steady import DAY, FIRST, city, days, feed

MONDAYS = [FIRST + DAY * 7 * week for week in range(60)]


def feed_of(parts: Mapping[str, Sequence[int | None]], dates: Sequence[date] = MONDAYS, **overrides: Any) -> FeedFacts:
    """By part its documents on one date after another; None: no upload. All dates have another part, a small one, that lives."""
    length = max(map(len, parts.values()))
    columns: dict[str, Sequence[int | None]] = {"LIVE": [1] * length, **parts}
    sent = {
        day: {code: Sums(1, count) for code, counts in columns.items() if (count := counts[place]) is not None}
        for place, day in enumerate(dates[:length])
    }
    return feed(sent, **{"complete_until": dates[length - 1], "arrivals": [], **overrides})


def found(parts: Mapping[str, Sequence[int | None]], **overrides: Any) -> dict[str, Absence]:
    facts = feed_of(parts, **overrides)
    return {absence.code: absence for absence in absences(facts, facts.own_days, city())[0]}


def unknown(parts: Mapping[str, Sequence[int | None]]) -> bool:
    facts = feed_of(parts)
    return absences(facts, facts.own_days, city())[1]


def test_absent_is_what_came_and_comes_no_more() -> None:
    part = [100] * 20
    assert found({"A": part, "B": [*part[:-2], None, None], "C": [0] * 20}).keys() == {"B"}


def test_what_came_since_on_a_day_that_teaches_nothing_is_not_absent() -> None:
    facts = feed_of({"A": [*[100] * 18, None, 100, None], "B": [*[100] * 18, None, None, None]})
    ordinary = [day for day in facts.own_days if day != MONDAYS[19]]
    assert [absence.code for absence in absences(facts, ordinary, city())[0]] == ["B"]


def test_busy_part_weighs_by_its_own_habit_beside_the_pooled_one() -> None:
    """Absent on 1 of 20 days before; pooled with ten days of a habit of (1 + ½) / (20 + 1): not of its last two."""
    (absence,) = found({"A": [100] * 5 + [None] + [100] * 14 + [None, None]}).values()
    weight = -log10((1 + 10 * 1.5 / 21) / 30)
    assert absence.weights == pytest.approx([weight, weight])
    assert absence._replace(weights=[]) == Absence("A", 2, [], True, 100, False)


def test_small_part_weighs_by_its_own_habit_and_half_a_day_of_doubt() -> None:
    (absence,) = found({"A": [14] * 5 + [None] + [14] * 14 + [None, None]}).values()
    weight = -log10((1 + 0.5) / 21)
    assert absence.weights == pytest.approx([weight, weight])
    assert absence._replace(weights=[]) == Absence("A", 2, [], False, 14, False)


def test_fifteen_documents_a_day_are_busy() -> None:
    assert found({"A": [15] * 20 + [None]})["A"].busy
    assert not found({"A": [14] * 20 + [None]})["A"].busy


def test_one_day_weighs_no_more_than_three_and_a_half_digits() -> None:
    many: dict[str, list[int | None]] = {f"P{number}": [100] * 41 for number in range(20)}
    assert found({**many, "A": [100] * 40 + [None]})["A"].weights == [3.5]


def test_a_part_that_is_often_absent_says_nothing_by_it() -> None:
    """On 8 of 20 days, and half a day of doubt: that is more than 40 %. On 7 it is not."""
    assert not found({"A": [0] * 8 + [1] * 12 + [0]})
    assert found({"A": [0] * 7 + [1] * 13 + [0]}).keys() == {"A"}


def test_history_that_is_too_short_is_not_known_unless_it_lives() -> None:
    assert found({"A": [100] * 10 + [None]}).keys() == {"A"}
    assert not found({"A": [100] * 9 + [None]})
    assert not unknown({"A": [100] * 10 + [None] * 12})
    assert not unknown({"A": [100] * 9 + [None] * 9})
    assert unknown({"A": [100] * 9 + [None] * 10})
    assert unknown({"A": [100] * 9 + [None] * 10, "B": [None] * 12 + [100] * 5 + [None] * 2})
    assert not unknown({"A": [0] * 19})


def test_eight_days_are_needed_on_which_it_came() -> None:
    absent_before: list[int | None] = [None] * 4
    assert found({"A": [*absent_before, *[100] * 8, None]}).keys() == {"A"}
    assert not found({"A": [*absent_before, *[100] * 7, None]})
    assert found({"A": [*absent_before, *[100] * 7, None], "B": [100] * 11 + [None]}).keys() == {"B"}


def test_only_the_last_four_weeks_of_its_days_are_its_habit() -> None:
    (absence,) = found({"A": [None, 50] * 10 + [100] * 28 + [None]}).values()
    assert absence.usual == 100
    assert absence.weights == pytest.approx([-log10((10 * 0.5 / 28) / 38)], abs=0.03)


def test_empty_is_what_came_on_its_newest_days_without_a_document() -> None:
    part: list[int | None] = [100] * 12
    assert found({"A": [*part, 0, 0]})["A"].empty
    assert not found({"A": [*part, 0, None]})["A"].empty
    assert not found({"A": [*part, None, 0]})["A"].empty
    assert found({"A": [*part, None, 0, 0]})["A"].empty


@pytest.mark.parametrize(
    ("counts", "kinds"),
    [
        ({}, {DayKind.WORKDAY: 4 / 33, DayKind.SATURDAY: 4 / 33, DayKind.SUNDAY: 4 / 33}),
        ({5: 0}, {DayKind.WORKDAY: 5 / 33, DayKind.SATURDAY: 5 / 9, DayKind.SUNDAY: 5 / 33}),
        ({0: 0}, {DayKind.WORKDAY: 5 / 25, DayKind.SATURDAY: 5 / 33, DayKind.SUNDAY: 5 / 33}),
        (dict.fromkeys([0, 5, 12, 19, 26], 0), {DayKind.WORKDAY: 9 / 33, DayKind.SATURDAY: 8 / 9, DayKind.SUNDAY: 9 / 33}),
    ],
    ids=["never absent", "on one of four Saturdays", "on one of twenty workdays", "on a workday less often than on any day"],
)
def test_chances_by_kind_of_day(counts: dict[int, int], kinds: dict[DayKind, float]) -> None:
    """Of four weeks; beside them five days with a share of 0.8."""
    month = {FIRST + DAY * n: counts.get(n, 1) for n in range(28)}
    chances = chances_by_kind(month, city(), 0.0, 0.8, 5)
    assert {kind: chances[kind] for kind in DayKind} == pytest.approx(kinds)


def test_half_of_what_comes_late_is_the_least_chance() -> None:
    week = dict.fromkeys(days(FIRST, FIRST + DAY * 6), 1)
    assert set(chances_by_kind(week, city(), 0.6, 0.5, 1).values()) == {0.3}


SENT = date(2024, 9, 2)


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        ([], 0.0),
        ([(2, SENT, 1)], 1.0),
        ([(1, SENT, 1), (2, SENT, 3)], 0.75),
        ([(1, SENT, 2), (1, SENT + DAY, 2)], 0.5),
        ([(2, date(2024, 9, 21), 1), (1, SENT, 4)], 0.2),
        ([(2, date(2024, 9, 22), 1), (1, SENT, 4)], 0.0),
    ],
    ids=["nothing", "all", "uploads, not dates", "a Monday later than Mondays are", "a week old is settled", "younger is not"],
)
def test_share_of_what_comes_late(rows: list[tuple[int, date, int]], share: float) -> None:
    """A Monday's and a Saturday's date comes the day after, a Tuesday's on the day itself."""
    arrivals = [Arrivals(day + DAY * lag, day, events, 0) for lag, day, events in rows]
    facts = feed({}, arrivals=arrivals, complete_until=date(2024, 9, 28), lags=[1, 0, 1, 1, 1, 1, 1])
    assert late_share(facts) == pytest.approx(share)


def test_uploads_that_come_late_make_an_absence_less_sure() -> None:
    in_time, late = (Arrivals(FIRST + DAY * lag, FIRST, 1, 100) for lag in (1, 2))
    (absence,) = found({"A": [100] * 20 + [None]}, arrivals=[in_time, *[late] * 4]).values()
    assert absence.weights == pytest.approx([-log10(0.4)])
    assert not found({"A": [100] * 20 + [None]}, arrivals=[in_time, *[late] * 5])


@pytest.mark.parametrize(
    ("parts", "share"),
    [
        ({"A": [100] * 9}, 0.5 / 10),
        ({"A": [100] * 8}, 0.5),
        ({"A": [100] * 4 + [0] * 2 + [100] * 4, "B": [100] * 5 + [0] + [100] * 4}, 3.5 / 21),
        ({"A": [100] * 10 + [0] * 3}, 0.5 / 11),
        ({"A": [15] * 10, "B": [14] * 10}, 0.5 / 11),
        ({"A": [0] * 5 + [15] * 6}, 5.5 / 12),
        ({"A": [0] * 6 + [15] * 6}, 0.5),
        ({"A": [0] * 12}, 0.5),
        ({"A": [0, 100] * 6 + [100] * 28}, 0.5 / 29),
    ],
    ids=[
        "nine days",
        "eight are too few",
        "two parts",
        "after its last day it is not absent, but gone",
        "small parts have a habit of their own",
        "busy on a middling day",
        "on a middling day not",
        "never anything",
        "days before the last four weeks",
    ],
)
def test_pooled_share(parts: dict[str, list[int | None]], share: float) -> None:
    facts = feed_of(parts)
    assert pooled_share(facts, facts.own_days) == pytest.approx(share)


def away(days: int, *weights: float, busy: bool = True, code: str = "A") -> Absence:
    return Absence(code, days, [*weights], busy, 100, False)


LOOSE = away(2, 3.2, 3.2, busy=False, code="L")


@pytest.mark.parametrize(
    ("of", "codes"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param([away(2, 3, 3)], "A", id="six digits are a proof"),
        pytest.param([away(2, 3, 2.9)], "", id="less is none"),
        pytest.param([away(1, 9)], "", id="one day is none"),
        pytest.param([away(2, 1.5, 1.5), away(2, 1.5, 1.5, code="B")], "AB", id="two prove it together"),
        pytest.param([away(3, 9, 1, 1), away(2, 1, 1, code="B")], "A", id="the longer one's days before do not count"),
        pytest.param([away(3, 1, 3, 3), away(2, 3, 3, code="B")], "AB", id="by what proves most"),
        pytest.param([away(3, 3, 3, 3), away(2, 1.5, 1.5, code="B")], "AB", id="of equal proofs the shorter one"),
        pytest.param([away(2, 3, 3.3, busy=False)], "A", id="a part that is not busy has 0.3 to bring first"),
        pytest.param([away(2, 3, 3.2, busy=False)], "", id="with less it proves nothing"),
        pytest.param([away(2, 3.3, busy=False), away(2, 3.3, busy=False, code="B")], "AB", id="two of them 0.6"),
        pytest.param([LOOSE, away(1, 3)], "", id="picked out of two it may be either"),
        pytest.param([away(2, 3.302, 3.302, busy=False), away(1, 3)], "A", id="with log₁₀ 2 more it is proven"),
        pytest.param([away(2, 3, 3), away(2, 0.1, 0.1, busy=False, code="B")], "AB", id="what is unsure takes nothing away"),
        pytest.param([away(2, 2.5, 2.5), away(2, 0.901, 0.901, busy=False, code="B")], "AB", id="and adds to it"),
        pytest.param([away(2, 2.5, 2.5), away(2, 0.8, 0.79, busy=False, code="B")], "", id="but not by itself"),
    ],
)
def test_proven(of: list[Absence], codes: str) -> None:
    assert [absence.code for absence in proven(of)] == list(codes)
