"""Any history, cut anywhere, offered again from anywhere, by two workers: the ledger is the same. On every database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from monitor.counting.batch import Appended
from monitor.counting.streams import StreamKey
from monitor.ledger import tables
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from schemas.codec.reasons import Reason
from schemas.events import Event
from schemas.topics import TOPIC_OF, Topic
from tests.conftest import prepare
from tests.contract.contents import contents, empty, expected_of, rows, sums_in
from tests.factories import TOPIC_IDS, UNITS, make_batch
from tests.unit.monitor.merging import Books, books_of, sums_of
from tests.unit.monitor.scripts import histories, sent_events

many = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
few = settings(many, max_examples=12)


class Place(NamedTuple):
    """A partition of a topic."""

    topic: Topic
    partition: int


Logs = Mapping[Place, list[Event]]


@pytest.fixture
def workers(engine: Engine, database_url: str) -> Iterator[tuple[Ledger, Ledger]]:
    """Two ledgers on one database, as two processes have them."""
    other = open_database(database_url, create=False)
    yield Ledger(engine, UNITS), Ledger(other, UNITS)
    other.dispose()


def logs_of(history: list[Event], partitions: list[int]) -> Logs:
    """What stands on the broker: each event on its topic, in one of two partitions."""
    logs: dict[Place, list[Event]] = defaultdict(list)
    for event, partition in zip(history, partitions, strict=True):
        logs[Place(TOPIC_OF[type(event)], partition)].append(event)
    return logs


def offsets_in(ledger: Ledger) -> dict[Place, int]:
    found = ledger.next_offsets()
    return {Place(topic, number): found[topic_id, number] for topic, topic_id in TOPIC_IDS.items() for number in (0, 1)}


def books_in(engine: Engine) -> dict[StreamKey, Books]:
    """The ledger's counters; it counts conflicts by topic only, so they are left out."""
    return {
        StreamKey(row["unit_id"], Topic(row["topic"]), row["series"]): Books(
            row["accepted"], row["duplicates"], 0, row["skipped"], row["filled"]
        )
        for row in rows(engine, tables.StreamState)
    }


def conflicts_in(engine: Engine) -> int:
    totals = {row["reason"]: 0 for row in rows(engine, tables.DeadLetterCount)}
    for row in rows(engine, tables.DeadLetterCount):
        totals[row["reason"]] += row["total"]
    assert set(totals) <= {Reason.SEQUENCE_CONFLICT}
    return sum(totals.values())


attempts = st.lists(
    # which worker, which partition, how far from where the ledger stands it begins, and how many events it takes
    st.tuples(st.integers(0, 1), st.integers(0, 7), st.sampled_from([0, 0, 0, 0, 1, -1, -2, -9]), st.integers(1, 7)),
    max_size=25,
)


@many
@given(data=st.data())
def test_only_batches_from_where_the_ledger_stands_count_whoever_offers_what(
    engine: Engine, workers: tuple[Ledger, Ledger], data: st.DataObject
) -> None:
    history = data.draw(histories(data.draw(sent_events())))
    logs = logs_of(history, data.draw(st.lists(st.integers(0, 1), min_size=len(history), max_size=len(history))))
    places = sorted(logs)
    empty(engine)
    prepare(workers[0])
    stands = dict.fromkeys(places, 0)
    counted: list[Event] = []

    def offer(who: int, place: Place, start: int, length: int) -> None:
        batch = logs[place][start : start + length]
        if not batch:
            return
        before = contents(engine) if start != stands[place] else {}
        appended = workers[who].append(make_batch(*batch, first=start, partition=place.partition))
        assert appended.moved == (start == stands[place])
        if appended.moved:
            stands[place] += len(batch)
            counted.extend(batch)
        else:
            assert contents(engine) == before, "who comes too early or too late leaves no trace"

    for who, which, shift, length in data.draw(attempts):
        place = places[which % len(places)]
        offer(who, place, max(0, stands[place] + shift), length)
    for place in places:
        offer(0, place, stands[place], len(history))

    expected = books_of(counted)
    assert sums_in(engine) == expected_of(sums_of(counted))
    assert books_in(engine) == {key: books._replace(conflicts=0) for key, books in expected.items()}
    assert conflicts_in(engine) == sum(books.conflicts for books in expected.values())
    assert {place: stand for place, stand in offsets_in(workers[1]).items() if stand} == stands


@many
@given(data=st.data())
def test_a_poll_counts_in_one_transaction_what_its_batches_count_one_by_one(
    engine: Engine, workers: tuple[Ledger, Ledger], data: st.DataObject
) -> None:
    """Batches of several partitions at once, some of them not where the ledger stands; the same stream may be in two."""
    history = data.draw(histories(data.draw(sent_events())))
    logs = logs_of(history, data.draw(st.lists(st.integers(0, 1), min_size=len(history), max_size=len(history))))
    places = sorted(logs)
    polls = data.draw(st.lists(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=8), max_size=6))

    def play(together: bool) -> tuple[object, list[Appended]]:
        empty(engine)
        prepare(workers[0])
        stands = dict.fromkeys(places, 0)
        answers = []
        for poll in [*polls, [(99, False)] * len(places)]:
            batches = []
            for place, (length, astray) in zip(places, poll, strict=False):
                start = stands[place]
                taken = logs[place][start : start + length]
                if taken:
                    batches.append(make_batch(*taken, first=start + astray, partition=place.partition))
                    stands[place] += 0 if astray else len(taken)
            in_order = sorted(batches, key=lambda batch: batch.raw.start)
            answers += workers[0].append_all(in_order) if together else [workers[0].append(batch) for batch in in_order]
        return contents(engine), answers

    assert play(together=True) == play(together=False)


@few
@given(data=st.data())
def test_two_workers_that_race_for_every_partition_count_every_event_once(
    engine: Engine, workers: tuple[Ledger, Ledger], data: st.DataObject
) -> None:
    events = data.draw(sent_events(most=20))
    again = data.draw(st.lists(st.sampled_from(events), max_size=30))
    history = data.draw(st.permutations([*events, *again]))
    logs = logs_of(history, data.draw(st.lists(st.integers(0, 1), min_size=len(history), max_size=len(history))))
    empty(engine)
    prepare(workers[0])

    def work(ledger: Ledger, random: Random) -> tuple[int, int]:
        """Take any partition that is not at its end, as the ledger says, and some of it; the other one does the same."""
        accepted = duplicates = turns = 0
        while left := [(place, stand) for place, stand in offsets_in(ledger).items() if stand < len(logs.get(place, []))]:
            turns += 1
            assert turns <= 2 * len(history), "each turn, one of the two goes on"
            place, stand = random.choice(left)
            batch = logs[place][stand : stand + random.randint(1, 6)]
            appended = ledger.append(make_batch(*batch, first=stand, partition=place.partition))
            accepted, duplicates = accepted + appended.accepted, duplicates + appended.duplicates
        return accepted, duplicates

    seeds = data.draw(st.tuples(st.integers(0, 999), st.integers(0, 999)))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(work, workers, map(Random, seeds)))

    assert [sum(column) for column in zip(*done, strict=True)] == [len(events), len(again)]
    assert sums_in(engine) == expected_of(sums_of(events))
    for key, books in books_in(engine).items():
        assert books.skipped - books.filled == len(sums_of(events).missing()[key])
    assert sum(books.duplicates for books in books_in(engine).values()) == len(again)
    assert {place: stand for place, stand in offsets_in(workers[0]).items() if stand} == {p: len(log) for p, log in logs.items()}
