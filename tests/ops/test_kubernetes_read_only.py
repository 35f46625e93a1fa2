"""The pods' root is read-only: worker and serve, started as the base does, where nothing but empty folders takes writes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import pytest
from sqlalchemy import make_url

from tests.contract.until import until
from tests.ops.test_delivery import free_port
from tests.ops.test_kubernetes import DEPLOYMENTS, container, of_kind
from tests.ops.tools import OPS
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceProcess
from tests.services.tansu import TansuServer

READ_ONLY: Final = """
mount -t tmpfs tmpfs "$TMPDIR"
mkdir "$HIPWATCH_HOME"
mount -o remount,bind,ro /
if touch /written 2>/dev/null; then echo the root takes writes; exit 9; fi
cd "$HIPWATCH_HOME"
exec "$@"
"""
"""As the pod sees it: its root takes no writes, a folder for temporary files and its home do (here one stands in the other)."""
CONFINED: Final = ("--mount", "sh", "-ec", READ_ONLY, "sh")


@pytest.fixture
def environment(postgres: PostgresServer, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The base's own settings; only where the broker is, and the file that says where the ledger is, are ours."""
    url = make_url(postgres.new_database())
    database = {"host": url.host, "port": url.port, "dbname": url.database, "user": url.username, "password": url.password}
    lines = "".join(f"{name}={value}\n" for name, value in database.items())
    (tmp_path / "database.conf").write_text(f"[hipwatch]\n{lines}", encoding="utf-8")
    (shared,) = of_kind("ConfigMap").values()
    empty = tmp_path / "empty"
    empty.mkdir()
    with TansuServer() as broker:
        yield {
            **os.environ,
            **shared["data"],
            "HIPWATCH_BOOTSTRAP": broker.bootstrap,
            "PGSERVICEFILE": str(tmp_path / "database.conf"),
            "TMPDIR": str(empty),
            "HIPWATCH_HOME": str(empty / "home"),
            "PYTHONPATH": str(OPS.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def test_worker_and_serve_run_and_are_ready_where_nothing_can_be_written(environment: Mapping[str, str], tmp_path: Path) -> None:
    unshare = shutil.which("unshare") or ""
    if not unshare or subprocess.run([unshare, *CONFINED, "true"], env=environment, capture_output=True, check=False).returncode:
        pytest.skip("no mounts of one's own can be made here")
    running = []
    try:
        for name in sorted(DEPLOYMENTS, reverse=True):  # the worker makes the tables
            (listed,) = container(name)["ports"]
            port = free_port()
            words = [str(port) if word == str(listed["containerPort"]) else word for word in container(name)["args"]]
            command = [unshare, *CONFINED, sys.executable, "-m", "hipwatch", *words]
            process = ServiceProcess(name, command, tmp_path / f"{name}.log", environment)
            running.append(process)
            process.start(partial(is_well, port, "/metrics"))
            until(partial(is_well, port, "/healthz"))
    finally:
        for process in running:
            process.kill()


def is_well(port: int, path: str) -> bool:
    """Whether a probe would be content."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60).status_code == 200
    except httpx.TransportError:
        return False
