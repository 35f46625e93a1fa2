"""What the ledger says of alerts about many units. (Those about one: `tests/contract/test_incidents.py`.)"""

from dataclasses import replace
from datetime import timedelta

from monitor.counting.feeds import Feed
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.unit_status import OutageStatus, PlatformStatus, judge
from monitor.paging.incidents import UNKNOWN, Truth, Verdict
from monitor.paging.ledger_truth import ask_snapshot
from schemas.register import Register
from tests.factories import NOON, UNIT, make_progress
from tests.unit.monitor.test_metrics import make_snapshot

HOUR = timedelta(hours=1)


def outage(number: int, since: int, feed: Feed = Feed.REALTIME) -> OutageStatus:
    return OutageStatus(number, "feed", feed.value, feed, NOON + since * HOUR, [UNIT])


def truth(register: Register, status: PlatformStatus, name: str, **labels: str) -> Truth:
    return ask_snapshot(make_snapshot(register, status))(name, labels)


def test_an_outage_of_many_holds_while_any_part_of_it_is_open_and_ends_when_it_was_heard_again(register: Register) -> None:
    status = judge(register, NOON, {}, [], Rhythms(), open_outages=[outage(3, 2, Feed.SCHEDULED), outage(3, 1), outage(4, 0)])
    status = replace(status, outages_over={2: NOON - HOUR})
    assert truth(register, status, "UnitsOutTogether", number="3") == Truth(Verdict.HOLDS, NOON + HOUR)
    assert truth(register, status, "UnitsOutTogether", number="2") == Truth(Verdict.OVER, ended_at=NOON - HOUR)
    assert truth(register, status, "UnitsOutTogether", number="5") == UNKNOWN, "another judge may have found it first"
    assert truth(register, status, "UnitsOutTogether") == UNKNOWN


def test_a_feed_that_is_silent_everywhere_holds_and_its_end_is_not_for_the_ledger_to_say(register: Register) -> None:
    marks = {(unit, Feed.REALTIME): make_progress(last_event_at=NOON) for unit in list(register.units)[:5]}
    status = judge(register, NOON + 3 * HOUR, marks, [], Rhythms())
    assert truth(register, status, "FeedSilentEverywhere", feed="realtime") == Truth(Verdict.HOLDS)
    assert truth(register, status, "FeedSilentEverywhere", feed="scheduled") == UNKNOWN
