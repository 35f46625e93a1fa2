"""What strangers' clients send: every codec, transactions, no keys, other keys, bursts and bombs; and topics that go away."""

import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient
from sqlalchemy import text

from broker.connection import KafkaConnection
from ingest.player import play
from ingest.scenario import load_scenario
from ingest.simulator.events import events
from ingest.simulator.faults import inject
from ingest.simulator.plan import make_plan
from monitor.bulletin.build import build_bulletin
from monitor.bulletin.compare import compare
from monitor.ledger.month import read_month
from schemas.events import UnitId
from schemas.register import load_register
from schemas.topics import Topic, topic_name
from tests.contract.until import until
from tests.faults.stage import Stage, new_prefix, once
from tests.faults.stranger import CODECS, JavaClient, RdKafka
from tests.faults.stream import UNITS, message, publish
from tests.integration.months import NEW, PERIOD, write_month
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceProcess, lasting_port

TOPIC: Final = Topic.CDA_DOCUMENTS
MEGABYTE: Final = 1 << 20


def reasons(stage: Stage) -> dict[str, int]:
    with stage.engine.connect() as connection:
        rows = connection.execute(text("SELECT reason, total FROM dead_letter_count"))
        return {str(row.reason): int(row.total) for row in rows}


def greatest_memory(worker: ServiceProcess) -> int:
    """Megabytes that the process ever held at once."""
    status = Path(f"/proc/{worker.pid}/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


def page(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


class Many:
    """A publisher that gives each message to the next of many strangers' clients, and has one attempt in three rolled back."""

    def __init__(self, clients: list[RdKafka | JavaClient]) -> None:
        self._clients = clients
        self._waiting: list[tuple[Topic, bytes, bytes]] = []
        self._turn = 0

    def send(self, topic: Topic, key: bytes, value: bytes) -> None:
        self._waiting.append((topic, key, value))

    def flush(self) -> None:
        """Every client in its turn: a unit's messages of one window come from one client, so they stay in order."""
        client = self._clients[self._turn % len(self._clients)]
        self._turn += 1
        if self._turn % 3 == 0:
            self._hand_over(client)
            client.roll_back()
        self._hand_over(client)
        client.flush()
        self._waiting.clear()

    def _hand_over(self, client: RdKafka | JavaClient) -> None:
        for number, (topic, key, value) in enumerate(self._waiting):
            client.send(topic, key, value, keyed=number % 2 == 0)


def test_a_month_by_strangers_in_every_codec_with_rolled_back_transactions_and_without_keys_matches_all_cells(
    stage: Stage, tmp_path: Path
) -> None:
    register = load_register()
    month = write_month(tmp_path / "month", 17, NEW, units=4)
    scenario = load_scenario(month.folder, register, PERIOD)
    plan = make_plan(scenario.month, PERIOD, register, seed=scenario.seed, records_per_event=scenario.records_per_event)
    stage.counting("a")
    with ExitStack() as stack:
        java = [stack.enter_context(JavaClient(stage.kafka, codec)) for codec in ("zstd", "snappy")]
        ours = [RdKafka(stage.kafka, codec, transactional=True) for codec in CODECS]
        played = play(inject(events(plan), scenario.faults, scenario.seed), Many([*java, *ours]))
        until(lambda: stage.counts().accepted == played.sent, seconds=120)
    counts = stage.counts()
    assert (counts.duplicates, counts.gaps, counts.letters) == (0, 0, 0)
    comparison = compare(build_bulletin(read_month(stage.engine, PERIOD), register), scenario.month)
    assert comparison.differences == []
    assert comparison.matched == month.cells


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_rolled_back_is_not_counted_and_does_not_push_out_what_is_committed(codec: str, stage: Stage) -> None:
    client = RdKafka(stage.kafka, codec, transactional=True)
    for numbers, end in ((range(1, 6), client.roll_back), (range(1, 4), client.flush), (range(4, 9), client.roll_back)):
        for number in numbers:
            for unit in UNITS[:20]:
                client.send(TOPIC, unit.encode(), message(unit, number))
        end()
    stage.counting("a")
    until(lambda: stage.counts().accepted >= 60)
    last = publish(stage.kafka, range(4, 5), UNITS[:20])
    until(lambda: stage.counts().accepted >= 60 + last)
    counts = stage.counts()
    assert (counts.accepted, counts.duplicates, counts.gaps, counts.letters) == (80, 0, 0, 0)


def test_an_open_transaction_that_holds_the_clock_is_told_and_its_end_lets_the_clock_go(stage: Stage) -> None:
    port = lasting_port()
    stage.counting("a", "--metrics-port", str(port))
    client = RdKafka(stage.kafka, transactional=True)
    client.send(TOPIC, b"gulou", message(UnitId("gulou"), 1))
    client.producer.flush(30)
    sent = publish(stage.kafka, range(1, 2), UNITS[20:])
    until(lambda: stage.counts().accepted >= 1)

    def waits() -> list[float]:
        lines = page(port, "/metrics").splitlines()
        return [float(line.split()[-1]) for line in lines if line.startswith("hip_worker_open_transaction_seconds{")]

    until(lambda: max(waits(), default=0.0) > 2)
    until(lambda: "waits for a transaction that its sender has not ended" in page(port, "/healthz"), seconds=60)
    client.flush()
    until(lambda: stage.counts().accepted == sent + 1)
    until(lambda: page(port, "/healthz") == "ok\n")
    assert max(waits(), default=0.0) == 0.0


def test_another_units_key_is_a_dead_letter_and_the_true_event_counts(stage: Stage) -> None:
    client = RdKafka(stage.kafka)
    true, false = UNITS[:2]
    client.send(TOPIC, false.encode(), message(true, 1))
    client.flush()
    worker = stage.counting("a")
    until(lambda: reasons(stage) == {"key_mismatch": 1})
    client.send(TOPIC, true.encode(), message(true, 1))
    client.flush()
    until(lambda: stage.counts().accepted == 1)
    assert reasons(stage) == {"key_mismatch": 1}
    assert worker.running


def test_one_units_burst_in_another_framing_stops_nobody(stage: Stage) -> None:
    client = RdKafka(stage.kafka)
    for number in range(1, 1_201):
        client.send(TOPIC, UNITS[0].encode(), b"\0\0\0\0\x07" + message(UNITS[0], number)[10:])
    client.flush()
    worker = stage.counting("a")
    sent = publish(stage.kafka, range(1, 4), UNITS[1:])
    until(lambda: stage.counts().letters == 1_200 and stage.counts().accepted == sent)
    assert worker.running
    assert worker.said("looks like the schema registry's framing (schema 7)")


@pytest.mark.parametrize(("codec", "together"), [*((codec, 13) for codec in CODECS[1:]), ("snappy", 2), ("zstd", 1)])
def test_a_bomb_costs_no_memory_and_the_partition_goes_on(codec: str, together: int, stage: Stage) -> None:
    client = RdKafka(stage.kafka, codec)
    worker = stage.counting("a")
    before = greatest_memory(worker)
    for number in range(1, 14):
        client.send(TOPIC, UNITS[0].encode(), bytes(7 * MEGABYTE))
        if number % together == 0:
            client.flush()
    client.flush()
    sent = publish(stage.kafka, range(1, 4))
    until(lambda: stage.counts().accepted == sent and stage.counts().letters)
    assert set(reasons(stage)) <= {"unreadable_batch", "oversized"}
    client.send(TOPIC, UNITS[0].encode(), message(UNITS[0], 4))
    client.flush()
    until(lambda: stage.counts().accepted == sent + 1)
    assert worker.running
    print(f"{codec}: {before} MiB before, {greatest_memory(worker)} MiB at most, {reasons(stage)}")
    assert greatest_memory(worker) < 300


@pytest.fixture
def willing_stage(database: PostgresServer, tmp_path: Path) -> Iterator[Stage]:
    """Its broker makes any topic that somebody asks for, as Kafka does unless it is told otherwise."""
    with KafkaServer(properties={"auto.create.topics.enable": "true", "num.partitions": "1"}) as server:
        stage = Stage(KafkaConnection(server.bootstrap, new_prefix()), database.new_database(), tmp_path)
        yield stage
        stage.close()


def test_a_topic_that_is_deleted_is_told_of_and_nobody_makes_it_in_passing(willing_stage: Stage) -> None:
    stage = willing_stage
    port = lasting_port()
    worker = stage.counting("a", "--metrics-port", str(port))
    sent = publish(stage.kafka, range(1, 3))
    until(lambda: stage.counts().accepted == sent)
    gone = topic_name(Topic.DECLARATIONS, stage.kafka.topic_prefix)
    admin = KafkaAdminClient(**stage.kafka.client_options())
    admin.delete_topics([gone])
    until(lambda: f"the topic {gone} is gone" in page(port, "/healthz"))
    sent += publish(stage.kafka, range(3, 5))
    until(lambda: stage.counts().accepted == sent)
    time.sleep(11)  # longer than the client takes to look at the topics again
    assert gone not in admin.list_topics()
    assert worker.running
    worker.stop()
    stage.counting("b")
    described = admin.describe_topics([gone])[0]
    admin.close()
    assert len(described["partitions"]) == 12, "whoever starts next makes it as it has to be"


def test_a_topic_that_somebody_else_made_is_named_with_what_is_wrong(willing_stage: Stage) -> None:
    stage = willing_stage
    admin = KafkaAdminClient(**stage.kafka.client_options())
    name = topic_name(Topic.DECLARATIONS, stage.kafka.topic_prefix)
    admin.delete_topics([name])
    until(lambda: name not in admin.list_topics())
    admin.close()
    client = Producer({"bootstrap.servers": stage.kafka.bootstrap, "log_level": 0, "allow.auto.create.topics": True})
    client.produce(name, b"a stranger's message, by which the broker makes the topic with its own defaults")
    client.flush(30)
    port = lasting_port()
    worker = stage.counting("a", "--metrics-port", str(port))
    assert worker.said(f"{name} has 1 of 12 partitions")
    assert worker.said(f"{name} is dated by its senders' clocks")
    lines = page(port, "/metrics").splitlines()
    assert f'hip_worker_topic_fault{{fault="few_partitions",topic="{name}"}} 1.0' in lines


def test_a_worker_survives_restarts_of_the_broker(stage: Stage, broker: KafkaServer) -> None:
    worker = stage.counting("a")
    sent = 0
    for number in range(1, 4):
        if number % 2:
            broker.restart()
        else:
            broker.kill()
            broker.start()
        sent += publish(stage.kafka, range(number, number + 1))
    until(lambda: stage.counts().accepted == sent, seconds=120)
    assert worker.running
    assert stage.counts() == once(sent)
