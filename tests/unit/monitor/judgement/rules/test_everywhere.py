from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules.everywhere import EVERYWHERE
from monitor.judgement.rules.verdict import Severity, Verdict
from tests.unit.monitor.judgement.steady import DAY, TABLES, TODAY, feed, steady, unit, verdicts, without

SINCE = TODAY - DAY * 4


def told(*units: UnitFacts, peers: int) -> list[Verdict]:
    """Tickets; that the tables are owed the summary says besides."""
    return [found for found in verdicts(*units, peers=peers) if found.severity is Severity.TICKET]


def test_a_table_dead_at_half_of_its_units_is_one_finding() -> None:
    hit = [unit(number, scheduled=feed(without(steady(TABLES), ["C0004"], SINCE))) for number in range(6)]
    found = told(*hit, peers=5)
    assert [verdict.rule for verdict in found] == [EVERYWHERE]
    assert found[0].evidence["codes"] == ["C0004"]
    assert found[0].evidence["units"] == sorted(facts.unit.unit_id for facts in hit)
    assert found[0].since == SINCE


def test_a_units_own_dead_table_stays_its_own() -> None:
    hit = [unit(number, scheduled=feed(without(steady(TABLES), ["C0004"], SINCE))) for number in range(5)]
    own = unit(5, scheduled=feed(without(steady(TABLES), ["C0004", "C0002"], SINCE)))
    found = {verdict.rule: verdict for verdict in told(*hit, own, peers=5)}
    assert found.keys() == {EVERYWHERE, "dead_tables"}
    assert found["dead_tables"].evidence["codes"] == ["C0002"]


def test_three_units_are_three_findings() -> None:
    hit = [unit(number, scheduled=feed(without(steady(TABLES), ["C0004"], SINCE))) for number in range(3)]
    assert [verdict.rule for verdict in told(*hit, peers=1)] == ["dead_tables"] * 3
