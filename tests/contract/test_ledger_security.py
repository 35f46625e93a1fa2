"""A PostgreSQL ledger over TLS: the connections are really secured, and what is wrong with them is one clear sentence."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from monitor.ledger.database import make_engine, open_database
from schemas.errors import HipwatchError
from tests.integration.stack import ask, ask_all, broker_of, home_in, running, wait_until
from tests.services.certificates import Authority
from tests.services.postgres import PostgresServer


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(authority: Authority) -> Iterator[PostgresServer]:
    with PostgresServer(tls=authority.server(), authority=authority.certificate) as server:
        yield server


@pytest.fixture(scope="module")
def url(secured: PostgresServer) -> str:
    """A ledger's URL, with sslmode=verify-full and the right CA."""
    return secured.new_database()


def changed(url: str, **query: str) -> str:
    return make_url(url).update_query_dict(query).render_as_string(hide_password=False)


def test_every_connection_of_a_worker_is_encrypted(url: str, tmp_path: Path) -> None:
    engine = make_engine(url)
    others = text(
        "SELECT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with home_in(tmp_path) as home, broker_of(home) as broker:
        ensure_topics(KafkaConnection(broker))
        settings = {"HIPWATCH_DATABASE": url}
        with running(home, "worker", "--bootstrap", broker, settings=settings) as worker:
            wait_until(lambda: "counting from" in worker.err or not worker.runs, "the worker counts")
            with engine.connect() as connection:
                found = connection.execute(others).all()
            assert str(make_url(url).password) not in worker.err
    engine.dispose()
    assert found, worker.err
    assert {row.ssl for row in found} == {True}
    assert {row.version for row in found} <= {"TLSv1.2", "TLSv1.3"}


def test_a_certificate_of_an_unknown_authority_is_told_by_the_command(url: str, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", "another authority")
    wrong = changed(url, sslrootcert=str(other.certificate))
    with home_in(tmp_path / "home") as home:
        ended = ask(home, "check-config", "--database", wrong)
    (line,) = [line for line in ended.out.splitlines() if "database:" in line]
    assert ended.code == 1, ended.told
    assert line.startswith("wrong "), ended.told
    assert "shows a certificate that is not signed by the CA in sslrootcert" in line
    assert str(make_url(url).password) not in ended.out + ended.err


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"sslrootcert": "/nowhere/ca.pem"}, "there is no file of CAs to trust; name one as sslrootcert"),
        ({"sslmode": "disable"}, "it wants TLS"),
    ],
)
def test_what_is_wrong_with_the_settings_is_one_sentence(url: str, query: dict[str, str], words: str) -> None:
    with pytest.raises(HipwatchError, match=words) as caught:
        open_database(changed(url, **query), create=False)
    assert "\n" not in str(caught.value)
    assert str(make_url(url).password) not in str(caught.value)


def test_a_password_where_messages_would_show_it_is_refused_and_not_shown(url: str, tmp_path: Path) -> None:
    told = changed(url, password="a-secret")
    with home_in(tmp_path) as home:
        endings = ask_all(home, [("check-config", "--database", told), ("report", "2024-09", "--database", told)])
    for ended in endings:
        assert ended.code == 1, ended.told
        assert "a password does not belong behind the ? of a database URL" in ended.out + ended.err, ended.told
        assert "a-secret" not in ended.out + ended.err


def test_a_server_without_tls_is_refused(postgres: PostgresServer, authority: Authority) -> None:
    plain = changed(postgres.url(), sslmode="verify-full", sslrootcert=str(authority.certificate))
    with pytest.raises(HipwatchError, match="server does not support SSL, but SSL was required"):
        open_database(plain, create=False)


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    pair = authority.server(host="DNS:db.example,IP:127.0.0.1")
    with PostgresServer(tls=pair, authority=authority.certificate) as server:
        elsewhere = make_url(server.url()).set(host="localhost").render_as_string(hide_password=False)
        with pytest.raises(HipwatchError, match=r'server certificate for "db.example" .*does not match host name "localhost"'):
            open_database(elsewhere, create=False)
