"""The Docker engine: whether one answers, its images, and the label by which we find what a killed run has left behind.

We remove our own containers at the end; the label replaces testcontainers' reaper, which is an image of its own.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from testcontainers.core.config import testcontainers_config

from tests.integration.containers.images import BUILT, OFFICIAL, image, variable

_LABEL: Final = "hipwatch.tests"
LABELS: Final = {_LABEL: str(os.getpid())}
"""On everything that this run makes; the value says whose it is."""
_ROOT: Final = Path(__file__).parents[3]
_SECONDS: Final = 600


class NoEngine(Exception):
    """No engine, or an image that is not here and cannot be had; one sentence says which."""


def prepare_engine() -> None:
    """Find the engine, remove what killed runs have left in it, pull or build what images it lacks. Raises NoEngine."""
    testcontainers_config.ryuk_disabled = True
    testcontainers_config.sleep_time = 0.1
    testcontainers_config.max_tries = 1800
    if shutil.which("docker") is None or _docker("info").returncode != 0:
        raise NoEngine("no Docker engine answers; docker/engine.sh start")
    _sweep("ps --all", "rm --force --volumes")
    _sweep("network ls", "network rm")
    for what in OFFICIAL:
        _pull_if_missing(image(what))
    if image("hipwatch") == BUILT:
        _build()
    else:
        _pull_if_missing(image("hipwatch"))


def _docker(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["docker", *arguments],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _sweep(listing: str, removal: str) -> None:
    """Remove what bears the label of a process that is no more."""
    template = f'{{{{.ID}}}} {{{{.Label "{_LABEL}"}}}}'
    found = _docker(*listing.split(), "--filter", f"label={_LABEL}", "--format", template)
    for line in found.stdout.splitlines():
        what, _, pid = line.partition(" ")
        if not Path(f"/proc/{pid}").exists():
            _docker(*removal.split(), what)


def _pull_if_missing(name: str) -> None:
    if _docker("image", "inspect", name).returncode == 0:
        return
    pulled = _docker("pull", "--quiet", name)
    if pulled.returncode != 0:
        reason = pulled.stdout.strip()
        raise NoEngine(f'{name} cannot be pulled; eval "$(docker/local-images.sh)" builds equivalents ({reason})')


def _build() -> None:
    base = os.environ.get(variable("python"))
    base_argument = ["--build-arg", f"BASE={base}"] if base else []
    built = _docker("build", "--tag", BUILT, "--file", "docker/Dockerfile", *base_argument, ".")
    if built.returncode != 0:
        raise NoEngine(f"docker/Dockerfile cannot be built\n{built.stdout[-2000:]}")
