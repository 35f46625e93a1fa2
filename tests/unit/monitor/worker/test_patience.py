"""The worker's loop with a clock of the test's: retries, holds, lost partitions, a stop in the midst, what is complete."""

from datetime import timedelta

import pytest

from monitor.counting.batch import Position
from monitor.worker.broker_topics import TopicInfo
from schemas.errors import HipwatchError
from schemas.topics import Topic
from tests.factories import NOON, UNIT
from tests.memory_source import MemorySource, MemoryTopics
from tests.unit.monitor.worker.stages import ID, REGISTER, TURN, Stage


def test_a_ledger_that_is_away_is_asked_again_while_the_partitions_are_held_and_nothing_is_lost(stage: Stage) -> None:
    stage.send(0, 1, 2, 3)
    stage.ledger.away = 4
    before = stage.clock.now
    stage.step()
    assert stage.offsets == [3, 0]
    assert stage.source.held > 0
    assert stage.source.released == 1
    assert stage.clock.now - before >= 4.0, "a second between two attempts"
    assert stage.source.committed == {(ID, 0): 3}
    assert stage.metrics.registry.get_sample_value("hip_worker_ledger_retries_total") == 4


def test_while_it_waits_it_polls_and_stays_in_the_group_and_takes_nothing(stage: Stage) -> None:
    stage.send(0, 1)
    stage.step()
    polled = stage.source.polled
    stage.send(0, 2)
    stage.ledger.away = 1
    stage.call.while_waiting = lambda: stage.send(1, 9)
    stage.step()
    assert stage.source.polled - polled > 2
    assert stage.offsets[0] == 2


def test_a_ledger_that_hangs_is_waited_for_and_then_counts_once(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1, 2)
    stage.call.hanging = 40
    stage.step()
    assert stage.offsets == [2, 0]
    assert stage.source.released == 1
    assert stage.metrics.problems() == []


def test_a_ledger_that_hangs_when_it_is_to_stop_is_left_behind(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    stage.call.hanging = 1_000_000
    stage.call.while_waiting = lambda: setattr(stage, "stopping", stage.clock.now > 1_010)
    before = stage.clock.now
    stage.step()
    assert stage.clock.now - before < 20, "it does not wait for the end of the hang"
    assert stage.source.committed == {}


def test_a_partition_that_is_lost_while_it_waits_is_not_written_again(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    stage.ledger.away = 1_000
    held = stage.source.hold

    def hold() -> None:
        held()
        stage.source.assign([])

    stage.source.hold = hold  # type: ignore[method-assign]
    stage.step()
    assert stage.offsets == [0, 0]
    assert stage.source.committed == {}
    assert stage.source.released == 1


def test_what_another_worker_has_counted_is_dropped_and_placed_anew(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1, 2, 3)
    thief_topics = MemoryTopics([TopicInfo(Topic.CDA_DOCUMENTS, ID, [0])])
    thief_topics.logs = stage.topics.logs
    stage.source._placed = {(ID, 0): 0, (ID, 1): 0}
    stage.source._assigned = [(ID, 0), (ID, 1)]
    stage.make(MemorySource(thief_topics)).step()
    stage.step()
    assert stage.source.committed == {}
    assert [position.partition for position in stage.source.unplaced()] == [0]
    stage.send(0, 4)
    stage.step(2)
    assert stage.offsets == [4, 0]


def test_a_stop_before_the_batches_are_decoded_passes_nothing(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    stage.stopping = True
    stage.step()
    assert stage.offsets == [0, 0]


def test_run_publishes_what_was_left_and_ends_when_told(stage: Stage) -> None:
    stage.stopping = True
    stage.worker.run()
    assert stage.published == 1


def test_dead_letters_are_published_after_they_were_kept_and_only_then(stage: Stage) -> None:
    stage.send(0, 1)
    stage.step()
    assert stage.published == 0
    stage.topics.send(ID, 0, UNIT.encode(), b"broken")
    stage.step()
    assert stage.published == 1


def test_the_clock_of_partitions_that_are_read_to_their_end_is_what_was_counted_a_turn_ago(stage: Stage) -> None:
    stage.send(0, 10)
    stage.step()
    assert stage.ledger.raised == [], "nothing had been counted a turn ago"
    stage.send(0, 20)
    stage.step()
    positions, until = stage.ledger.raised[-1]
    assert until == NOON + timedelta(minutes=10), "what was counted this turn may have been sent after the end was found"
    assert positions == [Position(ID, 0, 2), Position(ID, 1, 0)]
    stage.step()
    assert stage.ledger.raised[-1][1] == NOON + timedelta(minutes=20)


def test_a_partition_that_has_more_to_read_is_not_said_to_be_complete(stage: Stage) -> None:
    stage.send(0, *range(1, 10))
    stage.step(2)
    positions, _ = stage.ledger.raised[-1]
    assert positions == [Position(ID, 1, 0)]


def test_it_asks_for_the_ends_four_times_a_second_at_most(stage: Stage) -> None:
    stage.send(0, 1)
    stage.step(2)
    told = len(stage.ledger.raised)
    stage.send(0, 2)
    for _ in range(4):
        stage.clock.now += TURN / 5
        stage.worker.step()
    assert len(stage.ledger.raised) == told


def test_nothing_new_is_told_once(stage: Stage) -> None:
    stage.send(0, 1)
    stage.step(4)
    told = len(stage.ledger.raised)
    stage.step(10)
    assert len(stage.ledger.raised) == told


def test_the_platform_clock_follows_a_partition_that_works_off_a_backlog_and_does_not_jump(stage: Stage) -> None:
    stage.send(1, 600)
    stage.send(0, *range(1, 16))  # three are read at a time
    stage.step()
    clocks = []
    for _ in range(4):
        stage.step()
        clocks.append(stage.complete_until)
    assert clocks == [NOON + timedelta(minutes=minute) for minute in (6, 9, 12, 600)]


def test_too_many_dead_letters_stop_it_with_nothing_passed(stage: Stage) -> None:
    units = list(REGISTER.units)[:10]
    stage.source._most = 1_000
    for number in range(600):
        stage.topics.send(ID, 0, units[number % 10].encode(), b"broken")
    with pytest.raises(HipwatchError, match=r"too many dead letters: stopping before hip\.cda-documents\.v1-0@0"):
        stage.step()
    assert stage.offsets == [0, 0]


def test_one_units_burst_stops_nobody(stage: Stage) -> None:
    stage.source._most = 2_000
    for _ in range(1_200):
        stage.topics.send(ID, 0, UNIT.encode(), b"\0\0\0\0\x07 and more")
    stage.send(1, 5)
    stage.step()
    assert stage.offsets == [1_200, 1]
    letters = stage.metrics.registry.get_sample_value(
        "hip_worker_dead_letters_total", {"topic": "cda-documents", "reason": "not_avro"}
    )
    assert letters == 1_200
