"""What a worker costs while events come one by one, and what it and `serve` cost while nothing comes."""

import time
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from bench.contestants import count_all, is_exact
from bench.latency import REFRESHES
from bench.results import Rows, table, yes
from bench.stage import DATABASES, Sizes, Stage, size_of
from bench.traffic import Live

TITLE = "Live and idle"
NOTE = """The share of one core that a process takes while so many events a second come, and while none does, in its default
settings. The bytes of a ledger that is fed live are those after as many events as the first table counts, of which each
transaction held a hundred: as many as come in half a second, the default of `--linger`, at 200 a second. They come twenty
times as fast here, and wait a twentieth."""

_RATES: Final = (0, 200, 1_000)
_FIRST: Final = 2_000
"""So many make every unit known."""
_SETTLE_SECONDS: Final = 15.0
"""A worker has started and joined, and every cache is warm."""
_FAST, _LINGER = 4_000, "0.025"


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """Rows of three kinds: a worker at a rate, an idle `serve`, a ledger's bytes."""
    return [*_workers(stage, sizes), *_serve(stage, sizes), *_bytes(stage, sizes)]


def _workers(stage: Stage, sizes: Sizes) -> list[dict[str, Any]]:
    rows = []
    for kind in DATABASES:
        live = _live(stage, round(sum(_RATES) * sizes.seconds) + _FIRST)
        with stage.worker(live.kafka, stage.new_database(kind), stage.new_name("live")) as worker:
            live.send(_FIRST, 1)
            time.sleep(_SETTLE_SECONDS)
            for rate in _RATES:
                come = partial(live.send, rate, sizes.seconds) if rate else partial(time.sleep, sizes.seconds)
                share = worker.share_of_a_core(come)
                rows.append({"what": "worker", "database": kind, "per_second": rate, "share_of_a_core": share})
                print(f"worker, {kind}: {share:.4f} of a core at {rate} events a second", flush=True)
            worker.stop()
    return rows


def _serve(stage: Stage, sizes: Sizes) -> list[dict[str, Any]]:
    rows = []
    for kind in DATABASES:
        live, database = _live(stage, _FIRST), stage.new_database(kind)
        with stage.worker(live.kafka, database, stage.new_name("served")) as worker:
            live.send(_FIRST, 1)
            count_all(worker, live.sent, database)
        for refresh in REFRESHES:
            with stage.serve(database, "--refresh", str(refresh)) as (serve, _):
                time.sleep(_SETTLE_SECONDS)
                share = serve.share_of_a_core(partial(time.sleep, sizes.seconds))
            name = f"serve, reading every {refresh:g} s"
            rows.append({"what": name, "database": kind, "per_second": 0, "share_of_a_core": share})
            print(f"{name}, {kind}: {share:.4f} of a core", flush=True)
    return rows


def _live(stage: Stage, count: int) -> Live:
    return Live(stage.kafka(stage.new_name("live")), count)


def _bytes(stage: Stage, sizes: Sizes) -> list[dict[str, Any]]:
    live = _live(stage, sizes.events)
    databases = {kind: stage.new_database(kind) for kind in DATABASES}
    with ExitStack() as stack:
        workers = {
            kind: stack.enter_context(stage.worker(live.kafka, database, stage.new_name("bytes"), "--linger", _LINGER))
            for kind, database in databases.items()
        }
        time.sleep(_SETTLE_SECONDS)
        live.send(_FAST, sizes.events)
        for kind, worker in workers.items():
            count_all(worker, live.sent, databases[kind])
    sent = live.sent
    return [
        {
            "what": "ledger",
            "database": kind,
            "per_second": 200,
            "messages": sent.messages,
            "bytes_per_message": size_of(database) / sent.messages,
            "exact": is_exact(sent, database),
        }
        for kind, database in databases.items()
    ]


def lines(rows: Rows) -> list[str]:
    """Shares of a core, then bytes."""
    shares = [row for row in rows if row["what"] != "ledger"]
    return [
        *table(
            ["process", "database", "events/s", "of a core"],
            [[row["what"], row["database"], row["per_second"] or "none", f"{row['share_of_a_core']:.3f}"] for row in shares],
        ),
        "",
        *table(
            ["ledger fed live", "events", "bytes each", "exact"],
            [
                [row["database"], f"{row['messages']:,}", f"{row['bytes_per_message']:.0f}", yes(row["exact"])]
                for row in rows
                if row["what"] == "ledger"
            ],
        ),
    ]
