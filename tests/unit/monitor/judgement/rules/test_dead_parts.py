from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.facts import FeedFacts, Sums
from monitor.judgement.rules.dead_parts import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, FORMS, TABLES, TODAY, feed, scaled, steady, unit, verdicts, without

ALL = steady(TABLES)
LIVE = steady(FORMS, last=TODAY - DAY)
LAST = TODAY - DAY * 2


def emptied(since: date, codes: tuple[str, ...] = TABLES) -> dict[date, dict[str, Sums]]:
    return {
        d: {c: Sums(s.events, 0 if c in codes and d >= since else s.records) for c, s in its.items()} for d, its in ALL.items()
    }


def pausing(every: int) -> dict[date, dict[str, Sums]]:
    """The first form pauses on every `every`-th day."""
    return {d: {c: s for c, s in its.items() if c != "RT01" or d.toordinal() % every} for d, its in LIVE.items()}


def beside(usual: int, *newest: int) -> FeedFacts:
    """Two tables: one is away on the newest days, the other brings so much on them, and as usual before."""
    found = {day: {"C0002": Sums(3, 100), "C0004": Sums(3, usual)} for day in ALL}
    for days_ago, records in enumerate(reversed(newest)):
        found[LAST - DAY * days_ago] = {"C0004": Sums(3, records)}
    return feed(found)


RECENT = steady(TABLES, first=LAST - DAY * 21)
FIRST_WEEKEND = {day: codes for day, codes in LIVE.items() if day.weekday() < 5 or day >= TODAY - DAY * 2}
CASES = [
    Case("1 all parts live", unit(), {}),
    Case("2 a table is away for one day: it may be late", unit(scheduled=feed(without(ALL, ["C0002"], LAST))), {}),
    Case(
        "3 a table is away for two days",
        unit(scheduled=feed(without(ALL, ["C0002"], LAST - DAY))),
        {"dead_tables": {"codes": ["C0002"], "days": 2, "since": LAST - DAY}},
    ),
    Case(
        "4 two tables are away for a fortnight",
        unit(scheduled=feed(without(ALL, ["C0002", "C0004"], LAST - DAY * 13))),
        {"dead_tables": {"codes": ["C0002", "C0004"], "days": 14}},
    ),
    Case("5 a table came back today", unit(scheduled=feed(without(ALL, ["C0002"], LAST - DAY * 5, LAST - DAY))), {}),
    Case(
        "6 the rest is nearly gone too: it is the feed that fails, not a part",
        unit(scheduled=feed(scaled(without(ALL, ["C0002"], LAST - DAY), 0.1, LAST - DAY))),
        {},
    ),
    Case(
        "7 forms are away for two days",
        unit(realtime=feed(without(LIVE, ["RT01", "RT03"], TODAY - DAY * 2), Feed.REALTIME)),
        {"dead_forms": {"codes": ["RT01", "RT03"], "days": 2, "since": TODAY - DAY * 2}},
    ),
    Case(
        "8 a form that often pauses is away for two days, as so often",
        unit(realtime=feed(without(pausing(3), ["RT01"], TODAY - DAY * 2), Feed.REALTIME)),
        {},
    ),
    Case(
        "9 a form that pauses every fifth day is away for a fortnight",
        unit(realtime=feed(without(pausing(5), ["RT01"], TODAY - DAY * 14), Feed.REALTIME)),
        {"dead_forms": {"codes": ["RT01"]}},
    ),
    Case(
        "10 uploads come and hold nothing",
        unit(scheduled=feed(emptied(LAST - DAY))),
        {"empty_uploads": {"codes": sorted(TABLES), "days": 2, "since": LAST - DAY}},
    ),
    Case(
        "11 one table's uploads hold nothing",
        unit(scheduled=feed(emptied(LAST - DAY, ("C0004",)))),
        {"empty_uploads": {"codes": ["C0004"], "days": 2}},
    ),
    Case("12 a table that always was empty", unit(scheduled=feed(emptied(date(2024, 8, 5), ("C0004",)))), {}),
    Case(
        "13 ten days of history teach too little",
        unit(scheduled=feed(without(steady(TABLES, first=LAST - DAY * 9), ["C0002"], LAST - DAY))),
        {},
        {("dead_tables", Feed.SCHEDULED), ("empty_uploads", Feed.SCHEDULED)},
    ),
    Case(
        "14 nor do they hide that forms are dead",
        unit(
            scheduled=feed(steady(TABLES, first=LAST - DAY * 9)),
            realtime=feed(without(LIVE, ["RT01", "RT03"], TODAY - DAY * 2), Feed.REALTIME),
        ),
        {"dead_forms": {"codes": ["RT01", "RT03"]}},
        {("dead_tables", Feed.SCHEDULED), ("empty_uploads", Feed.SCHEDULED)},
    ),
    Case("15 three weeks do", unit(scheduled=feed(without(RECENT, ["C0002"], LAST - DAY * 2))), {"dead_tables": {"days": 3}}),
    Case(
        "16 of a table that has been away for longer than it was there nothing is known",
        unit(scheduled=feed(without(ALL, ["C0002"], FIRST + DAY * 9))),
        {},
        {("dead_tables", Feed.SCHEDULED)},
    ),
    Case(
        "17 one table stops a day after another",
        unit(scheduled=feed(without(without(ALL, ["C0002"], LAST - DAY * 2), ["C0004"], LAST - DAY))),
        {"dead_tables": {"codes": ["C0002", "C0004"], "days": 3, "since": LAST - DAY * 2}},
    ),
    Case(
        "18 one table is away, another one empty",
        unit(scheduled=feed(without(emptied(LAST - DAY, ("C0004",)), ["C0002"], LAST - DAY))),
        {"dead_tables": {"codes": ["C0002"]}, "empty_uploads": {"codes": ["C0004"]}},
    ),
    Case("19 the other one brings 40 % of its usual", unit(scheduled=beside(100, 40, 40, 40)), {"dead_tables": {"days": 3}}),
    Case("20 or 39 %: the feed fails", unit(scheduled=beside(100, 39, 39, 39)), {}),
    Case("21 the last three days say whether the others live", unit(scheduled=beside(100, 100, 100, 30, 30)), {}),
    Case("22 little, but as much as ever", unit(scheduled=beside(2, 2, 2, 2, 2)), {"dead_tables": {"days": 4}}),
    Case("23 nothing but empty uploads beside it: it is the feed", unit(scheduled=beside(0, 0, 0, 0, 0)), {}),
    Case(
        "24 the first weekend that it works has nothing to be compared with",
        unit(realtime=feed(without(FIRST_WEEKEND, ["RT01", "RT03"], TODAY - DAY * 2), Feed.REALTIME)),
        {},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_dead_parts(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_lost_documents_are_what_the_table_usually_brings() -> None:
    usual = sorted(codes["C0002"].records for codes in ALL.values())[len(ALL) // 2]
    (verdict,) = verdicts(unit(scheduled=feed(without(ALL, ["C0002"], LAST - DAY))))
    assert verdict.lost == pytest.approx(2 * usual, rel=0.3)


def test_a_part_that_comes_again_on_a_holiday_is_not_dead() -> None:
    back = unit(scheduled=feed(without(ALL, ["C0002"], LAST - DAY * 5, LAST - DAY * 2)))
    feast = frozenset({LAST - DAY, LAST})
    assert "dead_tables" not in [verdict.rule for verdict in verdicts(back, special=feast)]
    gone = unit(scheduled=feed(without(ALL, ["C0002"], LAST - DAY * 5)))
    assert "dead_tables" in [verdict.rule for verdict in verdicts(gone, special=feast)]
