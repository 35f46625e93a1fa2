"""A database outage under load: `python -m tests.faults.outage --minutes 10`, or `make outage MINUTES=10`.

Events go on arriving while the database is frozen for half of the time and stopped for the other half. Exit 0 only if the
worker stayed under its limit of memory, kept its membership, and then counted every event once.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.connection import KafkaConnection
from tests.contract.until import until
from tests.faults.stage import Counts, Stage, new_prefix, once
from tests.faults.stream import Stream
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceProcess

MOST_MEBIBYTES: Final = 300
RATE: Final = 2_000
"""Events a second."""
_SLOWEST_RATE: Final = 500
"""Events a second that even a busy machine counts afterwards."""
_TELL_EVERY: Final = 15.0


@dataclass(frozen=True)
class Outcome:
    """What became of the worker. `peak`: the most memory that it ever held, in MiB."""

    peak: float
    kept_membership: bool
    sent: int
    counts: Counts

    @property
    def good(self) -> bool:
        return self.peak < MOST_MEBIBYTES and self.kept_membership and self.counts == once(self.sent)

    def __str__(self) -> str:
        membership = "kept" if self.kept_membership else "LOST"
        counted = f"{self.sent} events sent, {self.counts.accepted} counted, {self.counts.duplicates} twice"
        return f"peak {self.peak:.0f} MiB of {MOST_MEBIBYTES}, membership {membership}, {counted}"


def suffer(stage: Stage, database: PostgresServer, seconds: float, tell: Callable[[str], None] = lambda line: None) -> Outcome:
    """Let the outage happen: frozen for the first half of `seconds`, stopped for the second."""
    worker = stage.counting("a")
    with Stream(stage.kafka, rate=RATE) as stream:
        until(lambda: stage.passed() > RATE)
        watch = _Watch(stage, worker, stream, tell)
        database.pause()
        watch.look("frozen", seconds / 2)
        database.resume()
        database.stop()
        watch.look("stopped", seconds / 2)
        database.start()
        watch.look("back", 5)
    until(lambda: stage.passed() >= stream.sent, doing=lambda: watch.look("back", 1), seconds=60 + stream.sent / _SLOWEST_RATE)
    watch.look("caught up", 1)
    return Outcome(memory(worker, "VmHWM"), watch.kept_membership, stream.sent, stage.counts())


def memory(worker: ServiceProcess, kind: str) -> float:
    """Resident memory in MiB: VmRSS is what it holds now, VmHWM the most that it ever held."""
    for line in Path(f"/proc/{worker.pid}/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == kind:
            return int(value.split()[0]) / 1024
    raise AssertionError(f"{worker.name} has ended\n{worker.last_words()}")


class _Watch:
    """Looks at the worker each second."""

    def __init__(self, stage: Stage, worker: ServiceProcess, stream: Stream, tell: Callable[[str], None]) -> None:
        self._stage = stage
        self._worker = worker
        self._stream = stream
        self._tell = tell
        self._begun = time.monotonic()
        self._told = -_TELL_EVERY
        self._members = stage.members()
        self.kept_membership = bool(self._members)

    def look(self, state: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            held = memory(self._worker, "VmRSS")
            self.kept_membership = self.kept_membership and self._stage.members() == self._members
            elapsed = time.monotonic() - self._begun
            if elapsed - self._told >= _TELL_EVERY:
                self._told = elapsed
                self._tell(f"{elapsed:5.0f} s  {state:<9}  {held:4.0f} MiB  {self._stream.sent} sent")
            if (left := end - time.monotonic()) <= 0:
                return
            time.sleep(min(1.0, left))


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.faults.outage", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the database is away (default: 10)")
    minutes: float = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="hipwatch-outage-") as home, KafkaServer() as broker, PostgresServer() as database:
        stage = Stage(KafkaConnection(broker.bootstrap, new_prefix()), database.new_database(), Path(home))
        try:
            outcome = suffer(stage, database, minutes * 60, lambda line: print(line, flush=True))
        finally:
            stage.close()
    print(f"{minutes:g} minutes without the database: {outcome}")
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
