"""What two workers both write they lock in one order, so that they cannot wait for each other for ever: on PostgreSQL.

SQLite has one writer at a time. Here somebody holds the first of two rows, and a worker that wants both, the second one first,
waits for it; what it has not come to yet must be free.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from monitor.counting.batch import Batch
from monitor.ledger import database
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from schemas.topics import Topic
from tests.conftest import prepare
from tests.contract.until import until
from tests.factories import OTHER_UNIT, TOPIC_IDS, UNIT, UNITS, make_batch, make_event
from tests.services.postgres import PostgresServer

CDA = TOPIC_IDS[Topic.CDA_DOCUMENTS]
FIRST, LAST = sorted([UNIT, OTHER_UNIT])
NEW_STREAM = (
    "INSERT INTO stream_state (unit_id, topic, series, next_sequence, accepted, duplicates, skipped, filled, ahead, behind)"
    " VALUES ('{}', 'cda-documents', '', 1, 0, 0, 0, 0, 0, 0)"
)


@pytest.fixture
def url(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database that reads rows as they lie, and not by an index, as it may choose to; it lets a worker wait for long."""
    for limit in database._LIMITS:  # a machine that stands still for seconds is not what is tried here
        monkeypatch.setitem(database._LIMITS, limit, "120s")
    url = postgres.new_database()
    for plan in ("nestloop", "mergejoin", "indexscan", "bitmapscan", "indexonlyscan"):
        postgres.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET enable_{plan} = off")
    yield url
    postgres.drop_database(url)


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url, create=True)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return prepare(Ledger(engine, UNITS))


def uploads(sequence: int, first: int) -> Batch:
    """One of each unit, in the order in which they must not be locked."""
    return make_batch(make_event(unit_id=LAST, sequence=sequence), make_event(unit_id=FIRST, sequence=sequence), first=first)


def wait_for_a_waiter(address: str, appended: Future[Any]) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(address, autocommit=True) as watcher:
        until(lambda: appended.done() or (watcher.execute(waiting).fetchone() or [0])[0])
    assert not appended.done(), "it has to wait"


def require_order(url: str, ledger: Ledger, batches: list[Batch], hold: str, want: str) -> None:
    """While somebody holds one row, and the worker waits for it, anybody gets the other."""
    address = url.replace("+psycopg", "")
    with psycopg.connect(address) as holder, psycopg.connect(address) as other, ThreadPoolExecutor(1) as pool:
        holder.execute(hold.encode())
        appended = pool.submit(ledger.append_all, batches)
        try:
            wait_for_a_waiter(address, appended)
            other.execute(b"SET lock_timeout = '1s'")
            other.execute(want.encode())
        finally:
            other.rollback()
            holder.rollback()
        assert all(answer.moved for answer in appended.result())


@pytest.mark.parametrize("table", ["stream_state", "upload_day", "feed_state", "feed_hour", "sent_day"])
def test_the_rows_of_a_table_are_locked_in_the_order_of_their_keys(table: str, url: str, ledger: Ledger) -> None:
    ledger.append(make_batch(make_event(unit_id=LAST)))
    ledger.append(make_batch(make_event(unit_id=FIRST), first=1))
    lock = f"SELECT 1 FROM {table} WHERE unit_id = '{{}}' FOR UPDATE"
    require_order(url, ledger, [uploads(2, 2)], lock.format(FIRST), lock.format(LAST) + " NOWAIT")


def test_streams_that_are_new_are_made_in_the_order_of_their_keys(url: str, ledger: Ledger) -> None:
    require_order(url, ledger, [uploads(1, 0)], NEW_STREAM.format(FIRST), NEW_STREAM.format(LAST))


def test_the_offsets_of_partitions_are_locked_in_order(url: str, ledger: Ledger) -> None:
    ledger.append(make_batch(make_event(), partition=1))
    ledger.append(make_batch(make_event(unit_id=OTHER_UNIT), partition=0))
    batches = [make_batch(make_event(sequence=2), first=1, partition=partition) for partition in (1, 0)]
    lock = f"SELECT 1 FROM source_offset WHERE topic_id = '{CDA}' AND partition = {{}} FOR UPDATE"
    require_order(url, ledger, batches, lock.format(0), lock.format(1) + " NOWAIT")


def test_who_counts_a_stream_reads_it_when_the_other_has_done_with_it(url: str, engine: Engine, ledger: Ledger) -> None:
    ledger.append(make_batch(make_event()))
    later: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:

        @event.listens_for(engine, "before_cursor_execute")
        def _meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("INSERT INTO upload_day") and not later:  # the stream is read, and nothing written
                later.append(pool.submit(ledger.append, make_batch(make_event(sequence=2), partition=1)))
                wait_for_a_waiter(url.replace("+psycopg", ""), later[0])

        first = ledger.append(make_batch(make_event(sequence=2), first=1))
        again = later[0].result()
    assert (first.accepted, first.duplicates) == (1, 0)
    assert (again.accepted, again.duplicates) == (0, 1)
