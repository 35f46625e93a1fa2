"""Dead letters by the thousand: of a bad deployment, which the worker stops, and beside a broker that hangs."""

import re
from contextlib import closing
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from sqlalchemy import text

from broker.connection import KafkaConnection
from schemas.codec.decode import decode_dead_letter
from schemas.events import UnitId
from schemas.topics import Topic, topic_name
from tests.contract.until import until
from tests.faults.stage import Counts, Stage
from tests.faults.stream import publish
from tests.services.kafka import KafkaServer

STRANGERS: Final = [UnitId(f"stranger-{number}") for number in range(30)]


def test_a_worker_to_which_everything_is_unknown_stops_says_why_and_passes_nothing(stage: Stage) -> None:
    good = publish(stage.kafka, range(1, 3))
    worker = stage.counting("a")
    until(lambda: stage.passed() == good)
    bad = publish(stage.kafka, range(1, 101), STRANGERS)
    until(lambda: not worker.running)

    last = worker.last_words().splitlines()[-1]
    assert worker.code == 1
    assert last.startswith("error: too many dead letters")
    assert "unknown_unit" in last
    assert "--dead-letter-limit" in last
    place = re.search(r"stopping before (\S+)-(\d+)@(\d+)", last)
    assert place, last
    name, partition, offset = place.groups()
    assert name == topic_name(Topic.CDA_DOCUMENTS, stage.kafka.topic_prefix)
    assert stands_at(stage, int(partition)) == int(offset)
    stopped = stage.counts()
    assert stopped.letters < bad
    assert stopped.passed == good + stopped.letters, "what is passed is kept"

    mended = stage.counting("mended", "--dead-letter-limit", "0")
    until(lambda: stage.passed() >= good + bad)
    assert stage.counts() == Counts(passed=good + bad, accepted=good, in_sums=good, duplicates=0, gaps=0, letters=bad)
    assert mended.running


def test_a_worker_whose_broker_hangs_amid_thousands_of_letters_stops_in_order_and_the_next_publishes_what_it_left(
    stage: Stage, broker: KafkaServer
) -> None:
    bad = publish(stage.kafka, range(1, 301), STRANGERS)
    worker = stage.counting("a", "--dead-letter-limit", "0")
    until(lambda: stage.counts().letters)
    broker.pause()
    worker.stop()
    assert worker.code == 0, worker.last_words()
    broker.resume()

    stage.counting("b", "--dead-letter-limit", "0")
    until(lambda: len(published(stage)) == bad)
    assert stage.counts() == Counts(passed=bad, accepted=0, in_sums=0, duplicates=0, gaps=0, letters=bad)
    assert read_places(stage.kafka) == published(stage)


def published(stage: Stage) -> set[tuple[str, int, int]]:
    """Where the letters stood of which the ledger says that they are on the dead-letter topic."""
    with stage.engine.connect() as connection:
        statement = "SELECT topic, partition, position FROM dead_letter WHERE published_at IS NOT NULL"
        return {(topic, partition, offset) for topic, partition, offset in connection.execute(text(statement))}


def read_places(kafka: KafkaConnection) -> set[tuple[str, int, int]]:
    """Where the letters on the dead-letter topic stood."""
    name = topic_name(Topic.DEAD_LETTERS, kafka.topic_prefix)
    places = set()
    with closing(KafkaConsumer(**kafka.client_options(), auto_offset_reset="earliest")) as consumer:
        partitions = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                letters = [decode_dead_letter(record.value) for record in records]
                places |= {(letter.topic, letter.partition, letter.offset) for letter in letters}
    return places


def stands_at(stage: Stage, partition: int) -> int:
    with stage.engine.connect() as connection:
        statement = "SELECT next_offset FROM source_offset WHERE topic = :topic AND partition = :partition"
        return int(connection.execute(text(statement), {"topic": Topic.CDA_DOCUMENTS, "partition": partition}).scalar_one())
