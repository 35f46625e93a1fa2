from datetime import date, timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.facts import FeedFacts, Sums, UnitFacts
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.silence import FAMILY
from monitor.judgement.rules.verdict import Severity, Verdict
from schemas.clock import start_of_day
from schemas.register import UnitKind
from tests.unit.monitor.judgement.rules.cases import Case, check, names
from tests.unit.monitor.judgement.steady import DAY, FIRST, FORMS, TABLES, TODAY, Days, city, days, feed, scaled, steady, unit

NOTHING = feed({})
NO_FORMS = feed({}, Feed.REALTIME)
LAST = TODAY - DAY * 2
ALL = steady(TABLES)
IN_AUGUST = steady(TABLES, last=date(2024, 8, 30))
FORMS_IN_AUGUST = feed(steady(FORMS, last=date(2024, 8, 30)), Feed.REALTIME)


def overdue(hours_ago: int, of: Days = ALL, which: Feed = Feed.SCHEDULED) -> FeedFacts:
    """Past its deadline for so long, and last heard of a day before it."""
    due = start_of_day(TODAY) - timedelta(hours=hours_ago)
    return feed(of, which, overdue_since=due, first_event_on=FIRST, last_event_at=due - DAY)


def before(first: date, last: date) -> FeedFacts:
    """Uploads in August only, some of them of the last days perhaps."""
    return feed(steady(TABLES, first, last))


LITTLE = scaled(steady(TABLES), 0.01, date(2024, 8, 5))
CASES = [
    Case("1 both feeds live", unit(), {}),
    Case("2 past its deadline", unit(scheduled=overdue(48)), {"silent": {"since": TODAY - DAY * 2, "severity": "page"}}),
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
    Case(
        "10 the other feed, an hour past its deadline",
        unit(realtime=overdue(1, steady(FORMS, last=LAST), Feed.REALTIME)),
        {"silent": {"since": LAST + DAY, "due": "2024-09-29 23:00", "last": "2024-09-28 23:00"}},
    ),
    Case(
        "11 a feed of which nothing is kept any more is past its deadline: what is lost cannot be told",
        unit(scheduled=overdue(24, {}), measures={}),
        {"silent": {"lost": 0}, "feed_dead": {}},
    ),
    Case(
        "12 five days before the last days of August: it fell silent",
        unit(scheduled=before(date(2024, 8, 24), date(2024, 8, 28)), realtime=NO_FORMS, measures={}),
        {"nothing_this_month": {}},
    ),
    Case(
        "13 four, and those last days: leftovers of a unit that connects no more",
        unit(scheduled=before(date(2024, 8, 25), date(2024, 8, 31)), realtime=NO_FORMS, measures={}),
        {"tables_without_records": {}},
    ),
    Case(
        "14 four days of the one feed and none of the other",
        unit(scheduled=feed(steady(TABLES, LAST - DAY * 3)), realtime=NO_FORMS),
        {"feed_dead": {"upload_days": 4}},
    ),
    Case("15 three days show no habit", unit(scheduled=feed(steady(TABLES, LAST - DAY * 2)), realtime=NO_FORMS), {}),
]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_silence(case: Case, snapshot: SnapshotAssertion) -> None:
    check(case, FAMILY, snapshot)


def test_first_days_of_a_month_say_nothing_of_it(snapshot: SnapshotAssertion) -> None:
    quiet = unit(scheduled=feed(IN_AUGUST, complete_until=date(2024, 9, 3)), realtime=FORMS_IN_AUGUST, measures={})
    check(Case("", quiet, {}), FAMILY, snapshot, clock=start_of_day(date(2024, 9, 5)))


@pytest.mark.parametrize(("complete_until", "judged"), [(date(2024, 9, 4), False), (date(2024, 9, 5), True)])
def test_four_workdays_of_a_month_are_enough(complete_until: date, judged: bool) -> None:
    """September 2024 begins on a Sunday."""
    quiet = unit(scheduled=feed(IN_AUGUST, complete_until=complete_until), realtime=FORMS_IN_AUGUST, measures={})
    outcome = evaluate(city(quiet, clock=start_of_day(date(2024, 9, 8))), {quiet.unit.unit_id})
    of_month = {"nothing_this_month", "tables_without_records", "feed_dead", "almost_silent"}
    assert {rule for rule, _, feed in outcome.unknown if feed is None} & of_month == (set() if judged else of_month)
    assert ("nothing_this_month" in {found.rule for found in outcome.verdicts}) == judged


