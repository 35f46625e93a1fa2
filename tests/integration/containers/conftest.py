"""Without a Docker engine these tests are seen to skip; in CI they fail, for there nobody reads what was skipped."""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tests.integration.containers.container_site import ContainerSite
from tests.integration.containers.engine import NoEngine, prepare_engine
from tests.integration.containers.month import Played, play
from tests.integration.containers.process_site import ProcessSite
from tests.integration.containers.site import Site


def _give_up(sentence: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """The engine, with all images, and rid of what killed runs have left in it."""
    try:
        prepare_engine()
    except NoEngine as error:
        _give_up(str(error))


@pytest.fixture(scope="session")
def compose() -> list[str]:
    """The start of a compose command line: Docker's plugin, or the program from the development requirements."""
    beside_python = Path(sys.executable).with_name("docker-compose")
    found = str(beside_python) if beside_python.exists() else shutil.which("docker-compose")
    if found is None:
        _give_up("docker-compose is not installed; make setup")
    return [found, "--file", str(Path(__file__).parents[3] / "docker" / "compose.yaml")]


@pytest.fixture(scope="session", params=["containers", "processes"])
def september(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """September 2024, played once on each site; one of the workers is killed in the middle of it."""
    folder = tmp_path_factory.mktemp(request.param)
    site: Site
    if request.param == "containers":
        request.getfixturevalue("docker_engine")
        site = ContainerSite(folder)
    else:
        site = ProcessSite(folder)
    with site:
        return play(site)
