from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.stack import Ended, Home, broker_of, home_in


class Replayed(NamedTuple):
    """A replay that has ended, and the home that holds its ledger."""

    home: Home
    ended: Ended


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home for one test, which must leave no process behind."""
    with home_in(tmp_path) as home:
        yield home
        left = home.clear()
    assert not left, "processes outlived the test"


@pytest.fixture
def broker(home: Home) -> Iterator[str]:
    with broker_of(home) as address:
        yield address


@pytest.fixture(scope="session")
def winter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """`hipwatch replay 2020-01 --verify`."""
    with home_in(tmp_path_factory.mktemp("winter")) as home:
        yield Replayed(home, home.run("replay", "2020-01", "--verify"))


@pytest.fixture(scope="session")
def autumn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """`hipwatch replay 2024-09 --verify --workers 3`."""
    with home_in(tmp_path_factory.mktemp("autumn")) as home:
        yield Replayed(home, home.run("replay", "2024-09", "--verify", "--workers", "3"))
