"""What a ledger promises on every database."""

import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from monitor.counting.batch import Appended, Position, RawBatch
from monitor.counting.streams import MAX_SERIES
from monitor.ledger import tables
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from monitor.ledger.dead_letters import DeadLetters
from schemas.codec.reasons import Reason
from schemas.events import DeadLetter, Event
from schemas.topics import EVENT_TOPICS, TOPIC_OF, Topic, topic_name
from tests.conftest import prepare
from tests.contract.contents import contents, empty, expected_of, only_row, receipts, rows, sums_in
from tests.factories import (
    FORM,
    NOON,
    OTHER_UNIT,
    RECEIVED,
    TABLE,
    TOPIC_IDS,
    UNIT,
    UNITS,
    make_batch,
    make_declaration,
    make_event,
    make_forms,
    make_health_records,
    make_letter,
)
from tests.unit.monitor.merging import MemoryLedger, sums_of
from tests.unit.monitor.scripts import deliveries, sent_events

CDA = TOPIC_IDS[Topic.CDA_DOCUMENTS]
MINUTE = timedelta(minutes=1)


def clock(engine: Engine) -> Any:
    return only_row(engine, tables.PlatformClock)["complete_until"]


def offset(ledger: Ledger, topic: Topic = Topic.CDA_DOCUMENTS, partition: int = 0) -> int:
    return ledger.next_offsets()[TOPIC_IDS[topic], partition]


def every_position(offsets: dict[tuple[str, int], int]) -> list[Position]:
    return [Position(topic_id, partition, offset) for (topic_id, partition), offset in offsets.items()]


# --- appending -------------------------------------------------------------------------------------------------------


def test_a_batch_counts_once_and_moves_the_offset(ledger: Ledger, engine: Engine) -> None:
    batch = make_batch(make_event(record_count=5, outpatient_visits=0), make_event(sequence=2, record_count=7), first=0)
    assert ledger.append(batch) == Appended(moved=True, accepted=2, duplicates=0, dead_letters=0)
    assert offset(ledger) == 2
    assert only_row(engine, Topic.CDA_DOCUMENTS) == {
        "unit_id": UNIT,
        "table_code": TABLE,
        "business_date": date(2024, 9, 9),
        "events": 2,
        "records": 12,
        "outpatient_visits": 0,
        "discharges": None,
        "outpatient_revenue_cents": None,
        "inpatient_revenue_cents": None,
    }


def test_the_same_batch_a_second_time_writes_nothing(ledger: Ledger, engine: Engine) -> None:
    batch = make_batch(make_event(), make_event(sequence=4), dead_letters=[make_letter(offset=2)])
    assert ledger.append(batch).moved
    before = contents(engine)
    assert ledger.append(batch) == Appended(moved=False)
    assert contents(engine) == before


@pytest.mark.parametrize("first", [0, 1, 3, 4], ids=lambda first: f"from offset {first}")
def test_who_does_not_start_where_the_ledger_stands_writes_nothing(first: int, ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(), make_event(sequence=2)))
    before = contents(engine)
    loser = make_batch(make_event(sequence=3), make_event(sequence=4), first=first, dead_letters=[make_letter(offset=first + 2)])
    assert ledger.append(loser) == Appended(moved=False)
    assert contents(engine) == before


def test_a_partition_that_is_not_registered_is_not_counted(ledger: Ledger, engine: Engine) -> None:
    before = contents(engine)
    assert not ledger.append(make_batch(make_event(), partition=7)).moved
    assert not ledger.append(make_batch(make_event(), start=Position("another topic", 0, 0))).moved
    assert contents(engine) == before


def test_a_resent_event_is_a_duplicate_in_whichever_partition_it_comes(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event()))
    assert ledger.append(make_batch(make_event(), first=1)) == Appended(True, accepted=0, duplicates=1)
    assert ledger.append(make_batch(make_event(), partition=1)) == Appended(True, accepted=0, duplicates=1)
    assert only_row(engine, Topic.CDA_DOCUMENTS)["events"] == 1
    assert only_row(engine, tables.StreamState)["duplicates"] == 2


