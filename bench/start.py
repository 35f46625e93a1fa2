"""What a command costs before it does anything: `--help`, and a report of a counted month."""

import statistics
import sys
from typing import Final

from bench.contestants import run_workers
from bench.results import Rows, table
from bench.running import measured
from bench.stage import Sizes, Stage
from bench.traffic import send

TITLE = "Starting"
NOTE = """CPU-seconds of a whole command, medians. What a worker takes to start and join is a column of the first table."""

_EVENTS: Final = 20_000
_TIMES: Final = 5


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """A row for each command."""
    sent, database = send(stage.kafka("start"), min(_EVENTS, sizes.events)), stage.new_database("SQLite")
    run_workers(stage, sent, database)
    rows = []
    for arguments in (["--help"], ["report", "2024-09"]):
        reach = ["--database", database] if arguments[0] == "report" else []
        command = [sys.executable, "-m", "hipwatch", *arguments, *reach]
        costs = [measured(command, stage.folder / "start.log") for _ in range(_TIMES)]
        rows.append(
            {
                "command": f"hipwatch {' '.join(arguments)}",
                "cpu_seconds": statistics.median(cpu for cpu, _, _ in costs),
                "peak_mib": max(peak for _, _, peak in costs),
            }
        )
    return rows


def lines(rows: Rows) -> list[str]:
    """One for each command."""
    return table(
        ["command", "CPU-s", "peak MiB"],
        [[f"`{row['command']}`", f"{row['cpu_seconds']:.2f}", f"{row['peak_mib']:.0f}"] for row in rows],
    )
