"""Where a month is played: broker, ledger, workers, and waiting until they have counted. Shell."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from hipwatch.local.embedded_broker import start_broker
from hipwatch.local.processes import Processes, hipwatch_command
from hipwatch.local.progress import progress_bar
from monitor.ledger.append import next_offsets
from monitor.ledger.database import Engine, open_database
from monitor.worker.broker_topics import describe_topics
from schemas.errors import HipwatchError
from schemas.topics import topic_name

_EMBEDDED_SESSION_MS: Final = 2_000
"""The embedded broker lets a group join after half the session timeout: short, so that a replay begins at once."""
_EMBEDDED_SESSION_MANY_MS: Final = 6_000
_PATIENCE_SECONDS: Final = 60.0
"""How long the ledger may stand still before a replay gives up on it."""


@dataclass(frozen=True)
class LocalStack:
    """Where a month is played: the broker and the ledger, both reachable, topics made."""

    kafka: KafkaConnection
    database: str
    engine: Engine
    embedded: bool
    kafka_config: Path | None = None
    register_folder: Path | None = None


def open_stack(
    processes: Processes,
    kafka: KafkaConnection,
    database: str,
    kafka_config: Path | None = None,
    register_folder: Path | None = None,
) -> LocalStack:
    """Open the ledger, reach the broker (start one when `kafka` names none), make the topics.

    `kafka_config` is the file that `kafka` was read from, and `register_folder` the units' own one, for the workers.
    """
    engine = open_database(database, create=True)
    connection = kafka if kafka.bootstrap else replace(kafka, bootstrap=start_broker(processes))
    ensure_topics(connection)
    return LocalStack(connection, database, engine, not kafka.bootstrap, kafka_config, register_folder)


def start_workers(
    processes: Processes, stack: LocalStack, count: int, group: str, *more: str, accept_simulated: bool = True
) -> None:
    """Start workers as processes of their own; one that dies is started again. `more`: further options of the command."""
    session = (_EMBEDDED_SESSION_MS if count == 1 else _EMBEDDED_SESSION_MANY_MS) if stack.embedded else None
    for number in range(1, count + 1):
        options = ["--bootstrap", stack.kafka.bootstrap, "--group", group]
        options += ["--topic-prefix", stack.kafka.topic_prefix, "--linger", "0"]  # platform hours may pass in half a second
        options += ["--session-timeout", str(session / 1000)] if session else []
        options += ["--kafka-config", str(stack.kafka_config)] if stack.kafka_config else []
        options += ["--register", str(stack.register_folder)] if stack.register_folder else []
        options += ["--accept-simulated" if accept_simulated else "--refuse-simulated"]
        command = hipwatch_command("worker", *options, *more)
        processes.start(f"worker-{number}", command, restart=True, env=database_setting(stack.database))


def database_setting(database: str) -> dict[str, str]:
    """How a process is told its ledger: its URL may hold a password, and everybody can read the arguments of a process."""
    return {"HIPWATCH_DATABASE": database}


def wait_until_counted(
    stack: LocalStack, ends: Mapping[tuple[str, int], int], console: Console, check: Callable[[], None]
) -> None:
    """Wait until the ledger has passed every acknowledged message; `ends` is by topic name and partition."""
    ids = {topic_name(info.topic, stack.kafka.topic_prefix): info.topic_id for info in describe_topics(stack.kafka)}
    by_id = {(ids[name], partition): end for (name, partition), end in ends.items()}
    wait_until_passed(stack.engine, by_id, console, check)


def wait_until_passed(engine: Engine, ends: Mapping[tuple[str, int], int], console: Console, check: Callable[[], None]) -> None:
    """Wait until the ledger has passed `ends` (by topic id and partition). Raises HipwatchError when it stands still."""
    total = sum(ends.values())
    last, last_moved = -1, time.monotonic()
    with progress_bar(console) as bar:
        task = bar.add_task("counting", total=total)
        while True:
            check()
            now = next_offsets(engine)
            counted = sum(min(now.get(place, 0), end) for place, end in ends.items())
            bar.update(task, completed=counted)
            if counted >= total:
                return
            if counted > last:
                last, last_moved = counted, time.monotonic()
            elif time.monotonic() - last_moved > _PATIENCE_SECONDS:
                raise HipwatchError(f"the ledger stands still at {counted} of {total} messages; is a worker running?")
            time.sleep(0.05)


def ledger_in(folder: Path) -> str:
    """The database URL of a run's own ledger."""
    return f"sqlite:///{folder / 'ledger.db'}"
