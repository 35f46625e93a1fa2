"""A stage for every test of the worker's loop."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.ledger.database import open_database
from tests.unit.monitor.worker.stages import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The loop over a source in memory and a ledger on SQLite, with a clock of the test's."""
    engine = open_database(f"sqlite:///{tmp_path / 'ledger.db'}", create=True)
    yield Stage(engine)
    engine.dispose()
