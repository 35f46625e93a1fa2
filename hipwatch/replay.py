"""Replay a month: units → Kafka → ledger, and hold the result against the print. Shell."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from hipwatch.broker import start_broker
from hipwatch.processes import Processes, hipwatch_command
from hipwatch.topics import ensure_topics
from ingest.player import Played, play
from ingest.player import Progress as PlayProgress
from ingest.producer import EventProducer
from ingest.scenario import Scenario
from ingest.simulator.events import events
from ingest.simulator.faults import inject
from ingest.simulator.plan import Plan, make_plan
from monitor.bulletin.build import build_bulletin
from monitor.bulletin.compare import Comparison, compare
from monitor.database import open_database
from monitor.ledger import Ledger
from monitor.source import describe_topics
from schemas.clock import local_text, start_of_day
from schemas.connection import KafkaConnection
from schemas.errors import HipwatchError
from schemas.printed import PrintedMonth, format_cell
from schemas.register import Register
from schemas.topics import topic_name

_EMBEDDED_SESSION_MS: Final = 2_000
"""The embedded broker lets a group join after half the session timeout: short, so that a replay begins at once."""
_EMBEDDED_SESSION_MANY_MS: Final = 6_000
_PATIENCE_SECONDS: Final = 60.0
"""How long the ledger may stand still before a replay gives up on it."""


@dataclass(frozen=True)
class Stage:
    """Where a month is played: the broker and the ledger, both reachable, topics made."""

    kafka: KafkaConnection
    database: str
    engine: Engine
    embedded: bool
    kafka_config: Path | None = None


@dataclass(frozen=True)
class Replayed:
    """The end of a replay."""

    played: Played
    seconds: float
    restarts: int


def plan_of(scenario: Scenario, register: Register) -> Plan:
    """The scenario's plan. Raises HipwatchError naming the cell that no events can add up to."""
    return make_plan(scenario.month, scenario.period, register, seed=scenario.seed, records_per_event=scenario.records_per_event)


def set_stage(processes: Processes, kafka: KafkaConnection, database: str, kafka_config: Path | None = None) -> Stage:
    """Open the ledger, reach the broker (start one when `kafka` names none), make the topics.

    `kafka_config` is the file that `kafka` was read from, for the workers.
    """
    engine = open_database(database, create=True)
    connection = kafka if kafka.bootstrap else replace(kafka, bootstrap=start_broker(processes))
    ensure_topics(connection)
    return Stage(connection, database, engine, not kafka.bootstrap, kafka_config)


def start_workers(processes: Processes, stage: Stage, count: int, group: str, *more: str) -> None:
    """Start workers as processes of their own; one that dies is started again. `more`: further options of the command."""
    session = (_EMBEDDED_SESSION_MS if count == 1 else _EMBEDDED_SESSION_MANY_MS) if stage.embedded else None
    for number in range(1, count + 1):
        options = ["--bootstrap", stage.kafka.bootstrap, "--database", stage.database, "--group", group]
        options += ["--topic-prefix", stage.kafka.topic_prefix]
        options += ["--session-timeout", str(session / 1000)] if session else []
        options += ["--kafka-config", str(stage.kafka_config)] if stage.kafka_config else []
        processes.start(f"worker-{number}", hipwatch_command("worker", *options, *more), restart=True)


def play_month(
    scenario: Scenario, plan: Plan, kafka: KafkaConnection, console: Console, check: Callable[[], None] = lambda: None
) -> tuple[Played, Mapping[tuple[str, int], int]]:
    """Publish the month. Returns what was played and, per topic and partition, the offset after the last message."""
    messages = inject(events(plan), scenario.faults, scenario.seed)
    clean = scenario.faults == type(scenario.faults)()
    with _stopped_by_signal() as stop, _bar(console, "publishing") as bar, EventProducer(kafka, check) as producer:
        task = bar.add_task("publishing", total=plan.expected_events if clean else None)

        def show(progress: PlayProgress) -> None:
            check()
            bar.update(task, completed=progress.sent, description=f"publishing {local_text(progress.platform_time)}")

        played = play(
            messages,
            producer,
            day_seconds=scenario.day_seconds,
            progress=show,
            stop=stop.is_set,
            total=plan.expected_events,
            paced_from=start_of_day(scenario.period.first),
        )
    if played.stopped:
        raise KeyboardInterrupt
    return played, producer.next_offsets


def wait_until_counted(stage: Stage, ends: Mapping[tuple[str, int], int], console: Console, check: Callable[[], None]) -> None:
    """Wait until the ledger has passed every acknowledged message; `ends` is by topic name and partition."""
    ids = {topic_name(info.topic, stage.kafka.topic_prefix): info.topic_id for info in describe_topics(stage.kafka)}
    by_id = {(ids[name], partition): end for (name, partition), end in ends.items()}
    wait_until_passed(Ledger(stage.engine), by_id, console, check)


def wait_until_passed(ledger: Ledger, ends: Mapping[tuple[str, int], int], console: Console, check: Callable[[], None]) -> None:
    """Wait until the ledger has passed `ends` (by topic id and partition). Raises HipwatchError when it stands still."""
    total = sum(ends.values())
    last, last_moved = -1, time.monotonic()
    with _bar(console, "counting") as bar:
        task = bar.add_task("counting", total=total)
        while True:
            check()
            now = ledger.next_offsets()
            counted = sum(min(now.get(place, 0), end) for place, end in ends.items())
            bar.update(task, completed=counted)
            if counted >= total:
                return
            if counted > last:
                last, last_moved = counted, time.monotonic()
            elif time.monotonic() - last_moved > _PATIENCE_SECONDS:
                raise HipwatchError(f"the ledger stands still at {counted} of {total} messages; is a worker running?")
            time.sleep(0.05)


def replay(
    scenario: Scenario, plan: Plan, stage: Stage, processes: Processes, *, workers: int, group: str, console: Console
) -> Replayed:
    """Play the whole month through `workers` workers and wait until it is counted."""
    begun = time.monotonic()
    start_workers(processes, stage, workers, group)
    played, ends = play_month(scenario, plan, stage.kafka, console, processes.check)
    wait_until_counted(stage, ends, console, processes.check)
    restarts = sum(processes.restarts(f"worker-{number}") for number in range(1, workers + 1))
    return Replayed(played, time.monotonic() - begun, restarts)


def verify(scenario: Scenario, engine: Engine, register: Register, printed: PrintedMonth) -> Comparison:
    """Hold the ledger's month against a print."""
    return compare(build_bulletin(engine, register, scenario.period), printed)


def verdict(comparison: Comparison, register: Register) -> list[str]:
    """The differences, one line each, and last `cells matched N/M`."""
    lines = []
    for difference in comparison.differences:
        name = register.units[difference.unit_id].name_zh
        counted = "no such cell" if difference.counted is None else repr(format_cell(difference.counted))
        lines.append(
            f"{name} ({difference.unit_id}), {difference.column.name} {difference.column.heading_zh}: "
            f"printed {format_cell(difference.printed)!r}, counted {counted}"
        )
    return [*lines, f"cells matched {comparison.matched}/{comparison.cells}"]


@contextmanager
def _bar(console: Console, name: str) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar


@contextmanager
def _stopped_by_signal() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM end the play in order: what was sent is acknowledged, and the play may be run again."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ledger_in(folder: Path) -> str:
    """The database URL of a run's own ledger."""
    return f"sqlite:///{folder / 'ledger.db'}"
