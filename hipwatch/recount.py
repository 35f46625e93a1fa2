"""Count a month again from Kafka into a scratch ledger, and compare it with the live one. Shell."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from rich.console import Console

from hipwatch.local.processes import Processes
from hipwatch.local.stack import LocalStack, start_workers, wait_until_passed
from monitor.bulletin.build import build_bulletin
from monitor.bulletin.rows import Bulletin
from monitor.ledger.append import next_offsets
from monitor.ledger.daily_sums import Sum, daily_sums
from monitor.ledger.database import Engine, open_database
from monitor.ledger.database_url import shown_url
from monitor.ledger.month import read_month
from monitor.worker.broker_topics import describe_topics
from schemas.bulletin.columns import Cell
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import Register

_TRIES: Final = 5
"""A live ledger goes on counting: when the two differ, look again where both have passed the same messages."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A cell, or a daily sum, in which the two ledgers differ."""

    unit_id: UnitId
    column: str
    live: Cell | None
    recounted: Cell | None


@dataclass(frozen=True)
class Recounted:
    """The end of a recount: printed cells and daily sums that were compared, and those that differ."""

    cells: int
    disagreements: list[Disagreement]
    sums: int = 0
    differing_sums: list[Disagreement] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.disagreements and not self.differing_sums


def recount(
    period: Period,
    live_database: str,
    scratch: LocalStack,
    processes: Processes,
    register: Register,
    *,
    workers: int,
    group: str,
    console: Console,
    accept_simulated: bool,
) -> Recounted:
    """Count everything on the broker into `scratch`, and compare the month's cells and daily sums with `live_database`.

    The broker is only read: dead letters, of which no number is too many here, have been published already.
    `accept_simulated`: as the live workers have it.
    """
    live = open_database(live_database, create=False)
    topics = {(info.topic_id, partition) for info in describe_topics(scratch.kafka) for partition in info.partitions}
    result = Recounted(0, [])
    options = ("--no-dead-letter-topic", "--dead-letter-limit", "0")
    start_workers(processes, scratch, workers, group, *options, accept_simulated=accept_simulated)
    for _ in range(_TRIES):
        ends = {place: end for place, end in next_offsets(live).items() if place in topics}
        if not ends:
            raise HipwatchError(f"the ledger {shown_url(live_database)} has counted nothing from {scratch.kafka.bootstrap}")
        wait_until_passed(scratch.engine, ends, console, processes.check)
        _settle(live, scratch.engine, processes.check)
        cells = compare_ledgers(
            build_bulletin(read_month(live, period), register), build_bulletin(read_month(scratch.engine, period), register)
        )
        sums, differing = compare_sums(daily_sums(live, period), daily_sums(scratch.engine, period))
        result = replace(cells, sums=sums, differing_sums=differing)
        if result.equal:
            break
    return result


def _settle(live: Engine, scratch: Engine, check: Callable[[], None], seconds: float = 5.0) -> None:
    """Give both a moment to stand at the same messages."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check()
        ours, theirs = next_offsets(scratch), next_offsets(live)
        if all(theirs.get(place) == offset for place, offset in ours.items()):
            return
        time.sleep(0.2)


def compare_ledgers(live: Bulletin, recounted: Bulletin) -> Recounted:
    """Hold two bulletins of one month against each other, every cell of both printed forms."""
    cells = 0
    found = []
    for rows in live.rows.values():
        for row in rows:
            for column, value in row.cells.items():
                cells += 1
                again = recounted.cell(row.unit_id, column)
                if again != value:
                    found.append(Disagreement(row.unit_id, column, value, again))
    return Recounted(cells, found)


def compare_sums(live: Mapping[Sum, int], recounted: Mapping[Sum, int]) -> tuple[int, list[Disagreement]]:
    """How many daily sums there are in either ledger, and those that differ: two errors may hide in one printed cell."""
    keys = sorted(live.keys() | recounted.keys())
    found = [
        Disagreement(key.unit_id, str(key), live.get(key), recounted.get(key))
        for key in keys
        if live.get(key) != recounted.get(key)
    ]
    return len(keys), found