def test_gaps_are_kept_split_and_closed(ledger: Ledger, engine: Engine) -> None:
    for first, (sequence, gaps) in enumerate(
        [(1, []), (6, [(2, 5)]), (4, [(2, 3), (5, 5)]), (5, [(2, 3)]), (2, [(3, 3)]), (3, [])]
    ):
        ledger.append(make_batch(make_event(sequence=sequence), first=first))
        assert [(gap["first_missing"], gap["last_missing"]) for gap in rows(engine, tables.OpenGap)] == gaps
    stream = only_row(engine, tables.StreamState)
    assert {name: stream[name] for name in ("next_sequence", "accepted", "duplicates", "skipped", "filled")} == {
        "next_sequence": 7,
        "accepted": 6,
        "duplicates": 0,
        "skipped": 4,
        "filled": 4,
    }


def test_gaps_of_one_stream_leave_those_of_others_alone(ledger: Ledger, engine: Engine) -> None:
    ledger.append(
        make_batch(make_event(sequence=3), make_event(sequence=5, series="b"), make_event(sequence=2, unit_id=OTHER_UNIT))
    )
    ledger.append(make_batch(make_event(sequence=1), make_event(sequence=2), first=3))
    assert [(gap["unit_id"], gap["series"], gap["last_missing"]) for gap in rows(engine, tables.OpenGap)] == [
        (UNIT, "b", 4),
        (OTHER_UNIT, "", 1),
    ]


def test_a_conflict_is_a_dead_letter_and_adds_nothing(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(event_id="a", record_count=1)))
    appended = ledger.append(make_batch(make_event(event_id="b", record_count=100), first=1))
    assert appended == Appended(True, accepted=0, duplicates=0, dead_letters=1)
    assert only_row(engine, Topic.CDA_DOCUMENTS)["records"] == 1
    letter = only_row(engine, tables.DeadLetterRow)
    assert (letter["reason"], letter["position"]) == (Reason.SEQUENCE_CONFLICT, 1)
    assert [receipt["sequence"] for receipt in receipts(engine)] == [1]


def test_measures_that_were_never_carried_stay_null_beside_zero(ledger: Ledger, engine: Engine) -> None:
    for number, visits in enumerate([None, 0, None, 3]):
        ledger.append(make_batch(make_event(sequence=number + 1, outpatient_visits=visits), first=number))
        expected = [None, 0, 0, 3][number]
        assert only_row(engine, Topic.CDA_DOCUMENTS)["outpatient_visits"] == expected
    assert only_row(engine, Topic.CDA_DOCUMENTS)["discharges"] is None


def test_feed_marks_keep_the_first_and_the_latest_in_any_order(ledger: Ledger, engine: Engine) -> None:
    for number, hours in enumerate([5, 9, 1]):
        event = make_event(sequence=number + 1, event_time=NOON - timedelta(hours=hours), business_date=date(2024, 9, 10 - hours))
        ledger.append(make_batch(event, first=number))
    assert only_row(engine, tables.FeedState) == {
        "unit_id": UNIT,
        "feed": "scheduled",
        "first_event_at": NOON - timedelta(hours=9),
        "last_event_at": NOON - timedelta(hours=1),
        "last_business_date": date(2024, 9, 9),
    }


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_later_snapshot_of_a_day_wins_in_any_order(order: tuple[int, int], ledger: Ledger, engine: Engine) -> None:
    snapshots = [
        make_health_records(sequence=1, event_time=NOON - MINUTE, base_total=900),
        make_health_records(sequence=2, event_time=NOON, base_total=None),
    ]
    for first, number in enumerate(order):
        ledger.append(make_batch(snapshots[number], first=first))
    assert only_row(engine, Topic.HEALTH_RECORDS)["base_total"] is None
    assert only_row(engine, Topic.HEALTH_RECORDS)["event_time"] == NOON


