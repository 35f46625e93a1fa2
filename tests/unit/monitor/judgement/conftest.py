"""Ledgers for what reads and writes one, on SQLite and filled row by row; tests/contract has every database, and events."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.ledger.database import open_database
from tests.unit.monitor.judgement.small_ledger import SmallLedger


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger in which nothing was counted."""
    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    open_database(f"sqlite:///{path}", create=True).dispose()
    return path


@pytest.fixture
def small(empty_ledger: Path, tmp_path: Path) -> Iterator[SmallLedger]:
    path = tmp_path / "ledger.db"
    shutil.copy(empty_ledger, path)
    engine = open_database(f"sqlite:///{path}", create=False)
    yield SmallLedger(engine)
    engine.dispose()
