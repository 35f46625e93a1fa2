"""Post a folded batch to the ledger's tables. Shell: runs inside the transaction of `Ledger.append`, never alone."""

from collections.abc import Container, Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, delete

from monitor import tables
from monitor.database import insert, insert_rows, of_streams, table_of, upsert
from monitor.fold import Changes, Gap, StreamKey
from schemas.events import DeadLetter, HealthRecords, UnitId
from schemas.register import load_register
from schemas.topics import Topic

_HOUR: Final = table_of(tables.ActiveHour)
_UPLOAD: Final = table_of(tables.UploadDay)
_FORM: Final = table_of(tables.FormDay)
_DECLARED: Final = table_of(tables.DeclaredTables)
_HEALTH: Final = table_of(tables.HealthRecordDay)
_FEED: Final = table_of(tables.FeedState)
_STREAM: Final = table_of(tables.StreamState)
_GAP: Final = table_of(tables.OpenGap)
_COUNTED: Final = table_of(tables.CountedEvent)
_LETTER: Final = table_of(tables.DeadLetterRow)
_LETTER_COUNT: Final = table_of(tables.DeadLetterCount)


def post(connection: Connection, changes: Changes, gaps_before: Mapping[StreamKey, Sequence[Gap]]) -> None:
    """Add `changes`: sums, marks, declarations, snapshots, streams with their holes, receipts."""
    _post_sums(connection, changes)
    _post_declarations(connection, changes)
    _post_health_records(connection, changes)
    _post_streams(connection, changes, gaps_before)


def _post_sums(connection: Connection, changes: Changes) -> None:
    upsert(
        connection,
        _UPLOAD,
        [
            {
                "unit_id": unit_id,
                "table_code": table,
                "business_date": day,
                "events": sums.events,
                "records": sums.records,
                "outpatient_visits": sums.outpatient_visits,
                "discharges": sums.discharges,
                "outpatient_revenue_cents": sums.outpatient_revenue_cents,
                "inpatient_revenue_cents": sums.inpatient_revenue_cents,
            }
            for (unit_id, table, day), sums in changes.uploads.items()
        ],
        add=(
            "events",
            "records",
            "outpatient_visits",
            "discharges",
            "outpatient_revenue_cents",
            "inpatient_revenue_cents",
        ),
    )
    upsert(
        connection,
        _FORM,
        [
            {
                "unit_id": unit_id,
                "form_code": form,
                "business_date": day,
                "events": sums.events,
                "records": sums.records,
            }
            for (unit_id, form, day), sums in changes.forms.items()
        ],
        add=("events", "records"),
    )
    upsert(
        connection,
        _FEED,
        [
            {
                "unit_id": unit_id,
                "feed": feed,
                "first_event_at": mark.first_event_at,
                "last_event_at": mark.last_event_at,
                "last_business_date": mark.last_business_date,
            }
            for (unit_id, feed), mark in changes.marks.items()
        ],
        least=("first_event_at",),
        greatest=("last_event_at", "last_business_date"),
    )
    rows = [{"hour": hour} for hour in sorted(changes.hours)]  # one order: two workers cannot wait for each other
    insert_rows(connection, insert(connection, _HOUR).on_conflict_do_nothing(), rows)


def _post_declarations(connection: Connection, changes: Changes) -> None:
    rows = [
        {
            "unit_id": declaration.unit_id,
            "declared_at": declaration.event_time,
            "event_id": declaration.event_id,
            "table_codes": " ".join(declaration.table_codes),
        }
        for declaration in changes.declarations
    ]
    insert_rows(connection, insert(connection, _DECLARED).on_conflict_do_nothing(), rows)


def _post_health_records(connection: Connection, changes: Changes) -> None:
    """The later snapshot of a day wins, in whichever order they arrive; one statement writes a row once."""
    latest: dict[tuple[UnitId, date], HealthRecords] = {}
    for event in changes.health_records:
        before = latest.get((event.unit_id, event.business_date))
        if before is None or event.event_time >= before.event_time:
            latest[event.unit_id, event.business_date] = event
    statement = insert(connection, _HEALTH)
    new = statement.excluded
    totals = ("base_total", "hypertension_total", "diabetes_total", "event_time")
    statement = statement.on_conflict_do_update(
        index_elements=list(_HEALTH.primary_key.columns),
        set_={name: new[name] for name in totals},
        where=new.event_time >= _HEALTH.c.event_time,
    )
    names = ("unit_id", "business_date", *totals)
    insert_rows(connection, statement, [{name: getattr(event, name) for name in names} for event in latest.values()])


def _post_streams(connection: Connection, changes: Changes, gaps_before: Mapping[StreamKey, Sequence[Gap]]) -> None:
    counts = ("next_sequence", "accepted", "duplicates", "skipped", "filled", "ahead", "behind")
    rows = [
        {"unit_id": key.unit_id, "topic": key.topic, "series": key.series} | {name: getattr(stream, name) for name in counts}
        for key, stream in changes.streams.items()
    ]
    statement = insert(connection, _STREAM)  # the rows are there, and ours: `count` has locked them
    new = {name: statement.excluded[name] for name in counts}
    insert_rows(connection, statement.on_conflict_do_update(index_elements=list(_STREAM.primary_key.columns), set_=new), rows)
    _replace_gaps(
        connection, {key: stream.gaps for key, stream in changes.streams.items() if stream.gaps != list(gaps_before[key])}
    )
    receipts = [
        {
            "unit_id": receipt.stream.unit_id,
            "topic": receipt.stream.topic,
            "series": receipt.stream.series,
            "sequence": receipt.sequence,
            "event_id": receipt.event_id,
            "business_date": receipt.business_date,
        }
        for receipt in changes.receipts
    ]
    insert_rows(connection, insert(connection, _COUNTED), receipts)


def _replace_gaps(connection: Connection, changed: Mapping[StreamKey, Sequence[Gap]]) -> None:
    if not changed:
        return
    connection.execute(of_streams(delete(_GAP), _GAP, list(changed)))
    rows = [
        {
            "unit_id": key.unit_id,
            "topic": key.topic,
            "series": key.series,
            "first_missing": gap.first,
            "last_missing": gap.last,
        }
        for key, gaps in changed.items()
        for gap in gaps
    ]
    insert_rows(connection, insert(connection, _GAP), rows)


def post_letters(connection: Connection, topic_id: str, topic: Topic, letters: Sequence[DeadLetter]) -> None:
    """Keep dead letters, and count them by topic and reason."""
    if not letters:
        return
    units = load_register().units
    rows = [
        {
            "topic_id": topic_id,
            "partition": letter.partition,
            "position": letter.offset,
            "topic": letter.topic,
            "received_at": letter.received_at,
            "reason": letter.reason,
            "detail": letter.detail,
            "unit_id": _unit_in(letter.key, units),
            "key": letter.key,
            "value": letter.value,
        }
        for letter in letters
    ]
    insert_rows(connection, insert(connection, _LETTER), rows)
    reasons = [letter.reason for letter in letters]
    totals = [{"topic": topic, "reason": reason, "total": reasons.count(reason)} for reason in sorted(set(reasons))]
    upsert(connection, _LETTER_COUNT, totals, add=("total",))


def _unit_in(key: bytes | None, units: Container[str]) -> str | None:
    """The unit that a message's key names; None when it names none of ours, for it may hold anything."""
    unit_id = (key or b"").decode("utf-8", "replace")
    return unit_id if unit_id in units else None
