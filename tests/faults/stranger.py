"""Clients that are not ours: librdkafka (confluent-kafka) and Java's, as a unit's own programs would use them."""

import base64
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from confluent_kafka import Producer

from broker.connection import KafkaConnection
from schemas.topics import PARTITIONS, Topic, topic_name
from tests.services.kafka_jars import kafka_jars
from tests.services.missing import missing

CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
_JAVA: Final = Path(__file__).with_name("StrangerProducer.java")
_LONGEST: Final = 100_000_000
"""Bytes that a stranger packs together: as many as its client allows."""


def partition_of(key: bytes) -> int:
    """Any rule that keeps a unit's messages in order will do; a sender without keys has to have one of its own."""
    return zlib.crc32(key) % PARTITIONS


class RdKafka:
    """A librdkafka producer with a codec; `transactional`: every flush ends a transaction."""

    def __init__(self, connection: KafkaConnection, codec: str = "none", *, transactional: bool = False, **options: Any) -> None:
        self._prefix = connection.topic_prefix
        settings = {
            "bootstrap.servers": connection.bootstrap,
            "compression.codec": codec,
            "linger.ms": 200,
            "batch.size": _LONGEST,
            "message.max.bytes": _LONGEST,
            "log_level": 0,
        }
        self._transactional = transactional
        if transactional:
            settings["transactional.id"] = f"{connection.topic_prefix}-{codec}"
        self.producer = Producer(settings | options)
        if transactional:
            self.producer.init_transactions(30)
            self.producer.begin_transaction()

    def send(self, topic: Topic, key: bytes, value: bytes, *, keyed: bool = True) -> None:
        name = topic_name(topic, self._prefix)
        self.producer.produce(name, value, key if keyed else None, partition_of(key), on_delivery=_delivered)
        self.producer.poll(0)

    def flush(self) -> None:
        assert self.producer.flush(60) == 0
        if self._transactional:
            self.producer.commit_transaction(30)
            self.producer.begin_transaction()

    def roll_back(self) -> None:
        assert self.producer.flush(60) == 0
        self.producer.abort_transaction(30)
        self.producer.begin_transaction()


def _delivered(error: object, _message: object) -> None:
    assert error is None, error


class JavaClient:
    """Java's own producer, transactional, run from its source beside the broker's jars."""

    def __init__(self, connection: KafkaConnection, codec: str) -> None:
        java = shutil.which("java") if shutil.which("javac") else None
        if java is None:
            missing("a Java compiler, for a client of Java's,", "default-jdk-headless")
        self._prefix = connection.topic_prefix
        identity = f"{connection.topic_prefix}-java-{codec}"
        command = [java, "-XX:TieredStopAtLevel=1", "-cp", f"{kafka_jars()}/*", str(_JAVA), connection.bootstrap, codec, identity]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def send(self, topic: Topic, key: bytes, value: bytes, *, keyed: bool = True) -> None:
        words = [topic_name(topic, self._prefix), str(partition_of(key)), key.decode() if keyed else "-"]
        self._say([*words, base64.b64encode(value).decode()])

    def flush(self) -> None:
        self._say(["commit"])
        self._heard("committed")

    def roll_back(self) -> None:
        self._say(["abort"])
        self._heard("aborted")

    def _say(self, words: Sequence[str]) -> None:
        assert self._process.stdin
        self._process.stdin.write(" ".join(words) + "\n")

    def _heard(self, word: str) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == word

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait(30)