def test_the_later_snapshot_of_a_day_wins_within_one_batch(ledger: Ledger, engine: Engine) -> None:
    later, earlier = make_health_records(sequence=1, base_total=2), make_health_records(sequence=2, event_time=NOON - MINUTE)
    ledger.append(make_batch(later, earlier))
    assert only_row(engine, Topic.HEALTH_RECORDS)["base_total"] == 2


def test_a_declaration_is_kept_with_all_its_tables(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_declaration(table_codes=("C0001", "C0002")), make_declaration(sequence=2, table_codes=())))
    assert [row["table_codes"] for row in rows(engine, Topic.DECLARATIONS)] == ["C0001 C0002", ""]


def test_moments_keep_their_milliseconds_and_zone(ledger: Ledger, engine: Engine) -> None:
    moment = NOON.replace(microsecond=987_000)
    ledger.append(make_batch(make_forms(event_time=moment), received_at=moment))
    assert only_row(engine, tables.FeedState)["last_event_at"] == moment
    assert ledger.greatest_event_at() == moment


def test_a_batch_of_nothing_but_offsets_moves_the_offset(ledger: Ledger) -> None:
    assert ledger.append(make_batch(next_offset=9)) == Appended(True)
    assert offset(ledger) == 9


def test_a_full_batch_of_as_many_streams_fits_one_transaction(ledger: Ledger, engine: Engine) -> None:
    events = [make_event(series=f"run {n}", event_id=f"e{n}", sequence=2) for n in range(5_000)]
    appended = ledger.append(make_batch(*events))
    assert (appended.accepted, appended.dead_letters) == (MAX_SERIES, 5_000 - MAX_SERIES)
    assert len(rows(engine, tables.OpenGap)) == MAX_SERIES
    assert only_row(engine, Topic.CDA_DOCUMENTS)["events"] == MAX_SERIES
    assert only_row(engine, tables.DeadLetterCount)["reason"] == Reason.TOO_MANY_SERIES


def test_the_greatest_numbers_that_an_event_may_hold_are_kept_exactly(ledger: Ledger, engine: Engine) -> None:
    most = 10**12
    events = [make_event(sequence=most - 1 + n, record_count=most, inpatient_revenue_cents=most - n) for n in range(2)]
    ledger.append(make_batch(*events))
    row = only_row(engine, Topic.CDA_DOCUMENTS)
    assert (row["records"], row["inpatient_revenue_cents"]) == (2 * most, 2 * most - 1)
    assert only_row(engine, tables.OpenGap)["last_missing"] == most - 2


# --- all or nothing --------------------------------------------------------------------------------------------------


class PowerCut(Exception):
    pass


def test_a_crash_inside_the_transaction_leaves_nothing(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(event_id="a")))
    before = contents(engine)

    class Failing(RawBatch):
        def dead_letter(self, offset: int, reason: Reason, detail: str) -> DeadLetter:
            raise PowerCut  # asked for when sums, streams and offset have been written already

    events = (make_event(sequence=2), make_event(event_id="b"))
    conflict = make_batch(*events, first=1, raw=Failing)
    with pytest.raises(PowerCut):
        ledger.append(conflict)
    assert contents(engine) == before
    assert ledger.append(make_batch(*events, first=1)) == Appended(True, 1, 0, 1)


def test_what_was_appended_is_there_after_opening_again(ledger: Ledger, engine: Engine, database_url: str) -> None:
    ledger.append(make_batch(make_event(sequence=3), dead_letters=[make_letter(offset=1)]))
    again = open_database(database_url, create=False)
    assert contents(again) == contents(engine)
    again.dispose()


