"""What strangers broke in 0.1.0: each of these failed there. On every database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from monitor.counting.batch import Appended
from monitor.counting.kept import MAX_SUM
from monitor.counting.streams import MAX_SERIES, Gap
from monitor.ledger import tables
from monitor.ledger.append import Ledger
from monitor.ledger.database import make_engine, upgrade_database, writing
from monitor.ledger.dead_letters import DeadLetterFilter, DeadLetters
from monitor.ledger.gaps import find_gaps, stream_facts
from monitor.ledger.migrating import differences, migrate_to
from monitor.ledger.month import read_month
from monitor.ledger.receipt_runs import BLOCK
from schemas.codec.reasons import Reason
from schemas.events import Event
from schemas.period import Period
from schemas.topics import TOPIC_OF, Topic
from tests.conftest import prepare
from tests.contract.contents import only_row, receipts, rows
from tests.factories import NOON, OTHER_UNIT, TOPIC_IDS, UNIT, UNITS, make_batch, make_event, make_forms, make_letter

DAY = date(2024, 9, 9)
CDA = TOPIC_IDS[Topic.CDA_DOCUMENTS]
STREAM = (UNIT, Topic.CDA_DOCUMENTS, "")


def rewind(engine: Engine) -> None:
    """The broker has lost its messages, and gives their places to others."""
    with writing(engine) as connection:
        connection.execute(text("UPDATE source_offset SET next_offset = 0"))


# --- a dead letter where one stood before ---


def test_a_dead_letter_where_one_stood_before_stops_nobody_and_both_are_kept(ledger: Ledger, engine: Engine) -> None:
    for value in (b"first", b"second"):
        assert ledger.append(make_batch(make_event(), dead_letters=[make_letter(offset=1, value=value)])).moved
        rewind(engine)
    letters = DeadLetters(engine)
    assert [kept.letter.value for kept in letters.find(DeadLetterFilter())] == [b"first", b"second"]
    last = letters.at(letters.find(DeadLetterFilter())[0].place)
    assert last.letter.value == b"second"
    assert letters.discard([last]) == 1
    assert [kept.letter.value for kept in letters.find(DeadLetterFilter())] == [b"first"], "each is settled by itself"


# --- the same event in a new series ---


def in_new_series(events: Sequence[Event], series: str = "again") -> list[Event]:
    return [replace(found, series=series, sequence=number) for number, found in enumerate(events, 1)]


@pytest.mark.parametrize("cut", [1, 2, 6])
def test_an_event_that_comes_again_in_a_new_series_is_a_duplicate_however_batches_are_cut(
    cut: int, ledger: Ledger, engine: Engine
) -> None:
    days = [DAY - timedelta(days=n) for n in (2, 1, 0)]
    sent = [make_event(sequence=n + 1, business_date=day, record_count=5) for n, day in enumerate(days)]
    fresh = make_event(series="again", sequence=4, event_id="fresh", record_count=1)
    history: list[Event] = [*sent, *in_new_series(sent), fresh]
    starts = range(0, len(history), cut)
    found = [ledger.append(make_batch(*history[first : first + cut], first=first)) for first in starts]
    assert (sum(f.accepted for f in found), sum(f.duplicates for f in found)) == (4, 3)
    assert sum(row["records"] for row in rows(engine, Topic.CDA_DOCUMENTS)) == 16
    assert find_gaps(engine) == [], "its numbers were seen all the same"
    again = ledger.append(make_batch(*in_new_series(sent), first=len(history)))
    assert (again.accepted, again.duplicates, again.dead_letters) == (0, 3, 0)


def test_an_event_id_of_another_unit_or_topic_is_another_event(ledger: Ledger) -> None:
    ledger.append(make_batch(make_event(event_id="one")))
    others = [
        make_event(event_id="one", unit_id=OTHER_UNIT, series="b"),
        make_event(event_id="two", series="b"),
    ]
    assert ledger.append(make_batch(*others, first=1)).accepted == 2
    assert ledger.append(make_batch(make_forms(event_id="one", series="b"))).accepted == 1


# --- sums beyond 64 bits ---


def test_an_event_for_which_a_sum_has_no_room_is_a_dead_letter_and_the_others_count(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(record_count=1, outpatient_visits=3)))
    with writing(engine) as connection:
        connection.execute(text("UPDATE upload_day SET records = :most"), {"most": MAX_SUM - 10})
    batch = make_batch(
        make_event(sequence=2, record_count=8, outpatient_visits=1),
        make_event(sequence=3, record_count=3),
        make_event(sequence=4, record_count=2),
        make_event(sequence=5, record_count=9, table_code="C0001"),
        first=1,
    )
    assert ledger.append(batch) == Appended(True, accepted=3, duplicates=0, dead_letters=1)
    assert only_row(engine, tables.DeadLetterRow)["reason"] == Reason.SUM_OVERFLOW
    sums = {row["table_code"]: (row["records"], row["outpatient_visits"]) for row in rows(engine, Topic.CDA_DOCUMENTS)}
    assert sums == {"C0002": (MAX_SUM, 4), "C0001": (9, None)}
    assert all(type(records) is int for records, _ in sums.values())
    assert [(gap.first, gap.last) for gap in find_gaps(engine)] == [(3, 3)]


def test_the_sum_of_a_month_may_be_greater_than_any_number_in_it(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(), make_event(sequence=2, table_code="C0001")))
    with writing(engine) as connection:
        connection.execute(text("UPDATE upload_day SET records = :most"), {"most": MAX_SUM})
    assert read_month(engine, Period(2024, 9)).figure("records", UNIT) == 2 * MAX_SUM


# --- many gaps, many series ---


def test_what_an_event_costs_does_not_grow_with_what_is_open(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(sequence=40_001)))
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM open_gap"))
        gap = (
            "INSERT INTO open_gap (unit_id, topic, series, first_missing, last_missing) VALUES (:u, 'cda-documents', '', :n, :n)"
        )
        connection.execute(text(gap), [{"u": UNIT, "n": n} for n in range(1, 40_001, 2)])
    touched: list[int] = []

    @event.listens_for(engine, "after_cursor_execute")
    def _count(_connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if "open_gap" in statement and not statement.startswith("WITH"):
            touched.append(len(parameters) if many else cursor.rowcount)

    assert ledger.append(make_batch(make_event(sequence=20_001), make_event(sequence=40_003), first=1)).accepted == 2
    event.remove(engine, "after_cursor_execute", _count)
    assert sum(touched) <= 2, "one gap was closed, one opened"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM open_gap")).scalar_one() == 20_000


def test_gaps_have_the_dates_of_their_own_stream_and_keep_them(ledger: Ledger, engine: Engine) -> None:
    ledger.append(
        make_batch(
            make_event(sequence=1, business_date=date(2024, 9, 1)),
            make_event(sequence=1, series="b", event_id="b1", business_date=date(2024, 9, 7)),
            make_event(sequence=1, unit_id=OTHER_UNIT, business_date=date(2024, 9, 8)),
            make_event(sequence=9, business_date=date(2024, 9, 3)),
        )
    )
    ledger.append(make_batch(make_event(sequence=5, business_date=date(2024, 9, 2)), first=4))
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM receipt_run"))
    found = [Gap(gap.first, gap.last, gap.after, gap.before) for gap in find_gaps(engine)]
    assert found == [
        Gap(2, 4, date(2024, 9, 1), date(2024, 9, 2)),
        Gap(6, 8, date(2024, 9, 2), date(2024, 9, 3)),
    ]
    assert [(fact.series, fact.missing) for fact in stream_facts(engine, UNIT)] == [("", 6), ("b", 0)], (
        "what was filled is not missing"
    )


OTHER_STREAMS: Mapping[str, Callable[[int], Event]] = {
    "another series": lambda number: make_event(series="b", sequence=number, event_id=f"b{number}"),
    "another unit": lambda number: make_event(unit_id=OTHER_UNIT, sequence=number),
    "another topic": lambda number: make_forms(sequence=number),
}


@pytest.mark.parametrize("other", OTHER_STREAMS)
def test_a_number_in_a_gap_is_found_though_a_gap_of_another_stream_begins_nearer(
    other: str, ledger: Ledger, engine: Engine
) -> None:
    for number in (1, 2, 3, 9):  # 4 to 8 are missing
        assert append_next(ledger, OTHER_STREAMS[other](number)).accepted == 1
    assert append_next(ledger, make_event(sequence=9)).accepted == 1  # 1 to 8 are missing
    assert append_next(ledger, make_event(sequence=5)).accepted == 1
    found = [(gap.first, gap.last) for gap in find_gaps(engine) if (gap.unit_id, gap.topic, gap.series) == STREAM]
    assert found == [(1, 4), (6, 8)]


@pytest.mark.parametrize("other", OTHER_STREAMS)
def test_a_conflict_is_seen_though_receipts_of_another_stream_begin_nearer(other: str, ledger: Ledger) -> None:
    ledger.append(make_batch(*(make_event(sequence=number) for number in range(1, 7))))  # kept as one run, from 1 on
    for number in (4, 5, 6):  # and these from 4 on
        assert append_next(ledger, OTHER_STREAMS[other](number)).accepted == 1
    again, another = append_next(ledger, make_event(sequence=5)), append_next(ledger, make_event(sequence=5, event_id="new"))
    assert (again.duplicates, again.dead_letters) == (1, 0)
    assert (another.duplicates, another.dead_letters) == (0, 1)


def append_next(ledger: Ledger, event: Event) -> Appended:
    """Append one event where its topic's partition stands."""
    topic = TOPIC_OF[type(event)]
    return ledger.append(make_batch(event, first=ledger.next_offsets()[TOPIC_IDS[topic], 0]))


