"""On which day what was sent, and how wrong the clock was that stamped it."""

from datetime import date, timedelta

import pytest

from monitor.counting.feeds import Feed
from monitor.counting.sent_days import Sent, SentOn, note_sent
from tests.factories import NOON, UNIT, make_event, make_forms
from tests.unit.monitor.counting.undated import Undated

DAY, NEXT = date(2024, 9, 9), date(2024, 9, 10)
PLACE = SentOn(UNIT, Feed.SCHEDULED, DAY, NEXT)


def test_uploads_of_one_day_for_one_date_are_counted_together() -> None:
    sent: dict[SentOn, Sent] = {}
    for records in (10, 0, 5):
        note_sent(sent, make_event(record_count=records), Feed.SCHEDULED, NOON)
    assert sent == {PLACE: Sent(events=3, records=15, empty=1)}


def test_another_feed_date_or_day_of_sending_is_counted_apart() -> None:
    sent: dict[SentOn, Sent] = {}
    note_sent(sent, make_event(), Feed.SCHEDULED, NOON)
    note_sent(sent, make_event(business_date=NEXT), Feed.SCHEDULED, NOON)
    note_sent(sent, make_event(event_time=NOON + timedelta(hours=13)), Feed.SCHEDULED, NOON + timedelta(hours=13))
    note_sent(sent, make_forms(), Feed.REALTIME, NOON)
    assert {place: count.events for place, count in sent.items()} == {
        PLACE: 1,
        PLACE._replace(business_date=NEXT): 1,
        PLACE._replace(sent_on=date(2024, 9, 11)): 1,
        SentOn(UNIT, Feed.REALTIME, NEXT, NEXT): 1,
    }


def test_what_has_no_business_date_is_of_the_day_on_which_it_was_sent() -> None:
    sent: dict[SentOn, Sent] = {}
    note_sent(sent, Undated("1", UNIT, NOON, "", 1, 4), Feed.SCHEDULED, NOON)
    assert sent == {PLACE._replace(business_date=NEXT): Sent(events=1, records=4)}


@pytest.mark.parametrize(
    ("wrong_by", "expected"),
    [
        (timedelta(0), Sent(1, 10)),
        (timedelta(milliseconds=400), Sent(1, 10)),
        (timedelta(seconds=1), Sent(1, 10, ahead=1, ahead_seconds=1)),
        (timedelta(hours=2), Sent(1, 10, ahead=1, ahead_seconds=7_200)),
        (timedelta(seconds=-1), Sent(1, 10, behind=1, behind_seconds=1)),
        (timedelta(hours=-3), Sent(1, 10, behind=1, behind_seconds=10_800)),
    ],
)
def test_a_clock_is_ahead_or_behind_by_whole_seconds(wrong_by: timedelta, expected: Sent) -> None:
    sent: dict[SentOn, Sent] = {}
    note_sent(sent, make_event(event_time=NOON + wrong_by), Feed.SCHEDULED, NOON)
    assert sent == {PLACE: expected}


def test_more_uploads_add_up_and_the_worst_clock_stays() -> None:
    one = Sent(1, 20, 3, 4, 5, 60, 7)
    one.extend(Sent(10, 200, 30, 40, 50, 6, 70))
    assert one == Sent(11, 220, 33, 44, 55, 60, 70)
