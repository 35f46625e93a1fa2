"""Dead letters replayed and discarded, holes, pruning and migrations: the same on every database."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from hipwatch.recount import compare_ledgers
from monitor import table_versions
from monitor.budget import LetterBudget
from monitor.bulletin.build import build_bulletin
from monitor.database import make_engine, open_database, upgrade_database, writing
from monitor.gaps import find_holes, stream_facts
from monitor.ledger import Ledger
from monitor.letters import Filter, Letters
from monitor.pruning import prune
from monitor.tables import LetterState
from schemas.codec import Reason, encode
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import Register
from tests.factories import NOON, OTHER_UNIT, RECEIVED, UNIT, make_batch, make_event, make_letter

SEPTEMBER = Period(2024, 9)


def records(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(sum(records), 0) FROM upload_day")).scalar_one())


def kept_good_letter(ledger: Ledger, **overrides: object) -> None:
    """A letter whose bytes decode by now: as after a fix."""
    letter = make_letter(value=encode(make_event(**overrides)), reason=Reason.UNKNOWN_TABLE)
    ledger.append(make_batch(letters=[letter]))


# --- dead letters ---


def test_a_letter_that_decodes_after_a_fix_counts_once_however_often_it_is_replayed(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    kept_good_letter(ledger, record_count=7)
    letters = Letters(engine)
    found = letters.find(Filter())
    first, again = letters.replay(found, register), letters.replay(found, register)
    assert (first.counted, first.failed) == (1, [])
    assert (again.counted, again.duplicates, again.failed) == (0, 0, [])
    assert records(engine) == 7
    assert letters.find(Filter()) == []
    assert [kept.state for kept in letters.find(Filter(state=None))] == [LetterState.REPLAYED]


def test_a_letter_whose_event_was_sent_again_meanwhile_is_a_duplicate(ledger: Ledger, engine: Engine, register: Register) -> None:
    kept_good_letter(ledger, record_count=7)
    ledger.append(make_batch(make_event(record_count=7), first=1))
    result = Letters(engine).replay(Letters(engine).find(Filter()), register)
    assert (result.counted, result.duplicates) == (0, 1)
    assert records(engine) == 7


def test_a_letter_that_still_fails_stays_and_says_why(ledger: Ledger, engine: Engine, register: Register) -> None:
    ledger.append(make_batch(letters=[make_letter(value=b"nonsense")]))
    letters = Letters(engine)
    result = letters.replay(letters.find(Filter()), register)
    assert result.counted == 0
    assert "not_avro" in result.failed[0][1]
    assert [kept.state for kept in letters.find(Filter())] == [LetterState.KEPT]


def test_a_letter_whose_number_is_taken_by_another_event_stays_and_changes_nothing(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    kept_good_letter(ledger, event_id="mine", record_count=7)
    ledger.append(make_batch(make_event(event_id="theirs", record_count=5), first=1))
    letters = Letters(engine)
    result = letters.replay(letters.find(Filter()), register)
    assert "sequence_conflict" in result.failed[0][1]
    assert records(engine) == 5
    assert [kept.state for kept in letters.find(Filter())] == [LetterState.KEPT]
    assert [facts.duplicates for facts in stream_facts(engine)] == [0]


def test_a_discarded_letter_loses_its_bytes_and_keeps_its_place(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(letters=[make_letter()]))
    letters = Letters(engine)
    found = letters.find(Filter())
    assert letters.discard(found) == 1
    assert letters.discard(found) == 0
    settled = letters.at(found[0].place)
    assert (settled.letter.key, settled.letter.value, settled.state) == (None, None, LetterState.DISCARDED)
    assert settled.letter.reason == Reason.TRUNCATED
    assert letters.unpublished() == []


def test_letters_are_found_by_reason_unit_and_time_of_receipt(ledger: Ledger, engine: Engine) -> None:
    later = RECEIVED + timedelta(days=2)
    ledger.append(
        make_batch(
            letters=[
                make_letter(offset=0, reason=Reason.TRUNCATED, key=UNIT.encode()),
                make_letter(offset=1, reason=Reason.NOT_AVRO, key=OTHER_UNIT.encode(), received_at=later),
                make_letter(offset=2, reason=Reason.NOT_AVRO, key=b"\xff\x00"),
            ]
        )
    )
    letters = Letters(engine)

    def offsets(wanted: Filter) -> list[int]:
        return sorted(kept.letter.offset for kept in letters.find(wanted))

    assert offsets(Filter()) == [0, 1, 2]
    assert offsets(Filter(reason=Reason.NOT_AVRO)) == [1, 2]
    assert offsets(Filter(unit_id=UNIT)) == [0]
    assert offsets(Filter(since=later)) == [1]
    assert offsets(Filter(until=later)) == [0, 2]
    assert [kept.unit_id for kept in letters.find(Filter(reason=Reason.NOT_AVRO))] == [None, OTHER_UNIT]


@pytest.mark.parametrize("place", ["", "nowhere", "hip.cda-documents.v1-0@99", "hip.cda-documents.v1-x@0", "@", "-@1"])
def test_a_place_without_a_letter_is_a_clear_error(place: str, ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(letters=[make_letter()]))
    with pytest.raises(HipwatchError, match="there is no dead letter"):
        Letters(engine).at(place)


@pytest.mark.parametrize(
    ("limit", "batches", "allowed"),
    [
        (0.5, [(100, 100)], True),  # fewer than 500 are never too many
        (0.5, [(5000, 2500)], True),  # exactly the limit
        (0.5, [(5000, 2501)], False),
        (0.5, [(5000, 0), (600, 600)], True),  # a burst after a long calm: 600 of 5600
        (0.5, [(3000, 0), (2500, 2500)], False),  # the calm is out of the window
        (0.5, [(50, 50)] * 10, False),  # small batches add up
        (0, [(5000, 5000)], True),  # no limit
        (1, [(5000, 5000)], True),
    ],
)
def test_too_many_dead_letters_stop_a_worker(limit: float, batches: list[tuple[int, int]], allowed: bool) -> None:
    budget = LetterBudget(limit)
    assert [budget.allows(*batch) for batch in batches][-1] is allowed


# --- holes ---


def test_a_hole_says_what_to_ask_for_with_the_dates_around_it(ledger: Ledger, engine: Engine) -> None:
    ledger.append(
        make_batch(
            make_event(sequence=1, business_date=date(2024, 9, 1)),
            make_event(sequence=5, business_date=date(2024, 9, 3)),
            make_event(sequence=7, business_date=date(2024, 9, 3)),
        )
    )
    assert [hole.request() for hole in find_holes(engine)] == [
        "re-send 2–4 of 2024-09-01 to 2024-09-03",
        "re-send 6 of 2024-09-03",
    ]
    assert find_holes(engine, OTHER_UNIT) == []
    facts = stream_facts(engine, UNIT)
    assert [(fact.accepted, fact.duplicates, fact.missing) for fact in facts] == [(3, 0, 4)]


def test_a_hole_before_the_first_number_is_asked_for_too(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(sequence=3)))
    assert [hole.request() for hole in find_holes(engine)] == ["re-send 1–2 of 2024-09-09"]


# --- pruning ---


def test_pruning_keeps_every_printed_number_and_still_knows_a_duplicate(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    ledger.append(make_batch(make_event(sequence=1), make_event(sequence=2)))
    before = build_bulletin(engine, register, SEPTEMBER)
    gone = prune(engine, Period(2024, 10))
    assert gone.receipts == 2
    assert build_bulletin(engine, register, SEPTEMBER) == before
    appended = ledger.append(make_batch(make_event(sequence=1), first=2))
    assert (appended.accepted, appended.duplicates, appended.letters) == (0, 1, 0)
    assert build_bulletin(engine, register, SEPTEMBER) == before


def test_pruning_leaves_the_months_that_it_is_told_to_keep_and_unsettled_letters(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(sequence=1), letters=[make_letter(offset=1)]))
    gone = prune(engine, SEPTEMBER)
    assert (gone.receipts, gone.letters) == (0, 0)
    assert prune(engine, Period(2099, 1)).letters == 0
    assert len(Letters(engine).find(Filter())) == 1


# --- migrations ---


def test_a_ledger_of_the_first_release_is_upgraded_without_loss(database_url: str, register: Register) -> None:
    engine = make_engine(database_url)
    with writing(engine) as connection:
        table_versions.migrate_to(connection, "0001")
        connection.execute(text("DROP TABLE alembic_version"))  # that release had no migrations yet
        connection.execute(
            text(
                "INSERT INTO upload_day (unit_id, table_code, business_date, events, records)"
                " VALUES ('gulou', 'C0002', '2024-09-09', 1, 41)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO dead_letter (topic_id, partition, position, topic, received_at, reason, detail)"
                " VALUES ('t', 0, 0, 'hip.cda-documents.v1', 1725940860000, 'truncated', 'cut')"
            )
        )
    with pytest.raises(HipwatchError, match="hipwatch db upgrade"):
        open_database(database_url, create=True)
    assert upgrade_database(database_url) == ("0001", table_versions.newest())
    assert upgrade_database(database_url) == (table_versions.newest(), table_versions.newest())
    engine = open_database(database_url, create=True)
    assert build_bulletin(engine, register, SEPTEMBER).cell(UnitId("gulou"), "records_uploaded") == 41
    assert [kept.state for kept in Letters(engine).find(Filter())] == [LetterState.KEPT]
    engine.dispose()


def test_a_ledger_of_a_newer_release_is_refused(database_url: str) -> None:
    engine = open_database(database_url, create=True)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for attempt in (lambda: open_database(database_url, create=True), lambda: upgrade_database(database_url)):
        with pytest.raises(HipwatchError, match="newer release"):
            attempt()


def test_the_migrations_make_exactly_the_tables_of_the_models(engine: Engine) -> None:
    with engine.connect() as connection:
        assert table_versions.differences(connection) == []


# --- recount ---


def test_two_ledgers_are_compared_cell_by_cell(ledger: Ledger, engine: Engine, register: Register) -> None:
    before = build_bulletin(engine, register, SEPTEMBER)
    ledger.append(make_batch(make_event(record_count=3, event_time=NOON)))
    after = build_bulletin(engine, register, SEPTEMBER)
    assert compare_ledgers(after, after).disagreements == []
    columns = {(found.unit_id, found.column) for found in compare_ledgers(after, before).disagreements}
    assert columns == {(UNIT, column) for column in ("records_uploaded", "scheduled_records", "upload_days", "tables_uploaded")}
