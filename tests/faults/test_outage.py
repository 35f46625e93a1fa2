"""The database is away under load: bounded memory, membership kept, and an end that comes in time."""

import time
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.contract.until import until
from tests.faults.outage import RATE, suffer
from tests.faults.stage import Stage, begin, once
from tests.faults.stream import Stream
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.stopwatch import stopwatch

STOP_SECONDS: Final = 10.0
"""What systemd, Docker and the platform's operators give."""


def test_a_worker_keeps_its_membership_and_its_size_while_the_database_is_away(stage: Stage, database: PostgresServer) -> None:
    outcome = suffer(stage, database, seconds=40)
    assert outcome.good, outcome


def both_frozen(broker: KafkaServer, database: PostgresServer) -> None:
    broker.pause()
    database.pause()


AWAY: Final[Mapping[str, Callable[[KafkaServer, PostgresServer], None]]] = {
    "the database is frozen": lambda _broker, database: database.pause(),
    "the database is stopped": lambda _broker, database: database.stop(),
    "the broker is frozen": lambda broker, _database: broker.pause(),
    "both are frozen": both_frozen,
}


@pytest.mark.parametrize("away", AWAY)
def test_a_worker_that_is_told_to_end_is_gone_in_time_with_nothing_half_written_while(
    away: str, stage: Stage, broker: KafkaServer, database: PostgresServer
) -> None:
    worker = stage.counting("a")
    stream = Stream(stage.kafka, rate=RATE)
    with stream:
        until(lambda: stage.passed() > RATE)
        AWAY[away](broker, database)
        time.sleep(2)  # until it waits for them
        with stopwatch() as watch:
            worker.stop()
            seconds = watch.seconds
        broker.resume()
        database.resume()
    if not database.running:
        database.start()

    assert seconds < STOP_SECONDS
    assert worker.code == 0, worker.last_words()
    assert not worker.said("Traceback")
    begin(worker)
    until(lambda: stage.passed() >= stream.sent)
    assert stage.counts() == once(stream.sent)
