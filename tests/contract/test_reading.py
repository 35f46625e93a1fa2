"""The snapshot that page and metrics are made of, on every database."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event

from monitor.counting.batch import Position
from monitor.counting.feeds import Feed
from monitor.judgement.judge import Snapshot, take_snapshot
from monitor.judgement.outages import Outage
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.unit_status import FeedCondition, FeedStatus
from monitor.ledger.append import Ledger
from monitor.ledger.snapshot import TopicCounts, read_facts
from monitor.paging.receive import record
from monitor.paging.webhook_message import WebhookMessage
from schemas.codec.reasons import Reason
from schemas.events import UnitId
from schemas.register import Register
from schemas.topics import Topic
from tests.factories import (
    NOON,
    OTHER_UNIT,
    UNIT,
    make_batch,
    make_delivery,
    make_event,
    make_forms,
    make_letter,
    make_watchdog,
)

HOUR = timedelta(hours=1)


def advance(ledger: Ledger, moment: datetime) -> None:
    """All partitions are read to their end, and all was sent up to `moment`."""
    ledger.raise_complete_until(
        [Position(topic_id, number, at) for (topic_id, number), at in ledger.next_offsets().items()], moment
    )


def feed_of(snapshot: Snapshot, unit_id: UnitId, feed: Feed) -> FeedStatus:
    return next(
        status for unit in snapshot.status.units for status in unit.feeds if (unit.unit.unit_id, status.feed) == (unit_id, feed)
    )


def test_an_empty_ledger_reads_as_a_fleet_that_nobody_has_heard_of(engine: Engine, register: Register) -> None:
    snapshot = take_snapshot(engine, register, Rhythms())
    assert snapshot.status.clock is None
    assert len(snapshot.status.units) == 52
    assert {feed.condition for unit in snapshot.status.units for feed in unit.feeds} == {FeedCondition.INACTIVE}
    assert (snapshot.facts.topics, snapshot.facts.missing, snapshot.facts.dead_letters, snapshot.facts.watchdog_at) == (
        {},
        {},
        {},
        None,
    )


def test_a_snapshot_says_what_was_counted(ledger: Ledger, engine: Engine, register: Register) -> None:
    letters = [make_letter(offset=5), make_letter(offset=6, reason=Reason.NOT_AVRO)]
    events = [
        make_event(),
        make_event(),
        make_event(sequence=4),
        make_event(series="b", sequence=2),
        make_event(unit_id=OTHER_UNIT),
    ]
    ledger.append(make_batch(*events, dead_letters=letters))
    ledger.append(make_batch(make_forms()))
    record(engine, WebhookMessage.model_validate(make_delivery(make_watchdog())), NOON)
    advance(ledger, NOON)
    snapshot = take_snapshot(engine, register, Rhythms())
    assert snapshot.status.clock == NOON
    assert snapshot.facts.topics == {Topic.CDA_DOCUMENTS: TopicCounts(4, 1), Topic.REALTIME_FORMS: TopicCounts(1, 0)}
    assert snapshot.facts.missing == {(UNIT, Topic.CDA_DOCUMENTS): 3}
    assert snapshot.facts.dead_letters == {
        (Topic.CDA_DOCUMENTS, Reason.TRUNCATED): 1,
        (Topic.CDA_DOCUMENTS, Reason.NOT_AVRO): 1,
    }
    assert snapshot.facts.watchdog_at == NOON
    assert snapshot.status.active_since == {Feed.SCHEDULED: NOON, Feed.REALTIME: NOON}


def test_a_feed_is_silent_after_its_deadline_by_the_platform_clock(ledger: Ledger, engine: Engine, register: Register) -> None:
    ledger.append(make_batch(make_forms(), make_forms(unit_id=OTHER_UNIT)))
    # of a rhythm that is not known yet something is expected in 48 hours of workdays, and past half of them it is late
    on_time, late, silent = FeedCondition.ON_TIME, FeedCondition.LATE, FeedCondition.SILENT
    for first, (hours, condition) in enumerate([(15, on_time), (26, on_time), (27, late), (48, late), (49, silent)], 2):
        later = NOON + hours * HOUR
        ledger.append(
            make_batch(make_forms(unit_id=OTHER_UNIT, sequence=first, event_time=later), first=first, received_at=later)
        )
        advance(ledger, later)
        assert feed_of(take_snapshot(engine, register, Rhythms()), UNIT, Feed.REALTIME).condition is condition


def test_while_the_clock_stands_still_nobody_falls_silent(ledger: Ledger, engine: Engine, register: Register) -> None:
    ledger.append(make_batch(make_forms()))
    advance(ledger, NOON)
    snapshot = take_snapshot(engine, register, Rhythms())
    assert snapshot.facts.read_at > NOON + 24 * HOUR, "by the wall it is long overdue"
    assert feed_of(snapshot, UNIT, Feed.REALTIME).condition is FeedCondition.ON_TIME


def silence_of_everybody(ledger: Ledger, length: timedelta) -> None:
    """Two units send, then nobody does for `length`, then one of them does again."""
    ledger.append(make_batch(make_event(), make_event(unit_id=OTHER_UNIT)))
    back = NOON + length
    event = make_event(unit_id=OTHER_UNIT, sequence=2, event_time=back, business_date=date(2024, 9, 9) + length)
    ledger.append(make_batch(event, first=2, received_at=back))
    advance(ledger, back)


def test_an_outage_of_everybody_is_nobodys_silence(ledger: Ledger, engine: Engine, register: Register) -> None:
    silence_of_everybody(ledger, timedelta(days=5))
    snapshot = take_snapshot(engine, register, Rhythms())
    assert snapshot.status.outages == [Outage(NOON + HOUR, NOON + timedelta(days=5))]
    status = feed_of(snapshot, UNIT, Feed.SCHEDULED)
    assert status.condition is FeedCondition.ON_TIME
    assert status.deadline is not None
    assert status.deadline > NOON + timedelta(days=5, hours=2), "it begins anew when somebody is heard again"


def test_an_outage_of_many_weeks_is_nobodys_silence_either(ledger: Ledger, engine: Engine, register: Register) -> None:
    silence_of_everybody(ledger, timedelta(days=40))
    snapshot = take_snapshot(engine, register, Rhythms())
    assert snapshot.status.outages == [Outage(NOON + HOUR, NOON + timedelta(days=40))]
    assert feed_of(snapshot, UNIT, Feed.SCHEDULED).condition is FeedCondition.ON_TIME


def test_a_clock_that_runs_ahead_makes_nobody_silent(ledger: Ledger, engine: Engine, register: Register) -> None:
    ahead = NOON + timedelta(days=30)
    ledger.append(make_batch(make_forms(), make_forms(unit_id=OTHER_UNIT, event_time=ahead)))
    greatest = ledger.greatest_event_at()
    assert greatest is not None
    advance(ledger, greatest)
    snapshot = take_snapshot(engine, register, Rhythms())
    assert snapshot.status.clock == NOON
    assert feed_of(snapshot, UNIT, Feed.REALTIME).condition is FeedCondition.ON_TIME


def test_a_reading_knows_nothing_that_came_after_its_own_moment(engine: Engine, ledger: Ledger) -> None:
    asked_at: list[datetime] = []

    def note(*_: Any) -> None:
        asked_at.append(datetime.now(UTC))

    event.listen(engine, "before_cursor_execute", note)
    try:
        facts = read_facts(engine)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert facts.read_at <= asked_at[0]
