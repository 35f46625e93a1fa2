"""Apache Kafka over TLS and with a login, reached through the configuration file that users write."""

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from hipwatch.kafka_config import read_kafka_config
from ingest.producer import EventProducer
from monitor.source import describe_topics
from schemas.connection import KafkaConnection
from schemas.errors import HipwatchError
from schemas.topics import Topic
from tests.contract.conftest import make_topics
from tests.contract.member import Member, first_places
from tests.contract.until import until
from tests.services.certificates import Authority
from tests.services.kafka import KafkaServer, Security

PASSWORD: Final = "a-password"
BY_CERTIFICATE: Final = """
security_protocol = "SSL"
ssl_cafile = "authority.pem"
ssl_certfile = "hip.pem"
ssl_keyfile = "hip.key"
"""
BY_LOGIN: Final = """
security_protocol = "SASL_SSL"
ssl_cafile = "authority.pem"
sasl_mechanism = "{mechanism}"
sasl_username = "hip"
sasl_password_file = "password"
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module", params=["certificate", "PLAIN", "SCRAM-SHA-512"])
def server(request: pytest.FixtureRequest, authority: Authority) -> Iterator[tuple[KafkaServer, str]]:
    """A broker, and the configuration that gets in."""
    if request.param == "certificate":
        security = Security(tls=authority.server(), client_authority=authority.certificate)
        text = BY_CERTIFICATE
    else:
        security = Security(tls=authority.server(), mechanism=request.param, users={"hip": PASSWORD})
        text = BY_LOGIN.format(mechanism=request.param)
    with KafkaServer(security=security) as kafka:
        yield kafka, text


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """The files that the configurations name."""
    pair = authority.client("hip")
    for name, source in (("authority.pem", authority.certificate), ("hip.pem", pair.certificate), ("hip.key", pair.key)):
        shutil.copyfile(source, tmp_path / name)
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    return tmp_path


def connect(server: tuple[KafkaServer, str], folder: Path) -> KafkaConnection:
    kafka, text = server
    path = folder / "kafka.toml"
    path.write_text(text, encoding="utf-8")
    return KafkaConnection(kafka.bootstrap, security=read_kafka_config(path))


def test_every_client_gets_in(server: tuple[KafkaServer, str], folder: Path) -> None:
    connection = connect(server, folder)
    make_topics(connection)
    topics = describe_topics(connection)
    with EventProducer(connection) as producer:
        producer.send(Topic.DECLARATIONS, b"unit", b"value")
    with Member(connection, topics, first_places(topics)) as member:
        until(lambda: member.batches, doing=member.step)
        assert [message.value for batch in member.batches for message in batch.messages] == [b"value"]


def test_whoever_lacks_something_is_refused(server: tuple[KafkaServer, str], folder: Path) -> None:
    good = connect(server, folder)
    other = Authority(folder / "other", "another authority")
    uncertified = {key: value for key, value in good.security.items() if key not in ("ssl_certfile", "ssl_keyfile")}
    refused = {
        "no certificate": uncertified,
        "a wrong password": {**good.security, "sasl_plain_password": "another"},
        "a certificate of somebody unknown": {**good.security, "ssl_cafile": str(other.certificate)},
        "no TLS": {},
    }
    del refused["a wrong password" if "ssl_certfile" in good.security else "no certificate"]

    def attempt(security: Mapping[str, Any]) -> str:
        with pytest.raises(HipwatchError) as caught:
            describe_topics(KafkaConnection(good.bootstrap, security=security))
        return str(caught.value)

    with ThreadPoolExecutor(len(refused)) as pool:
        for sentence in pool.map(attempt, refused.values()):
            assert good.bootstrap in sentence
            assert PASSWORD not in sentence
