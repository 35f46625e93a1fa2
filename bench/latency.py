"""How long it takes until an event that was sent is seen at `/metrics`."""

import bisect
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import httpx

from bench.results import Rows, percentile, table
from bench.stage import Sizes, Stage
from bench.traffic import Live
from schemas.topics import Topic

TITLE = "From the event to /metrics"
NOTE = """A worker in its default settings and a `serve` on PostgreSQL. `/metrics` is asked ten times a second how many
events it knows of; an event has come through when it knows of as many as had been sent with it. The worker lets
few events wait for half a second (`--linger`), and `serve` reads the ledger anew at its interval (`--refresh`, 1 s
without it): the two are nearly all of it."""

REFRESHES: Final = (1.0, 5.0)
"""Seconds between two readings of `serve`: the default, and one that spares a large database."""
_RATES: Final = (200, 1_000, 20_000)
_FIRST: Final = 100
"""So many show that the worker has its partitions."""
_LOOK_SECONDS: Final = 0.1
_SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_PATIENCE_SECONDS: Final = 300.0
_COUNTED: Final = tuple(f'hip_{name}_total{{topic="{Topic.CDA_DOCUMENTS}"}} ' for name in ("events", "duplicates"))


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """A row for each interval of `serve` and each rate."""
    return [_measure(stage, sizes, refresh, rate) for refresh in REFRESHES for rate in _RATES]


def _measure(stage: Stage, sizes: Sizes, refresh: float, rate: int) -> dict[str, Any]:
    database = stage.new_database("PostgreSQL")
    live = Live(stage.kafka(stage.new_name("latency")), round(rate * sizes.seconds) + 2 * _FIRST)
    serving = stage.serve(database, "--refresh", str(refresh))
    with stage.worker(live.kafka, database, stage.new_name("latency")) as worker, serving as (_, address):
        with _Looks(address) as looks:
            before = len(live.send(_FIRST, 1))
            looks.wait_for(before)
            moments = live.send(rate, sizes.seconds)
            looks.wait_for(before + len(moments))
        worker.stop()
    found = latencies(moments, [(at, seen - before) for at, seen in looks.seen])
    shares = {name: percentile(found, share) for name, share in _SHARES.items()}
    print(f"{rate} a second, --refresh {refresh:g}: p95 {shares['p95']:.2f} s", flush=True)
    return {"refresh": refresh, "per_second": rate, "messages": len(moments), **shares}


def latencies(moments: Sequence[float], seen: Sequence[tuple[float, int]]) -> list[float]:
    """Seconds from each event, in order of sending, to the first look (a moment, and how many it saw) that saw as many."""
    counts = [count for _, count in seen]
    return [seen[bisect.bisect_left(counts, number)][0] - moment for number, moment in enumerate(moments, start=1)]


class _Looks:
    """Looks at `/metrics` again and again; `seen` has when, and how many messages it knew of."""

    def __init__(self, address: str) -> None:
        self.seen: list[tuple[float, int]] = []
        self._address = address
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def wait_for(self, count: int) -> None:
        """Raises TimeoutError when so many are not seen in minutes."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while not self.seen or self.seen[-1][1] < count:
            if time.monotonic() > end:
                raise TimeoutError(f"/metrics does not know of {count} messages: {self.seen[-1:]}")
            time.sleep(_LOOK_SECONDS)

    def __enter__(self) -> "_Looks":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ending.set()
        self._thread.join()

    def _look(self) -> None:
        with httpx.Client(base_url=self._address) as client:
            while not self._ending.is_set():
                text = client.get("/metrics").text
                self.seen.append((time.monotonic(), _known(text)))
                self._ending.wait(_LOOK_SECONDS)


def _known(exposition: str) -> int:
    return sum(int(float(line.rpartition(" ")[2])) for line in exposition.splitlines() if line.startswith(_COUNTED))


def lines(rows: Rows) -> list[str]:
    """Seconds."""
    return table(
        ["`--refresh`", "events/s", "events", *(f"{name}, s" for name in _SHARES)],
        [
            [f"{row['refresh']:g}", f"{row['per_second']:,}", f"{row['messages']:,}", *(f"{row[name]:.2f}" for name in _SHARES)]
            for row in rows
        ],
    )
