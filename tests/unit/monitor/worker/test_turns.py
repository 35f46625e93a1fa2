"""What one turn of the worker's loop does and leaves, with a clock of the test's."""

import logging
from datetime import timedelta

import pytest

from schemas.codec.encode import encode
from schemas.topics import Topic
from tests.factories import NOON, UNIT, make_event
from tests.memory_source import MemorySource, MemoryTopics
from tests.unit.monitor.worker.stages import ID, TURN, Stage


def stop(stage: Stage) -> None:
    stage.stopping = True


def test_a_worker_that_is_told_to_stop_once_it_has_counted_commits_and_leaves_the_rest(stage: Stage) -> None:
    stage.send(0, 1)
    stage.step()
    stage.topics.send(ID, 0, UNIT.encode(), b"broken")
    stage.ledger.after_counting = lambda: stop(stage)
    stage.step()
    assert stage.source.committed == {(ID, 0): 2}
    assert stage.published == 0, "whoever comes next publishes the dead letter"
    assert stage.ledger.raised == [], "and says what is complete"


def test_a_worker_that_is_told_to_stop_before_the_ledger_says_where_it_stands_places_nothing(stage: Stage) -> None:
    stage.send(0, 1)
    stage.ledger.lost = True
    hold = stage.source.hold

    def hold_and_stop() -> None:
        hold()
        stop(stage)

    stage.source.hold = hold_and_stop  # type: ignore[method-assign]
    stage.step()
    assert [position.partition for position in stage.source.unplaced()] == [0, 1]
    assert stage.source.committed == {}


def test_every_turn_and_every_wait_is_told_with_how_far_it_is_behind(stage: Stage) -> None:
    stage.send(0, *range(1, 8))  # three are read at a time
    stage.step()
    assert behind(stage) == 4
    assert turned_at(stage) == stage.clock.now
    stage.ledger.away = 100
    stage.call.while_waiting = lambda: None
    told: list[float] = []
    hold = stage.source.hold

    def hold_and_look() -> None:
        hold()
        told.append(stage.clock.now - turned_at(stage))
        if len(told) == 200:
            stop(stage)

    stage.source.hold = hold_and_look  # type: ignore[method-assign]
    stage.step()
    assert max(told) <= 2.0, "while it waits for the ledger the loop comes round all the same"
    assert stage.metrics.problems() == [f"the ledger has been away for {stage.clock.now - 1_000 - 2 * TURN:.0f} s"]


def behind(stage: Stage) -> float | None:
    labels = {"topic": "hip.cda-documents.v1", "partition": "0"}
    return stage.metrics.registry.get_sample_value("hip_worker_lag_messages", labels)


def turned_at(stage: Stage) -> float:
    return stage.metrics.registry.get_sample_value("hip_worker_last_turn_timestamp_seconds") or 0.0


def test_where_keys_are_required_a_message_without_one_is_a_dead_letter(stage: Stage) -> None:
    topics = MemoryTopics([info for info in stage.topics.topics.values() if info.topic is Topic.CDA_DOCUMENTS])
    topics.send(ID, 0, None, encode(make_event(sequence=1)))
    topics.send(ID, 0, UNIT.encode(), encode(make_event(sequence=2)))
    stage.make(MemorySource(topics), null_keys=False).step()
    registry = stage.metrics.registry
    assert stage.offsets == [2, 0]
    events = {"topic": "cda-documents", "outcome": "accepted"}
    assert registry.get_sample_value("hip_worker_events_total", events) == 1
    assert stage.published == 1