def test_nobody_sees_half_a_batch(ledger: Ledger, engine: Engine) -> None:
    seen: list[int] = []

    class Looking(RawBatch):
        def dead_letter(self, offset: int, reason: Reason, detail: str) -> DeadLetter:
            with ThreadPoolExecutor(1) as other:
                seen.append(other.submit(lambda: len(receipts(engine))).result())
            return super().dead_letter(offset, reason, detail)

    ledger.append(make_batch(make_event(event_id="a")))
    ledger.append(make_batch(make_event(sequence=2), make_event(event_id="b"), first=1, raw=Looking))
    assert seen == [1]
    assert len(receipts(engine)) == 2


def together(*jobs: Any) -> None:
    """Run the jobs at the same time, each in a thread; what one raises is raised here."""
    start = threading.Barrier(len(jobs))

    def run(job: Any) -> None:
        start.wait()
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(run, job) for job in jobs]:
            done.result()


def test_two_workers_on_two_partitions_count_the_same_streams_exactly(ledger: Ledger, engine: Engine) -> None:
    # every third event goes both ways, the others one way each
    events = [make_event(sequence=n, series=f"run {n % 3}", record_count=n) for n in range(1, 91)]
    shares = ([e for e in events if e.sequence % 3 != 1], list(reversed([e for e in events if e.sequence % 3 != 2])))

    def work(partition: int) -> None:
        for first in range(0, len(shares[partition]), 6):
            batch = make_batch(*shares[partition][first : first + 6], first=first, partition=partition)
            assert ledger.append(batch).moved

    together(lambda: work(0), lambda: work(1))
    row = only_row(engine, Topic.CDA_DOCUMENTS)
    assert (row["events"], row["records"]) == (90, sum(range(1, 91)))
    streams = rows(engine, tables.StreamState)
    assert sum(stream["accepted"] for stream in streams) == 90
    assert sum(stream["duplicates"] for stream in streams) == 30


def test_of_two_workers_with_the_same_batch_one_counts_it(ledger: Ledger, engine: Engine) -> None:
    moved: list[bool] = []

    def work() -> None:
        for first in range(0, 40, 4):
            events = [make_event(sequence=n) for n in range(first + 1, first + 5)]
            moved.append(ledger.append(make_batch(*events, first=first)).moved)

    together(work, work)
    row = only_row(engine, Topic.CDA_DOCUMENTS)
    assert row["events"] == 4 * moved.count(True)
    assert offset(ledger) == row["events"]
    assert only_row(engine, tables.StreamState)["duplicates"] == 0


# --- against an independent reading ----------------------------------------------------------------------------------


def append_all(ledger: Ledger, batches: Sequence[Sequence[Event]]) -> int:
    """Append each batch where its topic's partition stands, split by topic. Returns how many duplicates there were."""
    duplicates = 0
    offsets: dict[Topic, int] = defaultdict(int)
    for batch in batches:
        for topic in EVENT_TOPICS:
            events = [event for event in batch if TOPIC_OF[type(event)] is topic]
            if events:
                appended = ledger.append(make_batch(*events, first=offsets[topic]))
                assert appended.moved
                duplicates += appended.duplicates
                offsets[topic] += len(events)
    return duplicates


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_however_events_arrive_the_ledger_holds_their_plain_sums(engine: Engine, data: st.DataObject) -> None:
    events = data.draw(sent_events())
    batches = data.draw(deliveries(events))
    empty(engine)
    duplicates = append_all(prepare(Ledger(engine, UNITS)), batches)
    assert sums_in(engine) == expected_of(sums_of(events))
    assert duplicates == sum(len(batch) for batch in batches) - len(events)
    memory = MemoryLedger()
    for batch in batches:
        memory.append(batch)
    assert sums_in(engine) == expected_of(memory), "SQL merges what the core would merge by hand"
    assert {row["hour"] for row in rows(engine, tables.ActiveHour)} == memory.hours
    marks = {(row["unit_id"], row["feed"]): tuple(row.values())[2:] for row in rows(engine, tables.FeedState)}
    assert marks == memory.marks
    assert Ledger(engine, UNITS).greatest_event_at() == memory.greatest_event_at


# --- partitions ------------------------------------------------------------------------------------------------------


