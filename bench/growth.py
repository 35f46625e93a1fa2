"""Whether an event costs more the more there are: one worker through ten times the events, looked at on its way."""

from typing import Any, Final

from bench.contestants import counting, is_exact
from bench.results import Rows, more, table, yes
from bench.stage import DATABASES, Sizes, Stage, size_of
from bench.traffic import Sent, send

TITLE = "Growth"
NOTE = """One worker counts ten times as many events in one go. The cost of each stretch is that of its own events, from the mark
before to its own; the bytes are those of the whole ledger by then, the rows of the sums among them. The last row's
seconds are those in which a worker catches up with a backlog of so many."""

MARKS: Final = (1, 3, 10)


def measure(stage: Stage, sizes: Sizes) -> Rows:
    """For each database and mark, in millions of events if `sizes` says one."""
    sent = send(stage.kafka("growth"), sizes.events * MARKS[-1])
    return [row for kind in DATABASES for row in _run(stage, sent, kind)]


def _run(stage: Stage, sent: Sent, kind: str) -> list[dict[str, Any]]:
    database = stage.new_database(kind)
    marks = [sent.messages * mark // MARKS[-1] for mark in MARKS]
    found: list[dict[str, Any]] = []
    running = stage.worker(sent.kafka, database, stage.new_name("growth"), "--linger", "0")
    with running as worker, counting(sent, database) as counted:
        before: list[tuple[int, float]] = []

        def look() -> bool:
            passed, cpu = counted(), worker.cpu_seconds()
            if passed and not before:
                before.append((passed, cpu))
            if passed >= marks[len(found)]:
                events, spent = before[-1]
                before.append((passed, cpu))
                found.append(
                    {
                        "database": kind,
                        "mark": MARKS[len(found)],
                        "messages": passed,
                        "cpu_seconds_per_million": (cpu - spent) / max(1, passed - events) * 1e6,
                        "bytes_per_message": size_of(database) / passed,
                        "peak_mib": worker.peak_mib(),
                    }
                )
            return len(found) == len(marks)

        seconds = worker.wait_until(look)
        worker.stop()
    exact = is_exact(sent, database)
    print(f"{kind}: {found[-1]['messages']} events in {seconds:.1f} s", flush=True)
    return [{**row, "seconds": seconds, "exact": exact} for row in found]


def lines(rows: Rows) -> list[str]:
    """Each beside the first stretch of its database."""
    first = {row["database"]: row["cpu_seconds_per_million"] for row in reversed(rows)}
    costs = ["CPU-s per million of the stretch", "beside the first"]
    return table(
        ["database", "events", *costs, "bytes each", "peak MiB", "seconds in all", "exact"],
        [
            [
                row["database"],
                f"{row['messages']:,}",
                f"{row['cpu_seconds_per_million']:.2f}",
                more(row["cpu_seconds_per_million"], first[row["database"]]),
                f"{row['bytes_per_message']:.1f}",
                f"{row['peak_mib']:.0f}",
                f"{row['seconds']:.0f}",
                yes(row["exact"]),
            ]
            for row in rows
        ],
    )