def test_of_two_partitions_the_one_that_was_lost_while_it_waited_is_counted_and_not_committed(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    stage.send(1, 2)
    stage.ledger.away = 2
    hold = stage.source.hold

    def hold_and_lose() -> None:
        hold()
        stage.source._placed.pop((ID, 1), None)

    stage.source.hold = hold_and_lose  # type: ignore[method-assign]
    stage.step()
    assert stage.offsets == [1, 1], "nobody else has counted it: compare-and-set says so"
    assert stage.source.committed == {(ID, 0): 1}, "where the group stands there is no longer ours to say"


def test_while_a_call_hangs_no_other_is_begun(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    stage.call.hanging = 1_000_000
    stage.call.while_waiting = lambda: setattr(stage, "stopping", stage.clock.now > 1_010)
    stage.step()
    hung = stage.call._hung
    stage.stopping = False
    stage.call.while_waiting = lambda: None
    stage.step()
    assert stage.call._hung is hung
    assert stage.published == 0


def test_a_ledger_that_is_away_is_one_line_in_the_log_and_one_that_hangs_is_another(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "monitor.worker.loop")
    stage.send(0, 1)
    stage.ledger.away = 5
    stage.step()
    assert [record.getMessage() for record in caplog.records] == ["waiting for the ledger: away"]
    caplog.clear()
    stage.send(0, 2)
    stage.call.hanging = 6
    stage.step()
    assert caplog.records == [], "less than five seconds are nothing to speak of"
    stage.send(0, 3)
    stage.call.hanging = 100
    during: list[list[str]] = []
    stage.call.while_waiting = lambda: during.append(stage.metrics.problems())
    stage.step()
    assert [record.getMessage() for record in caplog.records] == ["waiting for the ledger: it has not answered for 5 s"]
    assert during[0] == []
    assert "the ledger has been away" in during[-1][0]
    assert stage.offsets == [3, 0]


def test_a_ledger_that_answers_at_once_holds_nothing_up(stage: Stage) -> None:
    stage.send(0, 1)
    stage.step(3)
    assert (stage.source.held, stage.source.released) == (0, 0)


def test_what_the_ledger_took_is_in_the_metrics(stage: Stage) -> None:
    stage.send(0, 1, 2)
    stage.step()
    value = stage.metrics.registry.get_sample_value
    assert value("hip_worker_batches_total", {"topic": "cda-documents"}) == 1
    assert value("hip_worker_transaction_seconds_count") == 1
    assert value("hip_worker_last_commit_timestamp_seconds") == stage.clock.now


def test_what_is_complete_is_told_again_after_counting_though_nothing_else_has_changed(stage: Stage) -> None:
    stage.send(0, 600)
    stage.step(3)
    told = len(stage.ledger.raised)
    assert stage.ledger.raised[-1][1] == NOON + timedelta(minutes=600)
    stage.send(1, *range(1, 6))  # of before: the greatest event time stays, and partition 1 has more to read
    stage.step()
    assert len(stage.ledger.raised) == told + 1
    stage.step()
    assert len(stage.ledger.raised) == told + 2
    stage.step(5)
    assert len(stage.ledger.raised) <= told + 3, "and then no more"


def test_run_turns_until_it_is_told_to_stop(stage: Stage) -> None:
    stage.send(0, *range(1, 8))
    stage.ledger.after_counting = lambda: setattr(stage, "stopping", stage.offsets == [7, 0])
    stage.worker.run()
    assert stage.offsets == [7, 0]


def test_a_call_that_ends_soon_after_the_stop_has_ended_well(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    stage.call.hanging = 2
    stage.call.while_waiting = lambda: stop(stage)
    stage.step()
    assert stage.source.committed == {(ID, 0): 1}


def test_while_a_call_hangs_the_source_is_polled_and_hands_out_nothing(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    polled: list[int] = []
    stage.call.hanging = 10
    stage.call.while_waiting = lambda: polled.append(stage.source.polled)
    stage.step()
    assert polled == list(range(polled[0], polled[0] + 10)), "one poll between two looks"
    assert stage.source.held == 9


def test_a_stop_does_not_wait_for_the_end_of_the_pause_between_two_attempts(stage: Stage) -> None:
    stage.step()
    stage.send(0, 1)
    stage.ledger.away = 100
    hold = stage.source.hold

    def hold_and_stop() -> None:
        hold()
        stop(stage)

    stage.source.hold = hold_and_stop  # type: ignore[method-assign]
    begun = stage.clock.now
    stage.step()
    assert stage.clock.now - begun <= 3 * TURN, "one poll, and not a second of them"
    assert stage.ledger.away == 98, "one more attempt, and then it leaves"


def test_a_partition_that_comes_later_is_complete_too_though_nothing_was_counted(stage: Stage) -> None:
    stage.source.assign([(ID, 0)])
    stage.send(0, 5)
    stage.step(4)
    positions, until = stage.ledger.raised[-1]
    assert [position.partition for position in positions] == [0]
    stage.source.assign([(ID, 0), (ID, 1)])
    stage.step(2)
    positions, until_then = stage.ledger.raised[-1]
    assert [position.partition for position in positions] == [0, 1]
    assert until_then == until
