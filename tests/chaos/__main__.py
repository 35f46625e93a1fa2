"""Run it: `python -m tests.chaos --seed 1 --faults 100`. Exit 0 only if every fault was survived and every count is exact."""

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import make_url

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from ingest.scenario import Scenario, find_scenario, load_scenario
from ingest.simulator.events import events
from ingest.simulator.plan import make_plan
from monitor.bulletin.build import build_bulletin
from monitor.bulletin.compare import compare
from monitor.ledger.database import open_database
from monitor.ledger.month import read_month
from schemas.register import load_register
from tests.chaos.chaos_run import ChaosRun, NotSurvived
from tests.chaos.schedule import Fault, Kind, schedule
from tests.chaos.truth import Truth, of_generator, of_ledger, of_log, open_gaps
from tests.services.kafka import KafkaServer
from tests.services.link import Link
from tests.services.postgres import PostgresServer

WORKERS = 3
_SECONDS_PER_FAULT = 5.0
_IN_STREAM = """
[faults]
duplicates = 0.01
reordered = 0.01
gaps = 0.001
late = 0.001
poison = 0.001
wrong_clocks = 0.1
"""


def main() -> int:
    options = _options()
    kinds = [kind for kind in Kind if not options.only or kind.startswith(options.only)]
    faults = schedule(options.seed, options.faults, WORKERS, kinds)
    print(f"seed {options.seed}, {len(faults)} faults, {WORKERS} workers", flush=True)
    with tempfile.TemporaryDirectory(prefix="hipwatch-chaos-") as home:
        return 0 if _run(Path(home), faults, options.worker_module) else 1


def _run(home: Path, faults: list[Fault], worker_module: str) -> bool:
    scenario = _scenario(home)
    with (
        Link() as broker_link,
        Link() as database_link,
        KafkaServer(reached_at=broker_link.port) as broker,
        PostgresServer() as database,
    ):
        broker_link.target, database_link.target = broker.port, database.port
        url = database.new_database()
        engine = open_database(url, create=True)
        url_by_link = make_url(url).set(port=database_link.port).render_as_string(hide_password=False)
        ensure_topics(KafkaConnection(broker.bootstrap))
        pace = max(0.5, len(faults) * _SECONDS_PER_FAULT / 30)
        theatre = ChaosRun(
            broker, broker_link, database, database_link, url_by_link, engine, scenario.folder, home, worker_module, pace
        )
        try:
            theatre.raise_curtain(WORKERS)
            survived = _play(theatre, faults)
            theatre.finish()
        except NotSurvived as error:
            print(error)
            _print_logs(home)
            survived = 0
        finally:
            for process in (*theatre.workers, *([theatre.simulator] if theatre.simulator else [])):
                process.kill()
        return _verdict(scenario, theatre, survived, len(faults))


def _play(theatre: ChaosRun, faults: list[Fault]) -> int:
    survived = 0
    for fault in faults:
        time.sleep(fault.calm)  # the calm before it is part of the schedule
        theatre.tend()
        begun = time.monotonic()
        try:
            theatre.befall(fault)
            survived += 1
            outcome = f"went on after {time.monotonic() - begun:.1f} s"
        except NotSurvived as error:
            outcome = str(error)
        print(f"{fault.number:4d}  {fault.kind}  (worker {fault.worker + 1}, after {fault.calm} s): {outcome}", flush=True)
    return survived


def _verdict(scenario: Scenario, theatre: ChaosRun, survived: int, faults: int) -> bool:
    register = load_register()
    plan = make_plan(scenario.month, scenario.period, register, seed=scenario.seed, records_per_event=scenario.records_per_event)
    sent = of_generator(events(plan))
    log, _ = of_log(KafkaConnection(theatre.broker.bootstrap))
    ledger = of_ledger(theatre.engine)
    comparison = compare(build_bulletin(read_month(theatre.engine, scenario.period), register), scenario.month)
    twice, lost = _twice(ledger, log, sent), _lost(ledger, sent)
    gaps = open_gaps(theatre.engine)
    print(f"accepted {ledger.accepted} of {sent.accepted}; duplicates {ledger.duplicates}, on the log {log.duplicates}")
    print(f"dead letters {dict(sorted(ledger.dead_letters.items()))}, on the log {dict(sorted(log.dead_letters.items()))}")
    print(f"open gaps {gaps}; workers that ended by themselves: {', '.join(theatre.ended) or 'none'}")
    print(
        f"faults survived {survived}/{faults}, cells matched {comparison.matched}/{comparison.cells}, "
        f"events counted twice {twice}, events lost {lost}"
    )
    exact = ledger.dead_letters == log.dead_letters and ledger.accepted == sent.accepted and gaps == 0
    return survived == faults and not comparison.differences and not twice and not lost and exact and not theatre.ended


def _twice(ledger: Truth, log: Truth, sent: Truth) -> int:
    """Events that are in the sums more than once, and messages that were taken in again without standing twice on the log."""
    in_sums = sum((ledger.events - sent.events).values())
    taken_again = abs(ledger.duplicates - log.duplicates)
    return in_sums + taken_again


def _lost(ledger: Truth, sent: Truth) -> int:
    return sum((sent.events - ledger.events).values())


def _scenario(home: Path) -> Scenario:
    folder = home / "scenario"
    shutil.copytree(find_scenario("2024-09"), folder)
    (folder / "scenario.toml").write_text(f'period = "2024-09"\n{_IN_STREAM}', encoding="utf-8")
    return replace(load_scenario(folder, load_register()), folder=folder)


def _print_logs(home: Path) -> None:
    for log in sorted(home.glob("*.log")):
        print(f"--- {log.name}")
        print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the schedule (default: any)")
    parser.add_argument("--faults", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--only", default="", help="kinds that begin so, as 'broker restart' (default: all)")
    parser.add_argument("--worker-module", default="hipwatch", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
