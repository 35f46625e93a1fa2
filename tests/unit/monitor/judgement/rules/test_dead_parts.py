from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.facts import Sums
from monitor.judgement.rules.dead_parts import FAMILY
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, feed, scaled, steady, unit, verdicts, without

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
