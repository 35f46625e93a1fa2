"""Dead letters replayed and discarded, gaps, pruning and migrations: the same on every database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from hipwatch.recount import compare_ledgers
from monitor.bulletin.build import build_bulletin
from monitor.counting.batch import Position
from monitor.ledger import dead_letters, migrating, tables
from monitor.ledger import versions as table_versions
from monitor.ledger.append import Ledger
from monitor.ledger.database import make_engine, open_database, upgrade_database, writing
from monitor.ledger.dead_letters import DeadLetterFilter, DeadLetters
from monitor.ledger.gaps import find_gaps, stream_facts
from monitor.ledger.month import read_month
from monitor.ledger.pruning import prune
from monitor.ledger.tables.dead_letters import LetterState
from monitor.paging.incidents import know_nothing
from monitor.paging.receive import record
from monitor.paging.webhook_message import WebhookMessage
from schemas.codec.encode import encode
from schemas.codec.reasons import Reason
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import Register
from tests.contract.contents import contents, only_row, rows
from tests.factories import NOON, OTHER_UNIT, RECEIVED, UNIT, make_alert, make_batch, make_delivery, make_event, make_letter

SEPTEMBER = Period(2024, 9)


def records(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(sum(records), 0) FROM upload_day")).scalar_one())


def kept_good_letter(ledger: Ledger, **overrides: object) -> None:
    """A letter whose bytes decode by now: as after a fix."""
    letter = make_letter(value=encode(make_event(**overrides)), reason=Reason.UNKNOWN_TABLE)
    ledger.append(make_batch(dead_letters=[letter]))


# --- dead letters ---


def test_a_letter_that_decodes_after_a_fix_counts_once_however_often_it_is_replayed(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    kept_good_letter(ledger, record_count=7)
    letters = DeadLetters(engine)
    found = letters.find(DeadLetterFilter())
    first, again = letters.replay(found, register), letters.replay(found, register)
    assert (first.counted, first.failed) == (1, 0)
    assert (again.counted, again.duplicates, again.failed) == (0, 0, 0)
    assert records(engine) == 7
    assert letters.find(DeadLetterFilter()) == []
    assert [kept.state for kept in letters.find(DeadLetterFilter(state=None))] == [LetterState.REPLAYED]


def test_a_letter_whose_event_was_sent_again_meanwhile_is_a_duplicate(ledger: Ledger, engine: Engine, register: Register) -> None:
    kept_good_letter(ledger, record_count=7)
    ledger.append(make_batch(make_event(record_count=7), first=1))
    result = DeadLetters(engine).replay(DeadLetters(engine).find(DeadLetterFilter()), register)
    assert (result.counted, result.duplicates) == (0, 1)
    assert records(engine) == 7


def test_a_letter_that_still_fails_stays_and_says_why(ledger: Ledger, engine: Engine, register: Register) -> None:
    ledger.append(make_batch(dead_letters=[make_letter(value=b"nonsense")]))
    letters = DeadLetters(engine)
    reasons: list[str] = []
    result = letters.replay(letters.find(DeadLetterFilter()), register, lambda _, why: reasons.append(why))
    assert (result.counted, result.failed) == (0, 1)
    assert "not_avro" in reasons[0]
    assert [kept.state for kept in letters.find(DeadLetterFilter())] == [LetterState.KEPT]


def test_a_letter_whose_number_is_taken_by_another_event_stays_and_changes_nothing(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    kept_good_letter(ledger, event_id="mine", record_count=7)
    ledger.append(make_batch(make_event(event_id="theirs", record_count=5), first=1))
    letters = DeadLetters(engine)
    reasons: list[str] = []
    assert letters.replay(letters.find(DeadLetterFilter()), register, lambda _, why: reasons.append(why)).failed == 1
    assert "sequence_conflict" in reasons[0]
    assert records(engine) == 5
    assert [kept.state for kept in letters.find(DeadLetterFilter())] == [LetterState.KEPT]
    assert [facts.duplicates for facts in stream_facts(engine)] == [0]


def test_a_discarded_letter_loses_its_bytes_and_keeps_its_place(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(dead_letters=[make_letter()]))
    letters = DeadLetters(engine)
    found = letters.find(DeadLetterFilter())
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
            dead_letters=[
                make_letter(offset=0, reason=Reason.TRUNCATED, key=UNIT.encode()),
                make_letter(offset=1, reason=Reason.NOT_AVRO, key=OTHER_UNIT.encode(), received_at=later),
                make_letter(offset=2, reason=Reason.NOT_AVRO, key=b"\xff\x00"),
            ]
        )
    )
    letters = DeadLetters(engine)

    def offsets(wanted: DeadLetterFilter) -> list[int]:
        return sorted(kept.letter.offset for kept in letters.find(wanted))

    assert offsets(DeadLetterFilter()) == [0, 1, 2]
    assert offsets(DeadLetterFilter(reason=Reason.NOT_AVRO)) == [1, 2]
    assert offsets(DeadLetterFilter(unit_id=UNIT)) == [0]
    assert offsets(DeadLetterFilter(since=later)) == [1]
    assert offsets(DeadLetterFilter(until=later)) == [0, 2]
    assert [kept.unit_id for kept in letters.find(DeadLetterFilter(reason=Reason.NOT_AVRO))] == [None, OTHER_UNIT]


NOWHERE = ["", "nowhere", "hip.cda-documents.v1-0@99", "hip.cda-documents.v1-x@0", "@", "-@1"]
ODD_NUMBERS = [("²", "1"), ("1", "²"), ("9" * 40, "1"), ("1", "9" * 5000)]


@pytest.mark.parametrize("place", NOWHERE + [f"hip.cda-documents.v1-{number}@{offset}" for number, offset in ODD_NUMBERS])
def test_a_place_without_a_letter_is_a_clear_error(place: str, ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(dead_letters=[make_letter()]))
    with pytest.raises(HipwatchError, match="there is no dead letter"):
        DeadLetters(engine).at(place)


def test_letters_of_any_number_are_replayed_a_page_at_a_time(
    ledger: Ledger, engine: Engine, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "_PAGE", 7)
    letters = [make_letter(offset=n, value=encode(make_event(sequence=n + 1))) for n in range(60)]
    ledger.append(make_batch(dead_letters=letters))  # all of one moment: the place decides
    stored = DeadLetters(engine)
    assert [kept.letter.offset for kept in stored.each(DeadLetterFilter())] == list(range(60))
    assert stored.replay(stored.each(DeadLetterFilter()), register).counted == 60
    assert records(engine) == 600
    assert stored.find(DeadLetterFilter()) == []


# --- gaps ---


def test_a_hole_says_what_to_ask_for_with_the_dates_around_it(ledger: Ledger, engine: Engine) -> None:
    ledger.append(
        make_batch(
            make_event(sequence=1, business_date=date(2024, 9, 1)),
            make_event(sequence=5, business_date=date(2024, 9, 3)),
            make_event(sequence=7, business_date=date(2024, 9, 3)),
        )
    )
    assert [gap.request() for gap in find_gaps(engine)] == [
        "re-send 2–4 of 2024-09-01 to 2024-09-03",
        "re-send 6 of 2024-09-03",
    ]
    assert find_gaps(engine, OTHER_UNIT) == []
    facts = stream_facts(engine, UNIT)
    assert [(fact.accepted, fact.duplicates, fact.missing) for fact in facts] == [(3, 0, 4)]


def test_a_hole_before_the_first_number_is_asked_for_too(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(sequence=3)))
    assert [gap.request() for gap in find_gaps(engine)] == ["re-send 1–2 of 2024-09-09"]


# --- pruning ---


def advance_clock(ledger: Ledger, until: datetime) -> None:
    """Everything that was sent is counted, and nothing is left before `until`."""
    ledger.raise_complete_until([Position(*place, offset) for place, offset in ledger.next_offsets().items()], until)


def test_pruning_keeps_every_printed_number_and_still_knows_a_duplicate(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    ledger.append(make_batch(make_event(sequence=1), make_event(sequence=2)))
    before = build_bulletin(read_month(engine, SEPTEMBER), register)
    advance_clock(ledger, NOON + timedelta(days=35))
    would_go = prune(engine, Period(2024, 10), dry_run=True)
    assert prune(engine, Period(2024, 10), dry_run=True) == would_go, "nothing went"
    gone = prune(engine, Period(2024, 10))
    assert gone == would_go
    assert (gone.receipts, gone.hours) == (2, 1)
    assert build_bulletin(read_month(engine, SEPTEMBER), register) == before
    appended = ledger.append(make_batch(make_event(sequence=1), first=2))
    assert (appended.accepted, appended.duplicates, appended.dead_letters) == (0, 1, 0)
    assert build_bulletin(read_month(engine, SEPTEMBER), register) == before


def test_pruning_leaves_the_months_that_it_is_told_to_keep_and_unsettled_letters(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(sequence=1), dead_letters=[make_letter(offset=1)]))
    advance_clock(ledger, NOON + timedelta(days=100))
    gone = prune(engine, SEPTEMBER)
    assert (gone.receipts, gone.dead_letters) == (0, 0)
    assert prune(engine, Period(2024, 12)).dead_letters == 0
    assert len(DeadLetters(engine).find(DeadLetterFilter())) == 1


@pytest.mark.parametrize("period", [Period(2024, 10), Period(2099, 1)])
def test_what_deadlines_look_back_on_and_the_open_month_are_not_pruned(period: Period, ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(sequence=1)))
    advance_clock(ledger, datetime(2024, 10, 14, 15, 59, tzinfo=UTC))  # the 14th ends in Shanghai: September is looked back on
    before = contents(engine)
    with pytest.raises(HipwatchError, match=r"still needed.*prune 2024-09 is the most that can go"):
        prune(engine, period)
    assert contents(engine) == before
    advance_clock(ledger, datetime(2024, 10, 14, 16, 0, tzinfo=UTC))
    assert prune(engine, Period(2024, 10)).receipts == 1


def test_nothing_is_pruned_before_the_clock_stands_anywhere(ledger: Ledger, engine: Engine) -> None:
    ledger.append(make_batch(make_event(sequence=1)))
    with pytest.raises(HipwatchError, match="the platform clock does not stand anywhere yet"):
        prune(engine, Period(2000, 1))


def test_an_open_incident_is_never_pruned(ledger: Ledger, engine: Engine) -> None:
    advance_clock(ledger, NOON + timedelta(days=400))
    record(engine, WebhookMessage.model_validate(make_delivery(make_alert())), NOON, know_nothing)
    assert prune(engine, Period(2025, 9)).incidents == 0
    record(engine, WebhookMessage.model_validate(make_delivery(make_alert(status="resolved"))), NOON, know_nothing)
    assert prune(engine, Period(2025, 9)).incidents == 1


def test_an_open_incident_keeps_its_history_and_a_closed_one_goes_with_it_when_its_month_does(
    ledger: Ledger, engine: Engine
) -> None:
    advance_clock(ledger, NOON + timedelta(days=400))
    over = make_alert(fingerprint="over")
    for alert in (make_alert(), over, {**over, "status": "resolved"}):
        record(engine, WebhookMessage.model_validate(make_delivery(alert)), NOON, know_nothing)
    assert prune(engine, SEPTEMBER).incidents == 0, "it was closed in September"
    assert len(rows(engine, tables.IncidentEvent)) == 3
    assert prune(engine, Period(2024, 10)).incidents == 1
    incident = only_row(engine, tables.Incident)
    assert (incident["fingerprint"], incident["closed_at"]) == (make_alert()["fingerprint"], None)
    assert only_row(engine, tables.IncidentEvent)["incident_id"] == incident["id"]


# --- migrations ---


def test_a_ledger_of_the_first_release_is_upgraded_without_loss(database_url: str, register: Register) -> None:
    engine = make_engine(database_url)
    with writing(engine) as connection:
        migrating.migrate_to(connection, "0001")
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
    assert build_bulletin(read_month(engine, SEPTEMBER), register).cell(UnitId("gulou"), "records_uploaded") == 41
    assert [kept.state for kept in DeadLetters(engine).find(DeadLetterFilter())] == [LetterState.KEPT]
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
        assert migrating.differences(connection) == []


# --- recount ---


def test_two_ledgers_are_compared_cell_by_cell(ledger: Ledger, engine: Engine, register: Register) -> None:
    before = build_bulletin(read_month(engine, SEPTEMBER), register)
    ledger.append(make_batch(make_event(record_count=3, event_time=NOON)))
    after = build_bulletin(read_month(engine, SEPTEMBER), register)
    assert compare_ledgers(after, after).disagreements == []
    columns = {(found.unit_id, found.column) for found in compare_ledgers(after, before).disagreements}
    assert columns == {(UNIT, column) for column in ("records_uploaded", "scheduled_records", "upload_days", "tables_uploaded")}
