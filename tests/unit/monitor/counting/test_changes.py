"""The changes of two batches are those of both as one."""

from datetime import date, timedelta

from monitor.counting.changes import Activity, Changes, FeedProgress, Refused
from monitor.counting.feeds import Feed
from monitor.counting.sent_days import Sent, SentOn
from schemas.codec.reasons import Reason
from schemas.events import UnitId
from schemas.topics import Topic
from tests.factories import NOON, OTHER_UNIT, TABLE, UNIT

HOUR = timedelta(hours=1)
DAY, NEXT = date(2024, 9, 9), date(2024, 9, 10)
FEED = Feed.SCHEDULED
PLACE = SentOn(UNIT, FEED, DAY, NEXT)
ROW, OTHER_ROW = (UNIT, TABLE, DAY), (OTHER_UNIT, TABLE, DAY)


def changes_of(unit_id: UnitId = UNIT, hours: int = 0, records: int = 10, day: date = DAY) -> Changes:
    """One upload, so many hours after noon."""
    changes = Changes(accepted=1, duplicates=2, hours={hours}, greatest_event_at=NOON + hours * HOUR)
    changes.keep(Topic.CDA_DOCUMENTS, {(unit_id, TABLE, DAY): (1, records, None, None, None, None)})
    changes.extend(unit_id, FEED, NOON + hours * HOUR, day)
    changes.show_life(unit_id, FEED, 7, Activity(1, records, hours + 20, hours + 20))
    changes.sent[SentOn(unit_id, FEED, DAY, NEXT)] = Sent(1, records)
    return changes


def test_changes_of_one_feed_add_up_and_its_range_grows() -> None:
    changes = changes_of(hours=2, day=NEXT)
    changes.add(changes_of(hours=1, records=5))
    changes.add(changes_of(hours=3, records=7))
    assert changes.kept == {Topic.CDA_DOCUMENTS: {ROW: (3, 22, None, None, None, None)}}
    assert changes.progress == {(UNIT, FEED): FeedProgress(NOON + HOUR, NOON + 3 * HOUR, NEXT)}
    assert changes.activity == {(UNIT, FEED, 7): Activity(3, 22, 21, 23)}
    assert changes.sent == {PLACE: Sent(3, 22)}
    assert changes.hours == {1, 2, 3}
    assert changes.greatest_event_at == NOON + 3 * HOUR
    assert (changes.accepted, changes.duplicates) == (3, 6)


def test_the_first_and_the_last_event_of_a_feed_both_come_along() -> None:
    later = changes_of(hours=5, day=NEXT)
    later.extend(UNIT, FEED, NOON - HOUR, DAY)
    changes = changes_of()
    changes.add(later)
    assert changes.progress == {(UNIT, FEED): FeedProgress(NOON - HOUR, NOON + 5 * HOUR, NEXT)}
    fresh = Changes()
    fresh.add(later)
    assert fresh.progress == {(UNIT, FEED): FeedProgress(NOON - HOUR, NOON + 5 * HOUR, NEXT)}


def test_changes_of_other_units_stand_beside_each_other() -> None:
    changes = changes_of()
    changes.add(changes_of(OTHER_UNIT))
    assert set(changes.kept[Topic.CDA_DOCUMENTS]) == {ROW, OTHER_ROW}
    assert set(changes.progress) == {(UNIT, FEED), (OTHER_UNIT, FEED)}
    assert set(changes.activity) == {(UNIT, FEED, 7), (OTHER_UNIT, FEED, 7)}
    assert set(changes.sent) == {PLACE, PLACE._replace(unit_id=OTHER_UNIT)}


def test_nothing_adds_nothing_and_refusals_stay_with_their_batch() -> None:
    changes = changes_of()
    refused = Changes(refused=[Refused(4, Reason.SEQUENCE_CONFLICT)])
    changes.add(refused)
    assert changes == changes_of()
    refused.add(changes_of())
    assert refused.greatest_event_at == NOON
    assert refused.refused == [Refused(4, Reason.SEQUENCE_CONFLICT)]
    empty = Changes()
    empty.add(Changes())
    assert empty == Changes()


def test_an_hour_of_activity_keeps_its_first_and_last_minute_in_whatever_order() -> None:
    activity = Activity(1, 10, 20, 30)
    activity.extend(Activity(2, 5, 25, 28))
    assert activity == Activity(3, 15, 20, 30)
    activity.extend(Activity(1, 1, 5, 59))
    assert activity == Activity(4, 16, 5, 59)


def test_the_progress_of_a_feed_never_goes_back() -> None:
    progress = FeedProgress(NOON, NOON, NEXT)
    progress.extend(NOON - HOUR, DAY)
    assert progress == FeedProgress(NOON - HOUR, NOON, NEXT)
    progress.extend(NOON + HOUR, NEXT + timedelta(days=1))
    assert progress == FeedProgress(NOON - HOUR, NOON + HOUR, NEXT + timedelta(days=1))
