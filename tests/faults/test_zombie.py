"""A worker that is frozen for twice its session timeout wakes up with what it had in hand, and must not write it."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sqlalchemy import text

from tests.contract.until import until
from tests.faults.audit import Move, broken_links, install_audit, moves, now
from tests.faults.stage import SESSION_SECONDS, Stage, once
from tests.faults.stream import Stream
from tests.services.process import ServiceProcess

RATE: Final = 1_500
IN_FLIGHT: Final = timedelta(seconds=1)
"""What a worker had sent to the database before it was frozen is still carried out there."""
FREEZES: Final = 3
MOST_FREEZES: Final = 10


def partitions_moved(found: Sequence[Move], who: str, since: datetime) -> set[tuple[str, int]]:
    return {(move.topic_id, move.partition) for move in found if move.who == who and move.at > since}


def freeze(stage: Stage, zombie: ServiceProcess, heir: ServiceProcess) -> tuple[datetime, datetime]:
    """Freeze a worker for twice its session timeout, and longer until the other has counted on in every partition."""
    zombie.pause()
    frozen_at = now(stage.engine)
    partitions = partitions_moved(moves(stage.engine), zombie.name, datetime.min.replace(tzinfo=frozen_at.tzinfo))
    begun = time.monotonic()
    until(lambda: partitions <= partitions_moved(moves(stage.engine), heir.name, frozen_at), doing=lambda: time.sleep(0.3))
    time.sleep(max(0.0, 2 * SESSION_SECONDS - (time.monotonic() - begun)))
    return frozen_at, now(stage.engine)


def assert_nothing_was_written_asleep(stage: Stage, zombie: str, naps: Sequence[tuple[datetime, datetime]]) -> None:
    found = moves(stage.engine)
    assert broken_links(found) == []
    for frozen_at, woken_at in naps:
        assert [move for move in found if move.who == zombie and frozen_at + IN_FLIGHT < move.at < woken_at] == []


def had_a_batch(zombie: ServiceProcess) -> bool:
    """Whether it tried to write one after it woke: refused by compare-and-set, or rolled back while it slept."""
    return zombie.said("is counted by another worker") or zombie.said("waiting for the ledger")


def await_work(stage: Stage, *workers: ServiceProcess) -> None:
    """Wait until each of them has moved something from now on."""
    since = now(stage.engine)
    until(lambda: all(partitions_moved(moves(stage.engine), worker.name, since) for worker in workers))


def test_a_worker_frozen_at_any_instant_writes_nothing_for_the_partitions_that_it_has_lost(stage: Stage) -> None:
    install_audit(stage.engine)
    random = Random(7)
    a, b = stage.counting("a"), stage.counting("b")
    naps: list[tuple[datetime, datetime]] = []
    with Stream(stage.kafka, rate=RATE) as stream:
        while len(naps) < FREEZES or (not had_a_batch(a) and len(naps) < MOST_FREEZES):
            await_work(stage, a, b)
            time.sleep(random.random())
            naps.append(freeze(stage, a, b))
            a.resume()
        await_work(stage, a, b)
    until(lambda: stage.passed() >= stream.sent)

    assert stage.counts() == once(stream.sent)
    assert_nothing_was_written_asleep(stage, "a", naps)
    assert a.running
    assert not a.said("Traceback")
    assert had_a_batch(a), "it was frozen with a batch in hand at least once"


def test_a_worker_frozen_within_its_transaction_keeps_nobody_waiting_and_is_rolled_back(stage: Stage) -> None:
    install_audit(stage.engine)
    a, b = stage.counting("a"), stage.counting("b")
    with Stream(stage.kafka, rate=RATE) as stream:
        await_work(stage, a, b)
        with stage.engine.begin() as connection:
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # ours, not the worker's
            connection.execute(text("SELECT 1 FROM source_offset FOR UPDATE"))
            until(lambda: waits_for_a_lock(stage, "a"))
            a.pause()
        until(lambda: is_idle_in_transaction(stage, "a"), seconds=5)
        nap = freeze(stage, a, b)
        until(lambda: not is_idle_in_transaction(stage, "a"))  # the database rolls it back: its limit may be longer than the nap
        a.resume()
        until(lambda: a.said("waiting for the ledger"))
        await_work(stage, a, b)
    until(lambda: stage.passed() >= stream.sent)

    assert stage.counts() == once(stream.sent)
    assert_nothing_was_written_asleep(stage, "a", [nap])
    assert a.running
    assert not a.said("Traceback")


def waits_for_a_lock(stage: Stage, name: str) -> bool:
    return state_of(stage, name, "wait_event_type = 'Lock' AND query LIKE '%UPDATE source_offset SET next_offset%'")


def is_idle_in_transaction(stage: Stage, name: str) -> bool:
    return state_of(stage, name, "state = 'idle in transaction'")


def state_of(stage: Stage, name: str, condition: str) -> bool:
    """Whether a connection of that worker is in that state."""
    with stage.engine.connect() as connection:
        statement = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND {condition}"
        return bool(connection.execute(text(statement), {"name": name}).scalar_one())
