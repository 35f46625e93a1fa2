"""What is on the broker belongs to everybody: plain clients find the topics, the keys and the documented bytes."""

import io
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import fastavro
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from schemas.events import UnitId
from schemas.register import load_register
from tests.contract.conftest import SERVERS
from tests.integration.ledgers import query
from tests.integration.months import NEW, OLD, write_month
from tests.integration.stack import home_in, wait_until
from tests.services.missing import program

AVSC: Final = Path(__file__).parents[2] / "schemas" / "avro"
EVENT_TOPICS: Final = ("cda-documents", "realtime-forms", "declarations", "health-records")
PARTITIONS: Final = 12


class Published:
    """A broker that holds a month in each form, and how many messages of each topic were counted."""

    def __init__(self, bootstrap: str, messages: dict[str, int]) -> None:
        self.bootstrap = bootstrap
        self.messages = messages

    def read(self, topic: str) -> list[Any]:
        """Every record of a topic, with nothing but kafka-python."""
        name = f"hip.{topic}.v1"
        with closing(KafkaConsumer(bootstrap_servers=[self.bootstrap], auto_offset_reset="earliest")) as consumer:
            consumer.assign([TopicPartition(name, number) for number in range(PARTITIONS)])
            found: list[Any] = []

            def read_on() -> bool:
                found.extend(record for batch in consumer.poll(timeout_ms=500).values() for record in batch)
                return len(found) >= self.messages[topic]

            wait_until(read_on, f"{name} has been read")
            read_on()
            assert len(found) == self.messages[topic], "there is nothing more than was counted"
            return found


@pytest.fixture(scope="module", params=SERVERS)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("clients")
    with home_in(folder) as home, SERVERS[request.param]() as server:
        broker = server.bootstrap
        for name, forms, period in (("old", OLD, "2023-02"), ("new", NEW, "2023-03")):
            month = write_month(folder / name, 11, forms, units=5)
            replay = home.run(
                *("replay", month.folder, "--period", period, "--verify", "--bootstrap", broker, "--database", home.database),
                settings={"HIPWATCH_SESSION_TIMEOUT": "2"},
            )
            assert replay.last_line == f"cells matched {month.cells}/{month.cells}", replay.told
        counts = query(home.ledger, "SELECT topic, sum(accepted) FROM stream_state GROUP BY topic")
        yield Published(broker, {topic: int(accepted) for topic, accepted in counts})


def test_any_client_sees_the_topics_with_twelve_partitions_each(published: Published) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=[published.bootstrap])) as admin:
        topics = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    expected = {f"hip.{topic}.v1": PARTITIONS for topic in (*EVENT_TOPICS, "dead-letters")}
    assert {name: count for name, count in topics.items() if name.startswith("hip.")} == expected


def test_any_avro_library_reads_the_messages_with_the_shipped_schemas(published: Published) -> None:
    register = load_register()
    for topic in EVENT_TOPICS:
        schema = json.loads((AVSC / f"{topic}.1.avsc").read_text(encoding="utf-8"))
        fingerprint = fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO")
        parsed = fastavro.parse_schema(schema)
        sequences: dict[tuple[str, str], list[int]] = {}
        partitions: dict[str, set[int]] = {}
        for record in published.read(topic):
            assert record.value[:2] == b"\xc3\x01"
            assert record.value[2:10].hex() == fingerprint
            datum = io.BytesIO(record.value[10:])
            event: Any = fastavro.schemaless_reader(datum, parsed, None)
            assert datum.read() == b"", "nothing follows the datum"
            unit_id = record.key.decode()
            assert event["unit_id"] == unit_id
            assert UnitId(unit_id) in register.units
            sequences.setdefault((unit_id, event["series"]), []).append(event["sequence"])
            partitions.setdefault(unit_id, set()).add(record.partition)
        for numbers in sequences.values():
            assert numbers == list(range(1, len(numbers) + 1)), "without gaps and in order"
        assert all(len(places) == 1 for places in partitions.values()), "a unit keeps to one partition"


# Debian 12's kcat (librdkafka 2.0.2) misreads the embedded broker's list of versions; newer ones do not
@pytest.mark.parametrize("published", ["kafka"], indirect=True)
def test_kcat_lists_the_topics_and_reads_keys(published: Published) -> None:
    kcat = (program("kcat", "kcat"), "-b", published.bootstrap)
    listed = json.loads(output_of(*kcat, "-L", "-J"))
    names = {topic["topic"]: len(topic["partitions"]) for topic in listed["topics"]}
    assert names["hip.realtime-forms.v1"] == PARTITIONS
    text = output_of(*kcat, "-C", "-t", "hip.declarations.v1", "-o", "beginning", "-e", "-q", "-f", "%k %S\\n")
    expected = sorted((record.key.decode(), str(len(record.value))) for record in published.read("declarations"))
    assert sorted(tuple(line.split()) for line in text.splitlines()) == expected


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
