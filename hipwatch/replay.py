"""Replay a month: units → Kafka → ledger, and hold the result against the print. Shell."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from rich.console import Console

from broker.connection import KafkaConnection
from hipwatch.local.processes import Processes
from hipwatch.local.progress import progress_bar
from hipwatch.local.stack import LocalStack, start_workers, wait_until_counted
from ingest.player import Played, play
from ingest.player import Progress as PlayProgress
from ingest.producer import EventProducer
from ingest.scenario import Scenario
from ingest.simulator.events import events
from ingest.simulator.faults import inject
from ingest.simulator.plan import Plan, make_plan
from monitor.bulletin.build import build_bulletin
from monitor.bulletin.compare import Comparison, compare
from monitor.ledger.database import Engine
from monitor.ledger.month import read_month
from schemas.bulletin.columns import format_cell
from schemas.bulletin.printed_month import PrintedMonth
from schemas.clock import local_text, start_of_day
from schemas.register import Register


@dataclass(frozen=True)
class Replayed:
    """The end of a replay."""

    played: Played
    seconds: float
    restarts: int


def plan_of(scenario: Scenario, register: Register) -> Plan:
    """The scenario's plan. Raises HipwatchError naming the cell that no events can add up to."""
    return make_plan(scenario.month, scenario.period, register, seed=scenario.seed, records_per_event=scenario.records_per_event)


def play_month(
    scenario: Scenario, plan: Plan, kafka: KafkaConnection, console: Console, check: Callable[[], None] = lambda: None
) -> tuple[Played, Mapping[tuple[str, int], int]]:
    """Publish the month. Returns what was played and, per topic and partition, the offset after the last message."""
    messages = inject(events(plan), scenario.faults, scenario.seed)
    clean = scenario.faults == type(scenario.faults)()
    with _stopped_by_signal() as stop, progress_bar(console) as bar, EventProducer(kafka, check) as producer:
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


def replay(
    scenario: Scenario, plan: Plan, stack: LocalStack, processes: Processes, *, workers: int, group: str, console: Console
) -> Replayed:
    """Play the whole month through `workers` workers and wait until it is counted."""
    begun = time.monotonic()
    start_workers(processes, stack, workers, group)
    played, ends = play_month(scenario, plan, stack.kafka, console, processes.check)
    wait_until_counted(stack, ends, console, processes.check)
    restarts = sum(processes.restarts(f"worker-{number}") for number in range(1, workers + 1))
    return Replayed(played, time.monotonic() - begun, restarts)


def verify(scenario: Scenario, engine: Engine, register: Register, printed: PrintedMonth) -> Comparison:
    """Hold the ledger's month against a print."""
    return compare(build_bulletin(read_month(engine, scenario.period), register), printed)


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
