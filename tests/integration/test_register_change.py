"""A register that changes while worker and page run: nothing is lost, nobody is restarted."""

import signal
from pathlib import Path
from typing import Final

from kafka import KafkaProducer

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from schemas.codec.encode import encode
from schemas.events import UnitId
from schemas.topics import Topic, topic_name
from tests.factories import make_event
from tests.integration.ledgers import counters, query
from tests.integration.stack import Home, fetch, free_port, running, wait_until
from tests.registers import change_unit, copy_shipped

NEW: Final = "new-hospital"
BATCH: Final = 20


def publish(broker: str, unit_id: str, first: int) -> None:
    producer = KafkaProducer(bootstrap_servers=[broker], acks="all")
    for sequence in range(first, first + BATCH):
        value = encode(make_event(unit_id=UnitId(unit_id), sequence=sequence))
        producer.send(topic_name(Topic.CDA_DOCUMENTS), key=unit_id.encode(), value=value)
    producer.flush()
    producer.close()


def test_a_unit_that_is_registered_while_all_runs_loses_nothing(home: Home, broker: str, tmp_path: Path) -> None:
    register = copy_shipped(tmp_path / "city")
    settings = {"HIPWATCH_REGISTER": str(register), "HIPWATCH_DATABASE": home.database}
    ensure_topics(KafkaConnection(broker))
    port = free_port()
    page = f"http://127.0.0.1:{port}"
    with (
        running(home, "worker", "--bootstrap", broker, "--session-timeout", "2", settings=settings) as worker,
        running(home, "serve", "--port", str(port), "--refresh", "0.3", settings=settings) as serve,
    ):
        publish(broker, NEW, 1)
        publish(broker, "gulou", 1)
        wait_until(
            lambda: counters(home.ledger).dead_letters.get("unknown_unit") == BATCH, "the stranger's messages are dead letters"
        )
        listed = home.run("unknown-senders", settings=settings)
        assert listed.out.startswith(f"{NEW}  {BATCH} messages"), listed.told
        wait_until(lambda: f'claimed_unit_id="{NEW}"' in fetch(f"{page}/metrics")[1], "the stranger is a metric")
        assert NEW in fetch(page)[1]

        change_unit(register, NEW, kind="hospital", name_zh="新医院", status="activ")
        worker.signal(signal.SIGHUP)
        serve.signal(signal.SIGHUP)
        wait_until(lambda: "hip_register_valid 0.0" in fetch(f"{page}/metrics")[1], "the broken register is told as a metric")
        assert "did you mean" in fetch(page)[1], "and on the page"
        wait_until(lambda: "did you mean 'active'" in worker.err, "and in the worker's log")
        publish(broker, "gulou", 1 + BATCH)
        wait_until(lambda: counters(home.ledger).accepted == 2 * BATCH, "the last good register still counts")

        change_unit(register, NEW, status="active")
        worker.signal(signal.SIGHUP)
        serve.signal(signal.SIGHUP)
        wait_until(lambda: "hip_register_valid 1.0" in fetch(f"{page}/metrics")[1], "the mended register is taken")
        wait_until(lambda: "+ unit new-hospital" in worker.err, "by the worker too")
        publish(broker, NEW, 1 + BATCH)
        wait_until(lambda: counters(home.ledger).accepted == 3 * BATCH, "what comes now is counted")

        replayed = home.run("dead-letters", "replay", "--reason", "unknown_unit", settings=settings)
        assert replayed.code == 0, replayed.told
        assert f"{BATCH} counted" in replayed.out
        wait_until(
            lambda: f'hip_feed_seen{{feed="scheduled",unit_id="{NEW}"}} 1.0' in fetch(f"{page}/metrics")[1], "it is judged"
        )
        assert f'claimed_unit_id="{NEW}"' not in fetch(f"{page}/metrics")[1], "and is no stranger any more"
    sums = query(home.ledger, f"SELECT sum(records) FROM upload_day WHERE unit_id = '{NEW}'")
    assert [tuple(row) for row in sums] == [(2 * BATCH * 10,)]
    assert counters(home.ledger).open_numbers == 0
