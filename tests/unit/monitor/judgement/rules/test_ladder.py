from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.judgement.rules.ladder import FAMILY
from schemas.events import TableCode
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, feed, found_rules, steady, unit

MORE = frozenset(map(TableCode, (*TABLES, "C0001", "C0003", "C0005")))
ONE_MORE = frozenset(map(TableCode, (*TABLES, "C0001")))


def with_forms(*forms: str) -> object:
    return feed(steady(forms, last=TODAY - DAY), Feed.REALTIME)


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
        {("declared_not_uploaded", Feed.SCHEDULED)},
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
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_ladder(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_where_nobody_declares_nobody_is_asked_to() -> None:
    bare = [unit(number, declared=None, declared_on=None) for number in range(8)]
    assert found_rules(*bare, peers=0) == []
