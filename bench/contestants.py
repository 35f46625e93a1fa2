"""Who counts: each as processes of its own, from nothing to the last message, and what that cost. Shell."""

import sqlite3
import subprocess
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text

from bench.running import Running, measured
from bench.stage import Stage, folder_size, size_of
from bench.traffic import Sent, Sums
from monitor.ledger.append import next_offsets
from monitor.ledger.database import Engine, closing_engine, open_database
from monitor.worker.broker_topics import describe_topics
from schemas.topics import Topic, topic_name

PEERS: Final = Path(__file__).parent / "peers"
_SUMS: Final = "SELECT unit_id, table_code, business_date, events, records, coalesce(outpatient_visits, 0) FROM upload_day"


@dataclass(frozen=True)
class Cost:
    """What a run took: CPU of all its processes, wall time, memory of one at its most, bytes kept."""

    cpu_seconds: float
    seconds: float
    peak_mib: float
    kept_bytes: int
    exact: bool


def run_workers(stage: Stage, sent: Sent, database: str, *more: str, workers: int = 1) -> Cost:
    """So many workers, with `more` options, until the ledger has passed every message."""
    group = stage.new_name("bench")
    with ExitStack() as stack:
        every = [stack.enter_context(stage.worker(sent.kafka, database, group, *more)) for _ in range(workers)]
        with counting(sent, database) as counted:
            seconds = every[0].wait_until(lambda: counted() == sent.messages)
        for worker in every:
            worker.stop()
        cpu, peak = sum(worker.cpu_seconds() for worker in every), max(worker.peak_mib() for worker in every)
    return Cost(cpu, seconds, peak, size_of(database), is_exact(sent, database))


@contextmanager
def counting(sent: Sent, database: str) -> Iterator[Callable[[], int]]:
    """A function that says how many of the messages a ledger has passed."""
    ids = {topic_name(info.topic, sent.kafka.topic_prefix): info.topic_id for info in describe_topics(sent.kafka)}
    with closing_engine(open_database(database, create=True)) as engine:
        yield lambda: _passed(engine, {(ids[name], number): end for (name, number), end in sent.ends.items()})


def count_all(worker: Running, sent: Sent, database: str) -> None:
    """Wait until a worker's ledger has passed every message, and stop it."""
    with counting(sent, database) as counted:
        worker.wait_until(lambda: counted() == sent.messages)
    worker.stop()


def _passed(engine: Engine, ends: dict[tuple[str, int], int]) -> int:
    stands = next_offsets(engine)
    return sum(min(end, stands.get(place, 0)) for place, end in ends.items())


def is_exact(sent: Sent, database: str) -> bool:
    """Whether a ledger holds every sum, and no other."""
    with closing_engine(open_database(database, create=True)) as engine, engine.connect() as connection:
        return _sums_of([tuple(row) for row in connection.execute(text(_SUMS))]) == sent.sums


def run_peer(stage: Stage, sent: Sent, script: str, requirements: str) -> Cost:
    """A peer, in an environment of its own, until it has counted every message and ended by itself."""
    python = _environment(stage.folder / f"peers-{requirements}", requirements)
    folder = stage.folder / stage.new_name(script)
    folder.mkdir()
    database = folder / "sums.db"
    topic = topic_name(Topic.CDA_DOCUMENTS, sent.kafka.topic_prefix)
    command = [str(python), str(PEERS / f"{script}.py"), sent.kafka.bootstrap, topic, str(database), str(sent.messages)]
    cpu, seconds, peak = measured(command, stage.folder / f"{script}.log")
    with sqlite3.connect(database) as connection:
        found = connection.execute(_SUMS).fetchall()
    return Cost(cpu, seconds, peak, folder_size(folder), _sums_of(found) == sent.sums)


def _sums_of(rows: Sequence[Sequence[object]]) -> Sums:
    return {(str(unit), str(table), str(day)): (*total,) for unit, table, day, *total in rows}  # type: ignore[misc]


def _environment(place: Path, requirements: str) -> Path:
    """The Python of a peer's environment, made on first use."""
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
        subprocess.run([*install, str(PEERS / f"{requirements}.txt")], check=True)
    return python
