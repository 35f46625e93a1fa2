from datetime import date, timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.facts import FeedFacts
from monitor.judgement.rules.silence import FAMILY
from schemas.clock import start_of_day
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FORMS, TABLES, TODAY, days, feed, scaled, steady, unit, verdicts

NOTHING = feed({})
NO_FORMS = feed({}, Feed.REALTIME)
LAST = TODAY - DAY * 2
IN_AUGUST = steady(TABLES, last=date(2024, 8, 30))
FORMS_IN_AUGUST = feed(steady(FORMS, last=date(2024, 8, 30)), Feed.REALTIME)


def overdue(days_ago: int) -> FeedFacts:
    return feed(steady(TABLES), overdue_since=start_of_day(TODAY) - timedelta(days=days_ago))


LITTLE = scaled(steady(TABLES), 0.01, date(2024, 8, 5))
CASES = [
    Case("1 both feeds live", unit(), {}),
    Case("2 past its deadline", unit(scheduled=overdue(2)), {"silent": {"since": TODAY - DAY * 2, "severity": "page"}}),
    Case(
        "3 nothing this month",
        unit(scheduled=feed(IN_AUGUST), realtime=FORMS_IN_AUGUST, measures={}),
        {"nothing_this_month": {"records": 0, "severity": "ticket"}},
    ),
    Case(
        "4 tables from long ago, no record",
        unit(scheduled=NOTHING, realtime=NO_FORMS, measures={}),
        {"tables_without_records": {"tables_ever": 5}},
    ),
    Case(
        "5 registered, never heard of, while the others upload",
        unit(scheduled=NOTHING, realtime=NO_FORMS, measures={}, ever=frozenset()),
        {"never_uploaded": {"severity": "ticket"}},
    ),
    Case("6 no realtime form all month", unit(realtime=NO_FORMS), {"feed_dead": {"realtime_days": 0, "upload_days": 28}}),
    Case("7 no scheduled record all month", unit(scheduled=NOTHING, measures={}), {"feed_dead": {"upload_days": 0}}),
    Case(
        "8 one document in a hundred of its peers', no visit, no discharge",
        unit(scheduled=feed(LITTLE), measures={day: Measures() for day in days(date(2024, 8, 5), LAST)}),
        {"almost_silent": {"upload_days": 28}},
    ),
    Case("9 as little, with its visits: a small hospital", unit(scheduled=feed(LITTLE)), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_silence(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_first_days_of_a_month_say_nothing_of_it(snapshot: SnapshotAssertion) -> None:
    quiet = unit(scheduled=feed(IN_AUGUST, complete_until=date(2024, 9, 3)), realtime=FORMS_IN_AUGUST, measures={})
    check(Case("", quiet, {}), FAMILY, snapshot, clock=start_of_day(date(2024, 9, 5)))


def test_who_was_never_heard_of_is_not_asked_while_the_city_connects() -> None:
    unheard = [
        unit(number, scheduled=NOTHING, realtime=NO_FORMS, measures={}, ever=frozenset(), declared=None) for number in range(5)
    ]
    assert {(found.rule, found.severity) for found in verdicts(*unheard)} == {("never_uploaded", "summary")}