def test_a_registered_partition_stands_at_zero_and_keeps_its_place(ledger: Ledger) -> None:
    assert ledger.next_offsets() == {(topic_id, partition): 0 for topic_id in TOPIC_IDS.values() for partition in (0, 1)}
    ledger.append(make_batch(make_event()))
    ledger.register_partitions(Topic.CDA_DOCUMENTS, CDA, [0, 1, 2])
    assert {key: value for key, value in ledger.next_offsets().items() if key[0] == CDA} == {
        (CDA, 0): 1,
        (CDA, 1): 0,
        (CDA, 2): 0,
    }


def test_a_topic_that_was_made_anew_is_read_from_its_start_and_what_it_held_stays_counted(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(), dead_letters=[make_letter(offset=1)]))
    ledger.register_partitions(Topic.CDA_DOCUMENTS, "made anew", [0])
    offsets = ledger.next_offsets()
    assert {key for key in offsets if key[0] in (CDA, "made anew")} == {("made anew", 0)}
    assert offsets["made anew", 0] == 0
    assert offsets[TOPIC_IDS[Topic.DECLARATIONS], 1] == 0, "other topics keep their partitions"
    assert not ledger.append(make_batch(make_event(sequence=2), first=2)).moved, "a zombie on the old topic"
    again = make_batch(make_event(), make_event(sequence=2), start=Position("made anew", 0, 0))
    assert ledger.append(again) == Appended(True, accepted=1, duplicates=1)
    assert only_row(engine, Topic.CDA_DOCUMENTS)["events"] == 2
    assert len(rows(engine, tables.DeadLetterRow)) == 1


def test_a_dead_letter_may_stand_where_one_of_the_old_topic_stood(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(dead_letters=[make_letter(offset=0)]))
    ledger.register_partitions(Topic.CDA_DOCUMENTS, "made anew", [0])
    ledger.append(make_batch(dead_letters=[make_letter(offset=0)], start=Position("made anew", 0, 0)))
    assert len(rows(engine, tables.DeadLetterRow)) == 2
    assert only_row(engine, tables.DeadLetterCount)["total"] == 2


# --- dead letters ----------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_stored_with_its_bytes_and_counted(ledger: Ledger, engine: Engine) -> None:
    letters = [
        make_letter(offset=1, value=bytes(range(256)), key=b"\xff\x00"),
        make_letter(offset=2, value=None, key=None, reason=Reason.NOT_AVRO),
        make_letter(offset=3, value=b"", key=b""),
    ]
    assert ledger.append(make_batch(make_event(), dead_letters=letters)).dead_letters == 3
    assert [kept.letter for kept in DeadLetters(engine).unpublished()] == letters
    counts = {(row["topic"], row["reason"]): row["total"] for row in rows(engine, tables.DeadLetterCount)}
    assert counts == {(Topic.CDA_DOCUMENTS, Reason.TRUNCATED): 2, (Topic.CDA_DOCUMENTS, Reason.NOT_AVRO): 1}
    ledger.append(make_batch(dead_letters=[make_letter(offset=4)], first=4))
    assert {row["reason"]: row["total"] for row in rows(engine, tables.DeadLetterCount)}[Reason.TRUNCATED] == 3


def test_dead_letters_of_another_topic_are_counted_apart(ledger: Ledger, engine: Engine) -> None:
    for topic in (Topic.CDA_DOCUMENTS, Topic.DECLARATIONS):
        ledger.append(make_batch(dead_letters=[make_letter(topic=topic_name(topic))], topic=topic))
    assert {(row["topic"], row["total"]) for row in rows(engine, tables.DeadLetterCount)} == {
        (Topic.CDA_DOCUMENTS, 1),
        (Topic.DECLARATIONS, 1),
    }


