"""Apache Kafka over TLS and with a login, reached through the configuration file that users write."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from broker.config_file import read_kafka_config
from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from ingest.producer import EventProducer
from monitor.ledger.database import open_database
from monitor.worker.broker_topics import describe_topics
from monitor.worker.kafka_source import KafkaSource
from schemas.errors import HipwatchError
from schemas.topics import Topic
from tests.contract.conftest import make_topics
from tests.contract.member import Member, Places
from tests.contract.until import until
from tests.integration.stack import ask_all, home_in
from tests.services.certificates import Authority
from tests.services.kafka import KafkaServer, Security

PASSWORD: Final = "a-password"
WRONG: Final = "not-the-one"
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


LOGINS: Final = ["PLAIN", "SCRAM-SHA-512"]


@pytest.fixture(scope="module", params=["certificate", *LOGINS])
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
    with Member(connection, topics, Places(topics)) as member:
        until(lambda: member.batches, doing=member.step)
        assert [message.value for batch in member.batches for message in batch.messages] == [b"value"]


def test_whoever_lacks_something_is_told_what_by_every_client(server: tuple[KafkaServer, str], folder: Path) -> None:
    good = connect(server, folder)
    other = Authority(folder / "other", "another authority")
    stranger = other.client("stranger")
    refused = {
        "seems to speak TLS, and security_protocol is PLAINTEXT": {},
        f"is not signed by the CA in {other.certificate}": {**good.security, "ssl_cafile": str(other.certificate)},
    }
    if "sasl_mechanism" in good.security:
        mechanism = good.security["sasl_mechanism"]
        trusted = {"security_protocol": "SSL", "ssl_cafile": good.security["ssl_cafile"]}
        refused |= {
            f"refuses the login of user hip (SASL {mechanism})": {**good.security, "sasl_plain_password": WRONG},
            f"refuses the login of user hop (SASL {mechanism})": {**good.security, "sasl_plain_username": "hop"},
            f"no login by SASL SCRAM-SHA-256; it offers {mechanism}": {**good.security, "sasl_mechanism": "SCRAM-SHA-256"},
            f"asks for a login (SASL {mechanism}), and security_protocol is SSL": trusted,
            "seems to speak TLS, and security_protocol is SASL": {**good.security, "security_protocol": "SASL_PLAINTEXT"},
        }
    else:
        shown = {"ssl_certfile": str(stranger.certificate), "ssl_keyfile": str(stranger.key)}
        refused |= {
            "asks for a certificate of ours: set ssl_certfile": {
                key: value for key, value in good.security.items() if key not in shown
            },
            f"refuses our certificate {stranger.certificate}": {**good.security, **shown},
        }
    clients: list[Callable[[KafkaConnection], object]] = [
        describe_topics,
        ensure_topics,
        EventProducer,
        lambda connection: KafkaSource(connection, [], group="contract", session_timeout_ms=6_000),
    ]

    def attempt(number: int, security: Mapping[str, Any]) -> str:
        with pytest.raises(HipwatchError) as caught:
            clients[number % len(clients)](KafkaConnection(good.bootstrap, security=security))
        return str(caught.value)

    with ThreadPoolExecutor(len(refused) + len(clients)) as pool:
        attempts = {words: pool.submit(attempt, number, refused[words]) for number, words in enumerate(refused)}
        by_client = [pool.submit(attempt, number, {}) for number in range(len(clients))]
        for words, told in attempts.items():
            assert words in told.result()
            assert good.bootstrap in told.result()
            assert PASSWORD not in told.result()
            assert WRONG not in told.result()
        assert {told.result() for told in by_client} == {attempts[next(iter(refused))].result()}


@pytest.mark.parametrize("server", LOGINS, indirect=True)
def test_the_command_says_in_one_sentence_that_a_login_is_refused(server: tuple[KafkaServer, str], folder: Path) -> None:
    kafka, text = server
    (folder / "kafka.toml").write_text(text, encoding="utf-8")
    (folder / "password").write_text(WRONG, encoding="utf-8")
    options = ("--bootstrap", kafka.bootstrap, "--kafka-config", folder / "kafka.toml")
    with home_in(folder / "home") as home:
        open_database(home.database, create=True).dispose()
        ledger = ("--database", home.database)
        endings = ask_all(
            home,
            [
                ("worker", *options, *ledger),
                ("simulate", "2020-01", *options),
                ("replay", "2020-01", *options),
                ("recount", "2020-01", *options, *ledger),
                ("check-config", *options, *ledger),
            ],
        )
    for ended in endings:
        assert ended.code == 1, ended.told
        assert f"the broker at {kafka.bootstrap} refuses the login of user hip" in ended.out + ended.err, ended.told
        assert "Traceback" not in ended.err, ended.told
        assert WRONG not in ended.out + ended.err, ended.told


def test_a_certificate_for_another_host_is_told_apart(tmp_path: Path) -> None:
    elsewhere = Authority(tmp_path / "elsewhere")
    pair = elsewhere.server(host="DNS:kafka.example")
    security = {"security_protocol": "SSL", "ssl_cafile": str(elsewhere.certificate)}
    with KafkaServer(security=Security(tls=pair)) as kafka, pytest.raises(HipwatchError) as caught:
        describe_topics(KafkaConnection(kafka.bootstrap, security=security))
    assert f"the certificate of the broker at {kafka.bootstrap} is for another host name" in str(caught.value)


def test_a_broker_that_answers_no_handshake_is_given_up(authority: Authority) -> None:
    security = {"security_protocol": "SSL", "ssl_cafile": str(authority.certificate)}
    with KafkaServer(security=Security(tls=authority.server())) as kafka:
        kafka.pause()
        begun = time.monotonic()
        with pytest.raises(HipwatchError, match=f"no Kafka broker answers at {kafka.bootstrap}"):
            describe_topics(KafkaConnection(kafka.bootstrap, security=security))
        assert time.monotonic() - begun < 20, "twelve seconds of patience, and a machine that does other things too"
