"""The canary on every database and broker: counted once, in a place of its own, whichever way messages are read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from broker.connection import KafkaConnection
from ingest.canary import send_canaries
from monitor.app.web import build_web
from monitor.app.worker import build_worker
from monitor.counting.batch import Position
from monitor.ledger.append import Ledger
from monitor.ledger.canaries import CanaryArrival
from monitor.ledger.snapshot import read_facts
from monitor.ledger.tables import CanaryRow
from monitor.settings import ServeSettings, WorkerSettings
from monitor.worker.columnar_decoding import ColumnarDecoding
from schemas.codec.canary import CANARY_KEY, canary_message
from schemas.codec.encode import encode
from schemas.topics import EVENT_TOPICS, PARTITIONS, Topic
from tests.contract.contents import contents, rows
from tests.contract.test_column_fold import Sent, decoded
from tests.contract.until import until
from tests.factories import NOON, TOPIC_IDS, UNIT, make_event

TOPIC: Final = Topic.CDA_DOCUMENTS
EVENTS: Final = [(UNIT.encode(), encode(make_event(sequence=number))) for number in range(1, 41)]


def canaries(*numbers: int) -> list[tuple[bytes | None, bytes | None]]:
    return [(CANARY_KEY, canary_message(TOPIC, NOON, "run", number)) for number in numbers]


@pytest.mark.parametrize("decode", [ColumnarDecoding(), None], ids=["columnar", "plain"])
def test_it_counts_in_its_own_place_and_nothing_else_of_the_ledger_knows_of_it(
    decode: ColumnarDecoding | None, engine: Engine, ledger: Ledger
) -> None:
    ledger.append(decoded(Sent(TOPIC, 0, EVENTS[:20], NOON), 0, decode))
    before = contents(engine)
    batch = decoded(Sent(TOPIC, 0, [*canaries(*range(1, 31)), *canaries(30, 33)], NOON), 20, decode)
    assert ledger.append(batch) == (True, 0, 0, 0)
    after = contents(engine)
    (row,) = after.pop("canary")
    assert (row["events"], row["duplicates"], row["missing"], row["sequence"], row["event_at"]) == (31, 1, 2, 33, NOON)
    (moved,) = [place for place in after.pop("source_offset") if place["next_offset"]]
    assert (moved["next_offset"], moved["greatest_event_at"]) == (52, NOON)
    assert after == {name: found for name, found in before.items() if name not in ("canary", "source_offset")}
    assert not ledger.append(batch).moved, "another worker that comes with the same messages counts none of them"
    assert rows(engine, CanaryRow)[0]["events"] == 31


def test_alone_it_moves_no_clock(engine: Engine, ledger: Ledger) -> None:
    ledger.append(decoded(Sent(TOPIC, 0, canaries(1), NOON), 0, None))
    assert ledger.greatest_event_at() is None
    facts = read_facts(engine)
    assert (facts.clock, facts.topics, facts.active_hours, facts.unknown_senders, facts.dead_letters) == (None, {}, [], [], {})
    assert [arrival.counts.sequence for arrival in facts.canaries] == [1]


def test_beside_events_the_clock_is_theirs(engine: Engine, ledger: Ledger) -> None:
    later = canary_message(TOPIC, NOON.replace(hour=23), "run", 1)
    sent = Sent(TOPIC, 0, [*EVENTS, (CANARY_KEY, later)], NOON.replace(hour=23))
    ledger.append(decoded(sent, 0, ColumnarDecoding()))
    assert ledger.greatest_event_at() == NOON


def test_a_topic_that_is_made_anew_forgets_it(engine: Engine, ledger: Ledger) -> None:
    ledger.append(decoded(Sent(TOPIC, 0, canaries(1), NOON), 0, None))
    ledger.register_partitions(Topic.DECLARATIONS, "another", range(2))
    assert len(read_facts(engine).canaries) == 1
    ledger.register_partitions(TOPIC, "another id", range(2))
    assert read_facts(engine).canaries == []
    assert Position(TOPIC_IDS[TOPIC], 0, 0)[:2] not in ledger.next_offsets()


# --- the whole way, on real brokers ---


@contextmanager
def in_thread(action: Any, stopping: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(60)
        assert not thread.is_alive()


def exported(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_from_the_broker_to_the_metrics_in_every_partition_and_in_no_count(connection: KafkaConnection, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    stopping, silent = threading.Event(), threading.Event()
    settings = WorkerSettings(connection, database, group=connection.topic_prefix, session_timeout_ms=6_000)

    def work() -> None:
        with build_worker(settings, stopping=stopping.is_set, rest=stopping.wait) as worker:
            worker.run()

    with in_thread(work, stopping), build_web(ServeSettings(database, canary=True)) as web:
        client = TestClient(web.site, base_url="http://127.0.0.1")

        def heard() -> list[CanaryArrival]:
            web.keeper.refresh()
            assert web.keeper.latest is not None
            return list(web.keeper.latest.facts.canaries)

        assert heard() == []
        with in_thread(lambda: send_canaries(connection, silent.is_set, silent.wait, every=0.2), silent):
            until(lambda: len(heard()) == len(EVENT_TOPICS) * PARTITIONS and min(found.counts.sequence for found in heard()) >= 3)
        until(lambda: len({found.counts.sequence for found in heard()}) == 1, seconds=60)
        found = heard()
        assert all(arrival.counts.events == arrival.counts.sequence for arrival in found), "each once"
        numbers = exported(client.get("/metrics").text)
        assert numbers["hip_canary_events_total", "counted"] == sum(arrival.counts.events for arrival in found)
        assert (numbers["hip_canary_events_total", "duplicate"], numbers["hip_canary_events_total", "missing"]) == (0, 0)
        for topic in EVENT_TOPICS:
            assert (
                0 <= numbers["hip_canary_delay_seconds", topic, "ledger"] <= numbers["hip_canary_delay_seconds", topic, "serve"]
            )
            assert numbers["hip_events_total", topic] == numbers["hip_duplicates_total", topic] == 0
        assert not any(name == "hip_dead_letters_total" and count for (name, *_), count in numbers.items())
        assert "hip_platform_clock_timestamp_seconds" not in {name for name, *_ in numbers}
        assert not any(name == "hip_unknown_sender_messages_total" for name, *_ in numbers)
        assert "hipwatch-canary" not in client.get("/").text
