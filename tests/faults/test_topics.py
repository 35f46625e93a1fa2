"""The topics are not what the ledger knows: more partitions, made anew, or fewer messages than were counted."""

from typing import Final

import pytest
from kafka import KafkaAdminClient
from sqlalchemy import text

from broker.topics import ensure_topics
from schemas.topics import PARTITIONS, Topic, topic_name
from tests.contract.until import until
from tests.faults.stage import Stage, begin, once
from tests.faults.stream import publish
from tests.services.process import ServiceProcess

MORE: Final = PARTITIONS + 4
BEYOND: Final = 1_000


def add_partitions(stage: Stage) -> None:
    name = topic_name(Topic.CDA_DOCUMENTS, stage.kafka.topic_prefix)
    admin = KafkaAdminClient(**stage.kafka.client_options())
    admin.create_partitions({name: MORE})
    until(lambda: len(admin.describe_topics([name])[0]["partitions"]) == MORE)
    admin.close()


def make_anew(stage: Stage) -> None:
    admin = KafkaAdminClient(**stage.kafka.client_options())
    admin.delete_topics([topic_name(Topic.CDA_DOCUMENTS, stage.kafka.topic_prefix)])
    admin.close()
    until(lambda: ensure_topics(stage.kafka))


def assert_ended_with(worker: ServiceProcess, *words: str) -> None:
    until(lambda: not worker.running)
    last = worker.last_words().splitlines()[-1]
    assert worker.code == 1
    assert last.startswith("error: ")
    assert all(word in last for word in words), last
    assert not worker.said("Traceback")


def test_partitions_that_are_added_end_the_workers_with_a_sentence_and_are_counted_when_they_are_started_again(
    stage: Stage,
) -> None:
    workers = [stage.counting("a"), stage.counting("b")]
    sent = publish(stage.kafka, range(1, 20))
    until(lambda: stage.passed() == sent)
    add_partitions(stage)
    sent += publish(stage.kafka, range(20, 40))
    for worker in workers:
        assert_ended_with(worker, topic_name(Topic.CDA_DOCUMENTS, stage.kafka.topic_prefix), "is new", "start it again")
    for worker in workers:
        begin(worker)
    until(lambda: stage.passed() >= sent)
    assert stage.counts() == once(sent)
    assert all(worker.running for worker in workers)


def test_a_topic_that_is_made_anew_ends_the_worker_with_a_sentence_and_is_counted_when_it_is_started_again(stage: Stage) -> None:
    worker = stage.counting("a")
    sent = publish(stage.kafka, range(1, 20))
    until(lambda: stage.passed() == sent)
    make_anew(stage)
    more = publish(stage.kafka, range(20, 60))  # past where the ledger stands in every partition: nothing else would tell
    assert_ended_with(worker, topic_name(Topic.CDA_DOCUMENTS, stage.kafka.topic_prefix), "made anew", "start it again")
    begin(worker)
    until(lambda: stage.passed() == more)
    counts = stage.counts()
    assert (counts.accepted, counts.in_sums, counts.gaps, counts.letters) == (sent + more, sent + more, 0, 0)


@pytest.mark.parametrize("topic", [Topic.CDA_DOCUMENTS, Topic.DECLARATIONS], ids=["with messages", "empty"])
def test_a_worker_whose_ledger_is_ahead_of_the_log_ends_with_a_sentence(topic: Topic, stage: Stage) -> None:
    worker = stage.counting("a")
    sent = publish(stage.kafka, range(1, 20))
    until(lambda: stage.passed() == sent)
    worker.stop()
    partition, end = move(stage, topic, BEYOND)

    begin(worker)
    assert_ended_with(
        worker, f"{topic_name(topic, stage.kafka.topic_prefix)}-{partition} ends at offset {end}", f"up to {end + BEYOND}:"
    )
    move(stage, topic, -BEYOND)
    begin(worker)
    sent += publish(stage.kafka, range(20, 40))
    until(lambda: stage.passed() >= sent)
    assert stage.counts() == once(sent)


def move(stage: Stage, topic: Topic, by: int) -> tuple[int, int]:
    """Move the greatest offset of the topic in the ledger; which partition that was, and where it stood."""
    with stage.engine.begin() as connection:
        greatest = (
            "SELECT partition, next_offset FROM source_offset WHERE topic = :topic ORDER BY next_offset DESC, partition LIMIT 1"
        )
        partition, before = connection.execute(text(greatest), {"topic": topic}).one()
        statement = "UPDATE source_offset SET next_offset = next_offset + :by WHERE topic = :topic AND partition = :partition"
        connection.execute(text(statement), {"by": by, "topic": topic, "partition": partition})
    return partition, before
