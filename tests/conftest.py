"""What every room's tests share: a ledger in a real database, of every backend in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from monitor.ledger import database
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from schemas.register import Register, load_register
from tests.factories import TOPIC_IDS
from tests.services.postgres import PostgresServer

# the time that an example takes depends on the load of the machine, and proves nothing about the code
settings.register_profile("hipwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hipwatch")

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def register() -> Register:
    return load_register()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests; each gets a database of its own."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def engine(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A ledger that bears a client which stands still for seconds, as a busy machine does."""
    monkeypatch.setitem(database._LIMITS, "idle_in_transaction_session_timeout", "120s")
    engine = open_database(database_url, create=True)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """An empty ledger in which partitions 0 and 1 of every topic are known."""
    return prepare(Ledger(engine, load_register().units))


def prepare(ledger: Ledger) -> Ledger:
    for topic, topic_id in TOPIC_IDS.items():
        ledger.register_partitions(topic, topic_id, [0, 1])
    return ledger