def test_letters_are_unpublished_until_they_are_marked(ledger: Ledger, engine: Engine) -> None:
    letters = DeadLetters(engine)
    first = make_letter(offset=0, received_at=RECEIVED + MINUTE)
    second = make_letter(offset=1, received_at=RECEIVED)
    ledger.append(make_batch(dead_letters=[first, second]))
    assert [kept.letter for kept in letters.unpublished()] == [second, first], "oldest first"
    assert [kept.letter for kept in letters.unpublished(most=1)] == [second]
    letters.set_published(letters.unpublished(most=1))
    assert [kept.letter for kept in letters.unpublished()] == [first]
    letters.set_published(letters.unpublished())
    assert letters.unpublished() == []
    assert len(rows(engine, tables.DeadLetterRow)) == 2, "they stay in the ledger"


# --- the platform clock ----------------------------------------------------------------------------------------------


def test_the_clock_waits_for_every_partition(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event()))
    assert ledger.greatest_event_at() == NOON
    last = Position(CDA, 1, 0)
    ledger.raise_complete_until([position for position in every_position(ledger.next_offsets()) if position != last], NOON)
    assert clock(engine) is None
    ledger.raise_complete_until([last], NOON)
    assert clock(engine) == NOON


def test_the_slowest_partition_rules_the_clock(ledger: Ledger, engine: Engine) -> None:
    positions = every_position(ledger.next_offsets())
    ledger.raise_complete_until(positions, NOON)
    ledger.raise_complete_until(positions[1:], NOON + MINUTE)
    assert clock(engine) == NOON
    ledger.raise_complete_until(positions[:1], NOON + MINUTE / 2)
    assert clock(engine) == NOON + MINUTE / 2
    ledger.raise_complete_until(positions[:1], NOON + 3 * MINUTE)
    assert clock(engine) == NOON + MINUTE


def test_the_clock_never_goes_back(ledger: Ledger, engine: Engine) -> None:
    positions = every_position(ledger.next_offsets())
    ledger.raise_complete_until(positions, NOON)
    ledger.raise_complete_until(positions, NOON - MINUTE)
    assert clock(engine) == NOON
    ledger.register_partitions(Topic.DECLARATIONS, "made anew", [0, 1])
    ledger.raise_complete_until(every_position(ledger.next_offsets()), NOON - MINUTE)
    assert clock(engine) == NOON


def test_how_far_a_partition_is_complete_never_goes_back(ledger: Ledger, engine: Engine) -> None:
    first, *others = every_position(ledger.next_offsets())
    ledger.raise_complete_until([first], NOON + 2 * MINUTE)
    ledger.raise_complete_until([first], NOON + MINUTE)  # by a worker that asked earlier and was held up
    ledger.raise_complete_until(others, NOON + 3 * MINUTE)
    assert clock(engine) == NOON + 2 * MINUTE


def test_an_event_from_before_does_not_take_back_how_far_its_partition_is_complete(ledger: Ledger, engine: Engine) -> None:
    ledger.raise_complete_until([Position(CDA, 0, 0)], NOON + 2 * MINUTE)
    ledger.append(make_batch(make_event(event_time=NOON - MINUTE)))
    ledger.append(make_batch(make_event(sequence=2, event_time=NOON), first=1))
    assert ledger.greatest_event_at() == NOON
    others = [position for position in every_position(ledger.next_offsets()) if position != Position(CDA, 0, 2)]
    ledger.raise_complete_until(others, NOON + 3 * MINUTE)
    assert clock(engine) == NOON + 2 * MINUTE
    ledger.raise_complete_until([Position(CDA, 0, 2)], NOON + 3 * MINUTE)
    assert clock(engine) == NOON + 3 * MINUTE


def test_the_greatest_event_time_is_remembered_of_every_topic_that_is_gone(ledger: Ledger) -> None:
    ledger.append(make_batch(make_event(event_time=NOON + MINUTE, business_date=date(2024, 9, 10))))
    ledger.append(make_batch(make_declaration()))
    ledger.register_partitions(Topic.CDA_DOCUMENTS, "made anew", [0, 1])
    ledger.register_partitions(Topic.DECLARATIONS, "made anew", [0, 1])  # what it held was earlier
    assert ledger.greatest_event_at() == NOON + MINUTE


