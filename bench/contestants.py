"""Who counts: each as a process of its own, from nothing to the last message, and what that cost. Shell."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text

from bench.traffic import Sums
from broker.connection import KafkaConnection
from monitor.ledger.append import next_offsets
from monitor.ledger.database import open_database
from monitor.worker.broker_topics import describe_topics
from schemas.errors import HipwatchError
from schemas.topics import Topic, topic_name

PEERS: Final = Path(__file__).parent / "peers"
_PATIENCE_SECONDS: Final = 1_800.0
_LAST_LINES: Final = 20
"""Of a contestant's log; the log itself goes with the folder."""
_SUMS: Final = "SELECT unit_id, table_code, business_date, events, records, coalesce(outpatient_visits, 0) FROM upload_day"


class ContestantFailed(HipwatchError):
    """A contestant ended with an error, or before it had counted everything."""


@dataclass(frozen=True)
class Cost:
    """What a run took: CPU of the whole process as the operating system has it, wall time, memory at its most, bytes kept."""

    cpu_seconds: float
    seconds: float
    peak_mib: float
    kept_bytes: int
    exact: bool


@dataclass(frozen=True)
class Task:
    """What is to be counted, and what has to come out."""

    kafka: KafkaConnection
    ends: Mapping[tuple[str, int], int]
    sums: Sums

    @property
    def messages(self) -> int:
        return sum(self.ends.values())


def run_worker(task: Task, database: str, group: str, folder: Path, *more: str) -> Cost:
    """`hipwatch worker`, with `more` options, until its ledger has passed every message."""
    options = ["--bootstrap", task.kafka.bootstrap, "--topic-prefix", task.kafka.topic_prefix, "--group", group]
    command = [sys.executable, "-m", "hipwatch", "worker", *options, "--linger", "0", "--log-level", "warning", *more]
    engine = open_database(database, create=True)
    ids = {topic_name(info.topic, task.kafka.topic_prefix): info.topic_id for info in describe_topics(task.kafka)}

    def counted() -> bool:
        stands = next_offsets(engine)
        return bool(stands) and all(stands.get((ids[name], number), 0) >= end for (name, number), end in task.ends.items())

    try:
        cpu, seconds, peak = measured(command, folder / "worker.log", counted, {"HIPWATCH_DATABASE": database})
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(text(_SUMS))]
            if engine.dialect.name == "postgresql":
                size = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
            else:
                size = 0
    finally:
        engine.dispose()
    if not size:
        file = database.removeprefix("sqlite:///")
        with sqlite3.connect(file) as alone:
            alone.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = Path(file).stat().st_size
    return Cost(cpu, seconds, peak, size, _sums_of(found) == task.sums)


def run_peer(script: str, task: Task, database: Path, folder: Path) -> Cost:
    """A peer, in an environment of its own, until it has counted every message and ended by itself."""
    topic = topic_name(Topic.CDA_DOCUMENTS, task.kafka.topic_prefix)
    command = [str(_environment(folder)), str(PEERS / script), task.kafka.bootstrap, topic, str(database), str(task.messages)]
    cpu, seconds, peak = measured(command, folder / f"{script}.log")
    with sqlite3.connect(database) as connection:
        found = connection.execute(_SUMS).fetchall()
    return Cost(cpu, seconds, peak, database.stat().st_size, _sums_of(found) == task.sums)


def _sums_of(rows: Sequence[Sequence[object]]) -> dict[tuple[str, str, str], tuple[object, ...]]:
    return {(str(row[0]), str(row[1]), str(row[2])): tuple(row[3:]) for row in rows}


def measured(
    command: Sequence[str], log: Path, done: Callable[[], bool] | None = None, env: Mapping[str, str] | None = None
) -> tuple[float, float, float]:
    """Run a command until it ends, or until `done`, when it is told to; its CPU seconds, wall seconds and peak MiB.

    Raises ContestantFailed when it ends with an error, or before it is `done`.
    """
    begun = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})
        seconds = 0.0
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                break
            if not seconds and done is not None and done():
                seconds = time.monotonic() - begun
                os.kill(process.pid, signal.SIGTERM)
            if time.monotonic() - begun > _PATIENCE_SECONDS:
                process.kill()
                raise TimeoutError(f"{' '.join(command[:4])} did not end; see {log}")
            time.sleep(0.1)
    if process.returncode or (done is not None and not seconds):
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        raise ContestantFailed("\n".join([f"{' '.join(command[:4])} ended with {process.returncode}:", *last]))
    return usage.ru_utime + usage.ru_stime, seconds or time.monotonic() - begun, usage.ru_maxrss / 1024


def _environment(folder: Path) -> Path:
    """The Python of the peers' environment, made on first use."""
    place = folder / "peers"
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", PEERS / "requirements.txt"], check=True)
    return python
