"""What more workers cost: the same events shared out among one, two and four, into PostgreSQL."""

from typing import Final

from bench.contestants import run_workers
from bench.counting import row
from bench.results import Rows, more, table, yes
from bench.stage import Sizes, Stage
from bench.traffic import send

TITLE = "More workers"
NOTE = """The workers start together and share the partitions out; the CPU is that of all of them, what they take to start told
apart. More of them than cores share the cores, and count no faster."""

HOW_MANY: Final = (1, 2, 4)


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """A row for each number of workers."""
    every, one = (send(stage.kafka(prefix), events) for prefix, events in (("shared", sizes.events), ("sole", 1)))
    rows = []
    for workers in HOW_MANY:
        full, little = (
            [
                run_workers(stage, sent, stage.new_database("PostgreSQL"), "--linger", "0", workers=workers)
                for _ in range(sizes.rounds)
            ]
            for sent in (every, one)
        )
        rows.append({**row(f"{workers}", every.messages, full, little), "workers": workers})
        print(f"{workers} workers: {rows[-1]['cpu_seconds_per_million']:.2f} CPU-s per million", flush=True)
    return rows


def lines(rows: Rows) -> list[str]:
    """Each beside one worker."""
    first = rows[0]["cpu_seconds_per_million"]
    return table(
        ["workers", "CPU-s per million", "least to most", "beside one", "events/s", "peak MiB of one", "exact"],
        [
            [
                found["workers"],
                f"{found['cpu_seconds_per_million']:.2f}",
                "{:.2f} to {:.2f}".format(*found["spread"]),
                more(found["cpu_seconds_per_million"], first),
                f"{found['messages_per_second']:,.0f}",
                f"{found['peak_mib']:.0f}",
                yes(found["exact"]),
            ]
            for found in rows
        ],
    )
