from collections.abc import Mapping
from datetime import date

from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules.dead_parts import DEAD_FORMS, DEAD_TABLES
from monitor.judgement.rules.everywhere import EVERYWHERE
from monitor.judgement.rules.verdict import Verdict
from tests.unit.monitor.judgement.steady import DAY, FIRST, FORMS, TABLES, TODAY, feed, steady, unit, verdicts, without

SINCE = TODAY - DAY * 5
LAST = TODAY - DAY * 2


def told(*units: UnitFacts, peers: int) -> tuple[list[Verdict], Mapping[int, object]]:
    """What is found about many units, and by place in `units` which parts are dead by the unit's own finding."""
    found = verdicts(*units, peers=peers)
    own = {str(verdict.unit_id): verdict.evidence["codes"] for verdict in found if verdict.rule in (DEAD_TABLES, DEAD_FORMS)}
    places = {str(facts.unit.unit_id): place for place, facts in enumerate(units)}
    return [verdict for verdict in found if verdict.rule == EVERYWHERE], {places[unit_id]: own[unit_id] for unit_id in own}


def hit(number: int, *codes: str, since: date = SINCE) -> UnitFacts:
    """Unit `number`, of whose tables `codes` (or C0004) are dead."""
    return unit(number, scheduled=feed(without(steady(TABLES), codes or ["C0004"], since)))


def sending(number: int, dates: int) -> UnitFacts:
    """Unit `number`, which has sent C0004 on its newest `dates` dates only."""
    return unit(number, scheduled=feed(without(steady(TABLES), ["C0004"], FIRST, LAST - DAY * dates)))


def each(places: range, code: str) -> Mapping[int, object]:
    return {place: [code] for place in places}


def test_a_table_dead_at_half_of_its_units_is_one_finding(snapshot: SnapshotAssertion) -> None:
    everywhere, own = told(*map(hit, range(4)), peers=4)
    assert everywhere == snapshot
    assert own == {}


def test_at_less_than_half_it_is_each_units_own() -> None:
    assert told(*map(hit, range(4)), peers=5) == ([], each(range(4), "C0004"))


def test_three_units_are_three_findings() -> None:
    assert told(*map(hit, range(3)), peers=1) == ([], each(range(3), "C0004"))


def test_who_has_sent_the_table_on_four_dates_is_none_of_its_units() -> None:
    assert told(*map(hit, range(4)), sending(4, dates=4), peers=4)[1] == {}
    assert told(*map(hit, range(4)), sending(4, dates=5), peers=4)[1] == each(range(4), "C0004")


def test_forms_are_one_finding_too(snapshot: SnapshotAssertion) -> None:
    live = steady(FORMS, last=TODAY - DAY)
    silent = [unit(n, realtime=feed(without(live, ["RT01", "RT03"], SINCE), Feed.REALTIME)) for n in range(4)]
    everywhere, own = told(*silent, peers=4)
    assert everywhere == snapshot
    assert own == {}


def test_a_units_other_dead_tables_stay_its_own(snapshot: SnapshotAssertion) -> None:
    everywhere, own = told(*map(hit, range(3)), hit(3, "C0002", "C0004"), hit(4, "C0002"), peers=3)
    assert everywhere == snapshot
    assert own == {3: ["C0002"], 4: ["C0002"]}


def test_who_stopped_three_days_earlier_belongs_to_it_and_who_stopped_before_does_not(snapshot: SnapshotAssertion) -> None:
    """The day of the finding is the middle one's."""
    everywhere, own = told(hit(0, since=SINCE - DAY * 4), hit(1, since=SINCE - DAY * 3), *map(hit, range(2, 5)), peers=4)
    assert everywhere == snapshot
    assert own == {0: ["C0004"]}


def test_a_table_that_did_not_die_with_the_others_is_left_out(snapshot: SnapshotAssertion) -> None:
    """C0002 is dead at four of eight units, too, but one of them lost it a fortnight ago."""
    others = [hit(4, "C0002", since=SINCE - DAY * 14), *(hit(n, "C0002") for n in (5, 6, 7))]
    everywhere, own = told(*map(hit, range(4)), *others, peers=0)
    assert everywhere == snapshot
    assert own == each(range(4, 8), "C0002")


def test_four_units_that_stopped_at_different_times_are_no_outage() -> None:
    assert told(*(hit(n, since=SINCE - DAY * 4 * n) for n in range(4)), peers=2) == ([], each(range(4), "C0004"))
