"""Run it: `python -m bench --events 1000000`. Exit 0 only if every contestant's sums are exact."""

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from bench.contestants import Cost, Task, run_peer, run_worker
from bench.traffic import send
from broker.connection import KafkaConnection
from hipwatch.local.embedded_broker import start_broker
from hipwatch.local.processes import Processes
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer

RESULTS: Final = Path(__file__).parent / "results"
_SEED: Final = 1
Contestants = Mapping[str, Callable[[Task, int], Cost]]


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="hipwatch-bench-") as name, Processes(Path(name)) as processes:
        folder = Path(name)
        with PostgresServer(logs=folder) as postgres, _broker(options.broker, folder, processes) as bootstrap:
            print(f"publishing {options.events} events to {options.broker}", flush=True)
            every, one = (_published(bootstrap, *task) for task in (("bench", options.events), ("one", 1)))
            costs = _play(_contestants(folder, postgres), every, one, options.rounds)
    rows = _rows(costs, every.messages)
    table = _table(rows, options)
    print("\n".join(table))
    RESULTS.mkdir(exist_ok=True)
    result = {"broker": options.broker, "messages": every.messages, "rounds": options.rounds, "rows": rows}
    (RESULTS / f"{options.broker}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / f"{options.broker}.md").write_text("\n".join(table) + "\n", encoding="utf-8")
    return 0 if all(row["exact"] for row in rows) else 1


def _published(bootstrap: str, prefix: str, events: int) -> Task:
    kafka = KafkaConnection(bootstrap, prefix)
    sums, ends = send(kafka, events, _SEED)
    return Task(kafka, ends, sums)


@contextmanager
def _broker(kind: str, folder: Path, processes: Processes) -> Iterator[str]:
    if kind == "embedded":
        yield start_broker(processes)
    else:
        with KafkaServer(logs=folder, java_options="-Xms256m -Xmx512m -XX:+UseSerialGC") as server:
            yield server.bootstrap


def _contestants(folder: Path, postgres: PostgresServer) -> Contestants:
    def hipwatch(option: str, database: Callable[[str], str], task: Task, number: int) -> Cost:
        name = f"{task.kafka.topic_prefix}{number}{option}"
        return run_worker(task, database(name), f"bench-{name}", folder, option)

    def peer(script: str, task: Task, number: int) -> Cost:
        return run_peer(script, task, folder / f"{script}-{task.kafka.topic_prefix}{number}.db", folder)

    def sqlite(name: str) -> str:
        return f"sqlite:///{folder / name}.db"

    def postgresql(_: str) -> str:
        return postgres.new_database()

    return {
        "hipwatch --columnar, SQLite": partial(hipwatch, "--columnar", sqlite),
        "hipwatch --plain, SQLite": partial(hipwatch, "--plain", sqlite),
        "hipwatch --columnar, PostgreSQL": partial(hipwatch, "--columnar", postgresql),
        "hipwatch --plain, PostgreSQL": partial(hipwatch, "--plain", postgresql),
        "kafka-python + fastavro, SQLite": partial(peer, "kafka_python.py"),
        "confluent-kafka + fastavro, SQLite": partial(peer, "confluent.py"),
    }


def _play(contestants: Contestants, every: Task, one: Task, rounds: int) -> Mapping[str, tuple[list[Cost], list[Cost]]]:
    """Everybody in turn, round by round, each on all events and on one: what it costs to start, and to join, is told apart."""
    costs: Mapping[str, tuple[list[Cost], list[Cost]]] = defaultdict(lambda: ([], []))
    for number in range(rounds):
        for name, run in contestants.items():
            costs[name][0].append(run(every, number))
            costs[name][1].append(run(one, number))
            latest = costs[name][0][-1]
            print(f"round {number + 1}: {name}: {latest.cpu_seconds:.1f} CPU-s, {latest.seconds:.1f} s", flush=True)
    return costs


def _rows(costs: Mapping[str, tuple[list[Cost], list[Cost]]], messages: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, (full, little) in costs.items():
        start = statistics.median(cost.cpu_seconds for cost in little)
        per_million = [(cost.cpu_seconds - start) / messages * 1e6 for cost in full]
        rows.append(
            {
                "name": name,
                "cpu_seconds_per_million": statistics.median(per_million),
                "spread": [min(per_million), max(per_million)],
                "start_cpu_seconds": start,
                "messages_per_second": messages / statistics.median(cost.seconds for cost in full),
                "peak_mib": max(cost.peak_mib for cost in full),
                "bytes_per_message": statistics.median(cost.kept_bytes for cost in full) / messages,
                "exact": all(cost.exact for cost in full),
                "runs": [asdict(cost) for cost in full],
            }
        )
    return rows


def _table(rows: Sequence[Mapping[str, object]], options: argparse.Namespace) -> list[str]:
    """For the documents, in Markdown: medians, and the least and the most of the rounds."""
    first = float(str(rows[0]["cpu_seconds_per_million"]))
    head = (
        "| | CPU-s per million | least to most | beside the first | per second | start, CPU-s | peak MiB | bytes each | exact |"
    )
    lines = [f"{options.events} events on the {options.broker} broker, {options.rounds} rounds:", "", head, "|---" * 9 + "|"]
    for row in rows:
        cpu, spread = float(str(row["cpu_seconds_per_million"])), row["spread"]
        least, most = spread if isinstance(spread, list) else (cpu, cpu)
        numbers = f"{row['messages_per_second']:.0f} | {row['start_cpu_seconds']:.1f} | {row['peak_mib']:.0f}"
        lines.append(
            f"| {row['name']} | {cpu:.1f} | {least:.1f} to {most:.1f} | × {cpu / first:.2f} | {numbers}"
            f" | {row['bytes_per_message']:.0f} | {'yes' if row['exact'] else 'NO'} |"
        )
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="so many, and one in a hundred twice (default: 1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="everybody so often, in turn (default: 3)")
    parser.add_argument("--broker", choices=["embedded", "kafka"], default="embedded", help="Tansu in memory, or Apache Kafka")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