UNHEARD = unit(scheduled=NOTHING, realtime=NO_FORMS, measures={}, ever=frozenset(), declared=None)
SCHEDULED_ONLY, REALTIME_ONLY = {"realtime": NO_FORMS}, {"scheduled": NOTHING, "measures": {}}
QUIET: dict[str, Any] = {**SCHEDULED_ONLY, **REALTIME_ONLY}


def among(of: UnitFacts, *others: UnitFacts, rule: str) -> Verdict | None:
    """What the rule says of a unit among these others, and no more."""
    found = evaluate(city(of, *others, peers=0), {of.unit.unit_id}).verdicts
    return next((verdict for verdict in found if verdict.rule == rule), None)


@pytest.mark.parametrize(
    ("others", "severity"),
    [
        ([{}, {}, {}, {}], Severity.TICKET),
        ([{}, {}, SCHEDULED_ONLY, REALTIME_ONLY], Severity.TICKET),
        ([{}, {}, {}], Severity.SUMMARY),
        ([{}, {}, {}, QUIET], Severity.SUMMARY),
        ([{}, {}, {}, {"kind": UnitKind.DISTRICT}], Severity.SUMMARY),
    ],
    ids=["four of five of its kind upload", "on any feed", "three of four", "three of five", "others than its kind say nothing"],
)
def test_who_was_never_heard_of_is_asked_when_four_of_five_upload(others: list[dict[str, Any]], severity: Severity) -> None:
    found = among(UNHEARD, *(unit(number, **other) for number, other in enumerate(others, 1)), rule="never_uploaded")
    assert found is not None
    assert found.severity is severity


@pytest.mark.parametrize(
    ("others", "dead"),
    [
        ([{}, SCHEDULED_ONLY], True),
        ([{}, SCHEDULED_ONLY, SCHEDULED_ONLY], False),
        ([{}, SCHEDULED_ONLY, QUIET, QUIET], True),
        ([], False),
    ],
    ids=["half of the others use the feed", "a third", "half of those that send at all", "no others"],
)
def test_a_feed_that_half_of_the_others_use_is_owed(others: list[dict[str, Any]], dead: bool) -> None:
    peers = [unit(number, **other) for number, other in enumerate(others, 1)]
    assert bool(among(unit(realtime=NO_FORMS), *peers, rule="feed_dead")) == dead
    turned = [unit(number, **(REALTIME_ONLY if other is SCHEDULED_ONLY else other)) for number, other in enumerate(others, 1)]
    assert bool(among(unit(scheduled=NOTHING, measures={}), *turned, rule="feed_dead")) == dead


def ward(number: int, records: int, kind: UnitKind = UnitKind.HOSPITAL, **of_a_day: int) -> UnitFacts:
    """A unit with so many documents on each of 28 days of September, and perhaps visits or discharges."""
    month = days(date(2024, 9, 1), LAST)
    sent = {day: {"C0002": Sums(1, records)} for day in month}
    return unit(number, kind, scheduled=feed(sent), measures=dict.fromkeys(month, Measures(**of_a_day)))


PEERS = [ward(number, 1000, visits=9) for number in range(1, 6)]
BUSY: dict[str, Any] = {"visits": 9}
IDLE: dict[str, Any] = {"visits": 0}


@pytest.mark.parametrize(
    ("of", "peers", "found"),
    [
        (ward(0, 49), PEERS, True),
        (ward(0, 50), PEERS, False),
        (ward(0, 49, visits=1), PEERS, False),
        (ward(0, 49, discharges=1), PEERS, False),
        (ward(0, 0), PEERS, False),
        (ward(0, 49), PEERS[:4], False),
        (ward(0, 49), [*PEERS[:4], ward(5, 0)], False),
        (ward(0, 49), [*PEERS[:4], ward(0, 1000, UnitKind.DISTRICT, visits=9)], False),
        (ward(0, 49), [ward(n, 1000, **(BUSY if n < 5 else IDLE)) for n in range(1, 7)], True),
        (ward(0, 49), [ward(n, 1000, **(BUSY if n < 4 else IDLE)) for n in range(1, 7)], False),
    ],
    ids=[
        "below 5 % of its peers",
        "5 %",
        "with visits",
        "with discharges",
        "without a record it is dead, not almost silent",
        "four peers",
        "four peers, and one that is dead",
        "four peers, and a district",
        "most of the peers have visits",
        "half of them",
    ],
)
def test_almost_silent(of: UnitFacts, peers: list[UnitFacts], found: bool) -> None:
    assert bool(among(of, *peers, rule="almost_silent")) == found