def test_a_flood_of_series_is_bounded_and_named(ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.ledger.known.MAX_SERIES", 3)
    events = [make_event(series=f"s{n}", event_id=f"e{n}") for n in range(5)]
    assert ledger.append(make_batch(*events)) == Appended(True, accepted=3, duplicates=0, dead_letters=2)
    later = [
        make_event(series="s9", event_id="e9"),
        make_event(series="s0", sequence=2),
        make_event(unit_id=OTHER_UNIT, series="s9"),
    ]
    assert ledger.append(make_batch(*later, first=5)) == Appended(True, accepted=2, duplicates=0, dead_letters=1)
    assert {row["reason"] for row in rows(engine, tables.DeadLetterRow)} == {Reason.TOO_MANY_SERIES}
    assert MAX_SERIES >= 3650, "a series a day for ten years"


# --- receipts in runs ---


def test_short_runs_are_merged_once_their_block_is_passed_and_every_receipt_stays(ledger: Ledger, engine: Engine) -> None:
    numbers = list(range(1, BLOCK + 20))
    for first in range(0, len(numbers), 40):
        ledger.append(make_batch(*[make_event(sequence=n) for n in numbers[first : first + 40]], first=first))
    assert [receipt["sequence"] for receipt in receipts(engine)] == numbers
    assert len(rows(engine, tables.StoredReceipts)) <= 3
    again = make_batch(
        *[make_event(sequence=n) for n in (1, 500, BLOCK)], make_event(sequence=7, event_id="x"), first=len(numbers)
    )
    assert ledger.append(again) == Appended(True, accepted=0, duplicates=3, dead_letters=1)


# --- an earlier ledger ---


def test_the_receipts_of_an_earlier_ledger_become_runs_without_loss(database_url: str) -> None:
    engine = make_engine(database_url)
    stream = {"u": UNIT, "t": "cda-documents", "s": ""}
    with writing(engine) as connection:
        migrate_to(connection, "0008")
        connection.execute(text("INSERT INTO platform_clock (id, greatest_event_at, advanced_at) VALUES (1, 1725940800000, 0)"))
        connection.execute(
            text(
                "INSERT INTO stream_state"
                " (unit_id, topic, series, next_sequence, accepted, duplicates, skipped, filled, ahead, behind)"
                " VALUES (:u, :t, :s, 1203, 1201, 0, 1, 0, 0, 0)"
            ),
            stream,
        )
        connection.execute(text("INSERT INTO open_gap VALUES (:u, :t, :s, 1200, 1200)"), stream)
        counted = "INSERT INTO counted_event VALUES (:u, :t, :s, :n, :e, '2024-09-09')"
        numbers = [n for n in range(1, 1203) if n != 1200]
        connection.execute(text(counted), [{**stream, "n": n, "e": f"documents-{n}"} for n in numbers])
        connection.execute(
            text(
                "INSERT INTO dead_letter (topic_id, partition, position, topic, received_at, reason, detail, state, value)"
                " VALUES (:topic, 0, 5, 'hip.cda-documents.v1', 0, 'truncated', 'cut', 'kept', :value)"
            ),
            {"topic": CDA, "value": b"bytes"},
        )
    upgrade_database(database_url)
    with engine.connect() as connection:
        assert differences(connection) == []
    assert [receipt["sequence"] for receipt in receipts(engine)] == numbers
    assert [(gap.first, gap.after, gap.before) for gap in find_gaps(engine)] == [(1200, DAY, DAY)]
    assert [kept.letter.value for kept in DeadLetters(engine).find(DeadLetterFilter())] == [b"bytes"]
    ledger = prepare(Ledger(engine, UNITS))
    assert ledger.greatest_event_at() == NOON
    batch = make_batch(
        make_event(sequence=1202),
        make_event(sequence=3, event_id="another"),
        make_event(sequence=1200),
        make_event(sequence=1, series="new", event_id="documents-7"),
    )
    assert ledger.append(batch) == Appended(True, accepted=1, duplicates=2, dead_letters=1)
    engine.dispose()
