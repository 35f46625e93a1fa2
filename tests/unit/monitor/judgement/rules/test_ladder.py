from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.facts import UnitFacts
from monitor.judgement.rules.ladder import FAMILY
from schemas.events import TableCode
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, REGISTER, TABLES, TODAY, feed, found_rules, steady, unit

MORE = frozenset(map(TableCode, (*TABLES, "C0001", "C0003", "C0005")))
ONE_MORE = frozenset(map(TableCode, (*TABLES, "C0001")))


WAITS = {("declared_not_uploaded", Feed.SCHEDULED)}


def with_forms(*forms: str) -> object:
    return feed(steady(forms, last=TODAY - DAY), Feed.REALTIME)


def sending(days: int) -> object:
    """Two of the four forms, on so many days."""
    return feed(steady(FORMS[:2], TODAY - DAY * days, TODAY - DAY), Feed.REALTIME)


def declaring(tables: int, uploaded: int) -> UnitFacts:
    codes = sorted(REGISTER.tables)
    return unit(declared=frozenset(codes[:tables]), ever=frozenset(codes[:uploaded]))


CASES = [
    Case("1 declared, uploaded", unit(), {}),
    Case(
        "2 three of eight declared tables never came",
        unit(declared=MORE),
        {"declared_not_uploaded": {"codes": ["C0001", "C0003", "C0005"], "severity": "ticket"}},
    ),
    Case("3 one of six: the summary says so", unit(declared=ONE_MORE), {"declared_not_uploaded": {"severity": "summary"}}),
    Case(
        "4 declared a week ago",
        unit(declared=MORE, declared_on=TODAY - timedelta(days=7)),
        {},
        WAITS,
    ),
    Case("5 never declared, where the others did", unit(declared=None, declared_on=None), {"never_declared": {"uploaded": 5}}),
    Case("6 uploads beside the declaration", unit(ever=ONE_MORE), {"uploaded_not_declared": {"codes": ["C0001"]}}),
    Case(
        "7 one of four forms never came",
        unit(realtime=with_forms("RT01", "RT02", "RT03")),
        {"forms_never_sent": {"codes": ["RT04"], "severity": "summary"}},
    ),
    Case("8 half of the forms", unit(realtime=with_forms("RT01", "RT02")), {"forms_never_sent": {"severity": "ticket"}}),
    Case("9 no form at all is another finding", unit(realtime=with_forms()), {}),
    Case(
        "10 three days of forms say nothing yet",
        unit(realtime=feed(steady(FORMS[:2], TODAY - DAY * 3, TODAY - DAY), Feed.REALTIME)),
        {},
        {("forms_never_sent", Feed.REALTIME)},
    ),
    Case("11 six days of forms", unit(realtime=sending(6)), {}, {("forms_never_sent", Feed.REALTIME)}),
    Case("12 seven", unit(realtime=sending(7)), {"forms_never_sent": {"forms": 2}}),
    Case("13 declared thirteen days ago", unit(declared=MORE, declared_on=TODAY - DAY * 13), {}, WAITS),
    Case("14 fourteen days ago", unit(declared=MORE, declared_on=TODAY - DAY * 14), {"declared_not_uploaded": {}}),
    Case(
        "15 seven of ten: the summary says so",
        declaring(10, 7),
        {"declared_not_uploaded": {"severity": "summary"}},
    ),
    Case("16 six of nine", declaring(9, 6), {"declared_not_uploaded": {"severity": "ticket"}}),
    Case("17 none of one", declaring(1, 0), {"declared_not_uploaded": {"uploaded": 0}}),
    Case("18 never declared, and nothing came", unit(declared=None, declared_on=None, ever=frozenset()), {}),
    Case(
        "19 never declared, and nothing came lately",
        unit(declared=None, declared_on=None, scheduled=feed({}), measures={}),
        {"never_declared": {"since": TODAY - DAY * 2}},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_ladder(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_where_nobody_declares_nobody_is_asked_to() -> None:
    bare = [unit(number, declared=None, declared_on=None) for number in range(8)]
    assert found_rules(*bare, peers=0) == []


def undeclared(number: int) -> UnitFacts:
    return unit(number, declared=None, declared_on=None)


def silent(number: int) -> UnitFacts:
    """It has declared, and never uploaded anything."""
    return unit(number, scheduled=feed({}), measures={}, ever=frozenset())


def test_where_a_third_declares_the_others_are_asked_to(snapshot: SnapshotAssertion) -> None:
    """Who never uploaded is no part of the third."""
    others = [*map(undeclared, range(1, 6)), *map(silent, (6, 7))]
    check(Case("", undeclared(0), {"never_declared": {}}), FAMILY, snapshot, *others, peers=3)
    check(Case("", undeclared(0), {}), FAMILY, snapshot, *others, peers=2)


def forms(number: int, count: int) -> UnitFacts:
    """A unit that sends so many forms."""
    return unit(number, realtime=with_forms(*sorted(REGISTER.forms)[:count]))


def test_where_half_use_half_of_the_forms_the_others_are_asked_to(snapshot: SnapshotAssertion) -> None:
    """Who sends no form is no part of the half."""
    case = forms(0, 1)
    check(Case("", case, {"forms_never_sent": {}}), FAMILY, snapshot, forms(1, 1), forms(2, 2), forms(3, 2), forms(4, 0), peers=0)
    check(Case("", case, {}), FAMILY, snapshot, forms(1, 1), forms(2, 1), forms(3, 2), peers=0)


def test_seven_of_ten_forms_are_for_the_summary(snapshot: SnapshotAssertion) -> None:
    ten = replace(REGISTER, forms={code: REGISTER.forms[code] for code in sorted(REGISTER.forms)[:10]})
    case = Case("", forms(0, 7), {"forms_never_sent": {"severity": "summary", "required": 10}})
    check(case, FAMILY, snapshot, forms(1, 10), peers=0, register=ten)