def test_a_new_partition_holds_the_clock_until_it_is_complete(ledger: Ledger, engine: Engine) -> None:
    ledger.raise_complete_until(every_position(ledger.next_offsets()), NOON)
    ledger.register_partitions(Topic.CDA_DOCUMENTS, CDA, [0, 1, 2])
    old = [position for position in every_position(ledger.next_offsets()) if position.partition < 2]
    ledger.raise_complete_until(old, NOON + MINUTE)
    assert clock(engine) == NOON
    ledger.raise_complete_until([Position(CDA, 2, 0)], NOON + MINUTE)
    assert clock(engine) == NOON + MINUTE


def test_a_partition_that_has_moved_on_is_not_marked(ledger: Ledger, engine: Engine) -> None:
    stale = every_position(ledger.next_offsets())
    ledger.append(make_batch(make_event(event_time=NOON - MINUTE)))
    ledger.raise_complete_until(stale, NOON)
    assert clock(engine) == NOON - MINUTE, "complete only up to what it has counted"


def test_a_partition_is_complete_up_to_what_it_has_counted(ledger: Ledger, engine: Engine) -> None:
    ledger.raise_complete_until(every_position(ledger.next_offsets()), NOON - MINUTE)
    ledger.append(make_batch(make_event()))
    others = [position for position in every_position(ledger.next_offsets()) if position != Position(CDA, 0, 1)]
    ledger.raise_complete_until(others, NOON + MINUTE)
    assert clock(engine) == NOON


def test_the_wall_time_of_the_last_advance_moves_only_with_the_clock(ledger: Ledger, engine: Engine) -> None:
    positions = every_position(ledger.next_offsets())
    ledger.raise_complete_until(positions, NOON)
    advanced_at = only_row(engine, tables.PlatformClock)["advanced_at"]
    assert advanced_at > NOON
    ledger.raise_complete_until(positions, NOON)
    ledger.raise_complete_until([], NOON + MINUTE)
    assert only_row(engine, tables.PlatformClock)["advanced_at"] == advanced_at


def test_a_clock_that_runs_behind_its_business_date_is_counted_as_such(ledger: Ledger, engine: Engine) -> None:
    behind = make_event(sequence=2, event_time=NOON - timedelta(days=700))
    ledger.append(make_batch(make_event(), behind))
    row = only_row(engine, tables.StreamState)
    assert (row["accepted"], row["behind"], row["ahead"]) == (2, 1, 0)
    ledger.append(make_batch(replace(behind, sequence=3, event_id="3"), first=2))
    assert only_row(engine, tables.StreamState)["behind"] == 2


def test_duplicates_and_clocks_that_run_ahead_do_not_move_the_greatest_event_time(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event()))
    ledger.append(make_batch(make_event(event_time=NOON + MINUTE / 2), first=1))
    ledger.append(make_batch(make_event(sequence=2, event_time=RECEIVED + timedelta(days=1)), first=2))
    assert ledger.greatest_event_at() == NOON
    assert only_row(engine, tables.StreamState)["ahead"] == 1
    assert only_row(engine, tables.FeedState)["last_event_at"] == RECEIVED


def test_earlier_events_do_not_move_the_clock_back(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event()))
    ledger.append(make_batch(make_event(sequence=2, event_time=NOON - MINUTE), first=1))
    assert ledger.greatest_event_at() == NOON
    (offset_row,) = [row for row in rows(engine, tables.SourceOffset) if (row["topic_id"], row["partition"]) == (CDA, 0)]
    assert offset_row["complete_until"] == NOON


def test_forms_are_summed_per_form_and_day(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_forms(), make_forms(sequence=2, record_count=0), make_forms(sequence=3, form_code="RT01")))
    assert [(row["form_code"], row["events"], row["records"]) for row in rows(engine, Topic.REALTIME_FORMS)] == [
        ("RT01", 1, 3),
        (FORM, 2, 3),
    ]
