"""The Docker engine: whether one answers, and the labels by which we find again what a killed run has left behind.

We remove our own containers at the end; the labels replace testcontainers' reaper, which is an image of its own.
"""

import os
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import DockerException
from testcontainers.core.config import testcontainers_config

_LABEL: Final = "hipwatch.tests"
LABELS: Final = {_LABEL: str(os.getpid())}
"""On everything that this run makes; the value says whose it is."""


def connect() -> docker.DockerClient | None:
    """A client of the engine that answers, or None. Sets testcontainers up for it."""
    testcontainers_config.ryuk_disabled = True
    testcontainers_config.sleep_time = 0.1
    testcontainers_config.max_tries = 1800
    try:
        client = docker.from_env()
        client.ping()
    except DockerException:
        return None
    return client


def sweep(client: docker.DockerClient) -> None:
    """Remove what runs have left behind whose process is no more."""
    every: list[Any] = [
        *client.containers.list(all=True, filters={"label": _LABEL}, ignore_removed=True),
        *client.networks.list(filters={"label": _LABEL}),
    ]
    for left in every:
        labels = left.labels if hasattr(left, "labels") else left.attrs["Labels"]
        if not Path(f"/proc/{labels[_LABEL]}").exists():
            left.remove(**({"force": True, "v": True} if hasattr(left, "labels") else {}))
