"""Run it: `python -m tests.exact --events 1000000`. Exit 0 only if every counter equals the generator's own count."""

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from hipwatch.local.processes import Processes
from hipwatch.local.stack import LocalStack, wait_until_counted
from hipwatch.replay import verify
from ingest.player import Progress, play
from ingest.producer import EventProducer
from ingest.scenario import Scenario
from ingest.simulator.events import events
from ingest.simulator.faults import FaultyStream, inject
from ingest.simulator.plan import Plan
from schemas.register import load_register
from tests.chaos.truth import Truth, noting, of_ledger, open_gaps
from tests.exact.month import month_of
from tests.exact.stage import WORKERS, apache_kafka_and_postgresql, embedded_broker_and_sqlite
from tests.exact.table import astray, counters, table

_TELL_EVERY: Final = 10.0
"""Seconds between two lines about progress."""


def main() -> int:
    options = _options()
    scenario, plan = month_of(options.events, options.seed)
    grain = scenario.records_per_event
    print(f"seed {options.seed}, {plan.expected_events} events of at most {grain} documents, {WORKERS} workers", flush=True)
    setting = embedded_broker_and_sqlite if options.embedded else apache_kafka_and_postgresql
    with tempfile.TemporaryDirectory(prefix="hipwatch-exact-") as folder, setting(Path(folder)) as (stage, processes):
        sent = Truth()
        stream = inject(noting(events(plan), sent), scenario.faults, scenario.seed)
        messages = _send_and_count(stream, stage, processes)
        sent.take_faults(stream.counts)
        return 0 if _verdict(sent, messages, scenario, plan, stage) else 1


def _send_and_count(stream: FaultyStream, stage: LocalStack, processes: Processes) -> int:
    """Send everything and wait until it is counted. Returns how many messages the broker has acknowledged."""
    begun = told = time.monotonic()

    def tell(_: Progress) -> None:
        nonlocal told
        processes.check()
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            print(
                f"{told - begun:5.0f} s  {stream.counts.messages:9} sent  {of_ledger(stage.engine).accepted:9} counted",
                flush=True,
            )

    with EventProducer(stage.kafka, processes.check) as producer:
        played = play(stream, producer, progress=tell)
    wait_until_counted(stage, producer.next_offsets, Console(stderr=True), processes.check)
    seconds = time.monotonic() - begun
    print(f"sent in {played.seconds:.0f} s, counted in {seconds:.0f} s: {played.sent / seconds:.0f} messages a second")
    return sum(producer.next_offsets.values())


def _verdict(sent: Truth, messages: int, scenario: Scenario, plan: Plan, stage: LocalStack) -> bool:
    counted = of_ledger(stage.engine)
    comparison = verify(scenario, stage.engine, load_register(), scenario.month)
    given = sent.accepted + sent.duplicates + sent.dead_letters.total()
    generator = counters(sent, messages=given, planned=plan.expected_events, open_gaps=0, cells=comparison.cells)
    gaps = open_gaps(stage.engine)
    ledger = counters(counted, messages=messages, planned=counted.accepted, open_gaps=gaps, cells=comparison.matched)
    wrong = astray(sent, counted)
    print("\n".join(table(generator, ledger)))
    print(f"events under another unit, table or date {wrong}")
    exact = generator == ledger and not wrong
    print("every counter is exact" if exact else "COUNTERS DIFFER")
    return exact


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.exact", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="at least so many (default: 1000000)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the month (default: any)")
    parser.add_argument("--embedded", action="store_true", help="embedded broker and SQLite, not Apache Kafka and PostgreSQL")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
