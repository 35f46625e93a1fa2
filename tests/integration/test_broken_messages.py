"""Broken messages beside good ones: counted by reason, kept with their bytes, copied to their topic; the month is as it was."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from schemas.codec.decode import decode_dead_letter
from schemas.codec.encode import encode
from schemas.codec.reasons import Reason
from schemas.events import CdaDocuments, Event, RealtimeForms, UnitId
from schemas.topics import Topic, topic_name
from tests.factories import make_declaration, make_event, make_forms, make_health_records
from tests.integration.ledgers import counters, query
from tests.integration.months import NEW, OLD, write_month
from tests.integration.stack import Ended, Home, broker_of, fetch, free_port, home_in, running, wait_until

UNIT: Final = b"gulou"
SAMPLES: Final[dict[Topic, Event]] = {
    Topic.CDA_DOCUMENTS: make_event(record_count=1_000_000),
    Topic.REALTIME_FORMS: make_forms(record_count=1_000_000),
    Topic.DECLARATIONS: make_declaration(),
    Topic.HEALTH_RECORDS: make_health_records(base_total=10**9),
}
TIMES: Final = 2
"""Each broken message is sent once before the month and once after a part of it."""


def broken(topic: Topic) -> dict[Reason, bytes]:
    """One message for each way to be broken that the contract names. A reader that took one for good would spoil the month."""
    event = SAMPLES[topic]
    whole = encode(event)
    if isinstance(event, CdaDocuments | RealtimeForms):
        negative: Event = replace(event, record_count=-4)
    else:
        negative = replace(event, sequence=-4)
    return {
        Reason.NOT_AVRO: bytes(range(256)),
        Reason.TRUNCATED: whole[:-3],
        Reason.TRAILING_BYTES: whole + b"\x00\x01",
        Reason.UNKNOWN_UNIT: encode(replace(event, unit_id=UnitId("no-such-unit"))),
        Reason.OUT_OF_RANGE: encode(negative),
        Reason.OVERSIZED: whole + bytes(2_000_000),
        Reason.UNKNOWN_FINGERPRINT: whole[:2] + bytes(8) + whole[10:],
    }


ALL: Final = {topic: broken(topic) for topic in SAMPLES}


@dataclass(frozen=True)
class Played:
    """Two months that were played with broken messages before and amid them."""

    home: Home
    broker: str
    endings: list[tuple[Ended, int]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("broken")
    endings = []
    with home_in(folder) as home, broker_of(home) as broker:
        ensure_topics(KafkaConnection(broker))
        for name, forms, period in (("old", OLD, "2023-02"), ("new", NEW, "2023-03")):
            publish_broken(broker)
            month = write_month(folder / name, 3, forms, units=5)
            options = (
                "--period",
                period,
                "--verify",
                "--bootstrap",
                broker,
                "--database",
                home.database,
                "--yes-into-this-broker",
            )
            replay = home.run("replay", month.folder, *options, settings={"HIPWATCH_SESSION_TIMEOUT": "2"})
            endings.append((replay, month.cells))
        with running(home, "worker", "--bootstrap", broker, "--database", home.database, "--session-timeout", "2"):
            # a replay waits for its own messages; the last broken ones may stand where it sent none
            wait_until(lambda: letters_on_the_topic(home) >= TIMES * sum(map(len, ALL.values())), "all are counted and published")
        yield Played(home, broker, endings)


def letters_on_the_topic(home: Home) -> int:
    """How many dead letters the ledger says are on the dead-letter topic."""
    [(count,)] = query(home.ledger, "SELECT count(*) FROM dead_letter WHERE published_at IS NOT NULL")
    return int(count)


def publish_broken(broker: str) -> None:
    with closing(KafkaProducer(bootstrap_servers=[broker], max_request_size=4 << 20, acks="all")) as producer:
        sent = [producer.send(topic_name(topic), key=UNIT, value=value) for topic, ways in ALL.items() for value in ways.values()]
        for future in sent:
            future.get(timeout=120)


def test_no_cell_of_the_month_is_changed(played: Played) -> None:
    for ended, cells in played.endings:
        assert ended.code == 0, ended.told
        assert ended.last_line == f"cells matched {cells}/{cells}"


def test_every_broken_message_is_counted_by_topic_and_reason(played: Played) -> None:
    found = {
        (topic, reason): total
        for topic, reason, total in query(played.home.ledger, "SELECT topic, reason, total FROM dead_letter_count")
    }
    assert found == {(topic, reason): TIMES for topic, ways in ALL.items() for reason in ways}
    assert counters(played.home.ledger).open_numbers == 0


def test_the_ledger_keeps_every_broken_message_with_its_bytes(played: Played) -> None:
    rows = query(played.home.ledger, "SELECT topic, reason, key, value FROM dead_letter")
    expected = [(topic_name(topic), reason, UNIT, value) for topic, ways in ALL.items() for reason, value in ways.items()]
    assert Counter(map(tuple, rows)) == Counter(expected * TIMES)


def test_the_dead_letter_topic_has_every_broken_message_with_its_place_and_bytes(played: Played) -> None:
    name = topic_name(Topic.DEAD_LETTERS)
    expected = {
        (topic, partition, offset): (reason, value)
        for topic, partition, offset, reason, value in query(
            played.home.ledger, "SELECT topic, partition, position, reason, value FROM dead_letter"
        )
    }
    found = {}
    with closing(KafkaConsumer(bootstrap_servers=[played.broker], auto_offset_reset="earliest")) as consumer:
        consumer.assign([TopicPartition(name, number) for number in range(12)])

        def read_on() -> bool:
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    letter = decode_dead_letter(record.value)
                    found[letter.topic, letter.partition, letter.offset] = (letter.reason, letter.value)
            return len(found) >= len(expected)

        wait_until(read_on, "the dead-letter topic holds as many letters as the ledger")
    assert found == expected


def test_metrics_count_them_by_topic_and_reason(played: Played) -> None:
    port = free_port()
    with running(played.home, "serve", "--port", str(port), "--database", played.home.database):
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200, "the page answers")
        lines = fetch(f"http://127.0.0.1:{port}/metrics")[1].splitlines()
    for topic, ways in ALL.items():
        for reason in ways:
            assert f'hip_dead_letters_total{{reason="{reason}",topic="{topic}"}} {TIMES}.0' in lines
