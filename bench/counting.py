"""hipwatch beside its peers: the same events, the same broker, the same sums, everybody in turn."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Final

from bench.contestants import Cost, run_peer, run_workers
from bench.results import Rows, table, times, yes
from bench.stage import DATABASES, Sizes, Stage
from bench.traffic import Sent, send

TITLE = "Counting a backlog"
NOTE = """Everybody counts the same events of the same broker, in turn, from nothing to the last message, and every sum is held
against what was sent. What it costs to start and to join, one event's worth, is told apart. The peers keep their sums
as durably as their own documentation recommends, each in an environment of its own: kafka-python and confluent-kafka
with a row of SQLite for each number that was counted; Quix Streams with its state in RocksDB and a changelog topic;
bytewax with its recovery store. The latter two keep only the greatest number of each series, and no receipt of an
event: less than hipwatch has to. Their bytes are those of state and sums on this machine, without the changelog on
the broker. hipwatch --plain, which counts message by message and is the oracle of the tests, runs once."""

_PLAIN: Final = "--plain"
Contestant = Callable[[Sent], Cost]


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """A row for each contestant."""
    every, one = (send(stage.kafka(prefix), events) for prefix, events in (("every", sizes.events), ("one", 1)))
    costs: Mapping[str, tuple[list[Cost], list[Cost]]] = defaultdict(lambda: ([], []))
    for number in range(sizes.rounds):
        for name, run in _contestants(stage).items():
            if number and _PLAIN in name:
                continue  # the oracle takes minutes, and is no contestant
            for sent, found in zip((every, one), costs[name], strict=True):
                found.append(run(sent))
            latest = costs[name][0][-1]
            print(f"round {number + 1}: {name}: {latest.cpu_seconds:.1f} CPU-s, {latest.seconds:.1f} s", flush=True)
    return [row(name, every.messages, *found) for name, found in costs.items()]


def _contestants(stage: Stage) -> Mapping[str, Contestant]:
    def hipwatch(option: str, database: str, sent: Sent) -> Cost:
        return run_workers(stage, sent, stage.new_database(database), "--linger", "0", option)

    ours: dict[str, Contestant] = {
        f"hipwatch{f' {_PLAIN}' if option == _PLAIN else ''}, {database}": partial(hipwatch, option, database)
        for option in ("--columnar", _PLAIN)
        for database in DATABASES
    }
    return ours | {
        "confluent-kafka + fastavro, SQLite": lambda sent: run_peer(stage, sent, "confluent", "clients"),
        "kafka-python + fastavro, SQLite": lambda sent: run_peer(stage, sent, "kafka_python", "clients"),
        "bytewax": lambda sent: run_peer(stage, sent, "bytewax_flow", "bytewax"),
        "Quix Streams": lambda sent: run_peer(stage, sent, "quix", "quix"),
    }


def row(name: str, messages: int, full: Sequence[Cost], little: Sequence[Cost]) -> dict[str, object]:
    """Medians of runs over all messages, and over one: the difference is the messages'."""
    start, wait = (statistics.median(getattr(cost, what) for cost in little) for what in ("cpu_seconds", "seconds"))
    per_million = [(cost.cpu_seconds - start) / messages * 1e6 for cost in full]
    return {
        "name": name,
        "messages": messages,
        "cpu_seconds_per_million": statistics.median(per_million),
        "spread": [min(per_million), max(per_million)],
        "start_cpu_seconds": start,
        "messages_per_second": messages / max(0.1, statistics.median(cost.seconds for cost in full) - wait),
        "peak_mib": max(cost.peak_mib for cost in full),
        "bytes_per_message": statistics.median(cost.kept_bytes for cost in full) / messages,
        "exact": all(cost.exact for cost in full),
        "runs": [asdict(cost) for cost in full],
    }


def lines(rows: Rows) -> list[str]:
    """Medians, and the least and the most of the rounds."""
    first = rows[0]["cpu_seconds_per_million"]
    costs = ["", "CPU-s per million", "least to most", "beside the first", "events/s"]
    return table(
        [*costs, "start, CPU-s", "peak MiB", "bytes each", "exact"],
        [
            [
                found["name"],
                f"{found['cpu_seconds_per_million']:.2f}",
                "{:.2f} to {:.2f}".format(*found["spread"]),
                times(found["cpu_seconds_per_million"], first),
                f"{found['messages_per_second']:,.0f}",
                f"{found['start_cpu_seconds']:.2f}",
                f"{found['peak_mib']:.0f}",
                f"{found['bytes_per_message']:.0f}",
                yes(found["exact"]),
            ]
            for found in rows
        ],
    )
