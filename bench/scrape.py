"""What `/metrics` and the page cost with few units and with many."""

import csv
import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from bench.contestants import count_all
from bench.results import Rows, table
from bench.stage import Sizes, Stage
from bench.traffic import send
from schemas.register.folder import SHIPPED, read_register

TITLE = "Scrape and page"
NOTE = """A ledger in PostgreSQL that has heard of every unit, and a `serve` in its default settings. Seconds are those of whoever
asks, and the CPU-seconds those of `serve` meanwhile; medians. The share of a core is what it takes while nobody asks."""

_UNITS: Final = (52, 1_000, 10_000)
_TIMES: Final = 5
_EVENTS_OF_A_UNIT: Final = 5
_SETTLE_SECONDS: Final = 12.0
_PACKED: Final = {"Accept-Encoding": "gzip"}


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """A row for each number of units."""
    return [_measure(stage, sizes, units) for units in _UNITS]


def _measure(stage: Stage, sizes: Sizes, units: int) -> dict[str, Any]:
    folder = _register(stage.folder / f"register-{units}", units)
    kafka, database = stage.kafka(stage.new_name("scrape")), stage.new_database("PostgreSQL")
    sent = send(kafka, units * _EVENTS_OF_A_UNIT, read_register(folder))
    with stage.worker(kafka, database, stage.new_name("scrape"), "--register", str(folder)) as worker:
        count_all(worker, sent, database)
    with stage.serve(database, "--register", str(folder)) as (serve, address), _client(address) as client:
        time.sleep(_SETTLE_SECONDS)
        idle = serve.share_of_a_core(partial(time.sleep, sizes.seconds))
        found: dict[str, Any] = {"units": units, "idle_share_of_a_core": idle}
        for name, path in (("metrics", "/metrics"), ("page", "/")):
            seconds, costs = [], []
            for _ in range(_TIMES):
                before, begun = serve.cpu_seconds(), time.monotonic()
                answer = client.get(path, headers=_PACKED).raise_for_status()
                seconds.append(time.monotonic() - begun)
                costs.append(serve.cpu_seconds() - before)
                time.sleep(1)
            found |= {
                f"{name}_seconds": statistics.median(seconds),
                f"{name}_cpu_seconds": statistics.median(costs),
                f"{name}_bytes": len(answer.content),
                f"{name}_sent_bytes": answer.num_bytes_downloaded,
            }
        found["memory_mib"] = serve.memory_mib()
    print(f"{units} units: /metrics in {found['metrics_seconds']:.2f} s", flush=True)
    return found


def _client(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, timeout=60)


def _register(folder: Path, units: int) -> Path:
    """A district for each forty hospitals; the tables and forms are those that ship."""
    folder.mkdir()
    for name in ("tables.csv", "forms.csv"):
        (folder / name).write_bytes((SHIPPED / name).read_bytes())
    with (folder / "units.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["unit_id", "kind", "name_zh"])
        for number in range(units):
            kind, name_zh = ("hospital", "医院") if number % 40 else ("district", "区")
            rows.writerow([f"{kind}-{number}", kind, f"{name_zh}{number}"])
    return folder


def lines(rows: Rows) -> list[str]:
    """What a scrape costs, and what the page does."""
    each = [heading for name in ("/metrics", "page") for heading in (f"{name}, s", "CPU-s", "MB", "MB sent")]
    return table(
        ["units", *each, "memory, MiB", "idle, of a core"],
        [
            [
                f"{row['units']:,}",
                *(
                    cell
                    for name in ("metrics", "page")
                    for cell in (
                        f"{row[f'{name}_seconds']:.3f}",
                        f"{row[f'{name}_cpu_seconds']:.3f}",
                        f"{row[f'{name}_bytes'] / 1e6:.2f}",
                        f"{row[f'{name}_sent_bytes'] / 1e6:.2f}",
                    )
                ),
                f"{row['memory_mib']:.0f}",
                f"{row['idle_share_of_a_core']:.3f}",
            ]
            for row in rows
        ],
    )
