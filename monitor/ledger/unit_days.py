"""Read what the rules need of every unit: daily sums of a bounded look-back, declarations, totals, gaps. Shell, read-only."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Select, Table, delete, select

from monitor.counting.feeds import FEED_OF_TOPIC, Feed
from monitor.counting.unit_days import (
    Arrivals,
    DeclarationRow,
    FeedRow,
    FormRow,
    GapFacts,
    HealthDay,
    Measures,
    UnitDays,
    UploadRow,
)
from monitor.ledger import tables
from monitor.ledger.errors import friendly_errors
from monitor.ledger.gaps import find_gaps
from monitor.ledger.statements import insert, table_of
from schemas.clock import local_date
from schemas.events import TableCode
from schemas.topics import Topic

_CLOCK: Final = table_of(tables.PlatformClock)
_UPLOAD: Final = tables.TABLE_OF[Topic.CDA_DOCUMENTS]
_FORM: Final = tables.TABLE_OF[Topic.REALTIME_FORMS]
_FEED: Final = table_of(tables.FeedState)
_DECLARED: Final = tables.TABLE_OF[Topic.DECLARATIONS]
_HEALTH: Final = tables.TABLE_OF[Topic.HEALTH_RECORDS]
_SENT: Final = table_of(tables.SentDay)
_KEPT: Final = timedelta(days=450)
"""For the score of a month of last year."""
_EVER: Final = table_of(tables.UploadedTable)
_JUDGED: Final = table_of(tables.JudgedUntil)


class PlatformDays(NamedTuple):
    """The platform clock, and the rows of every unit up to it."""

    clock: datetime
    rows: UnitDays


def read_unit_days(engine: Engine, look_back: timedelta, at: datetime | None = None) -> PlatformDays | None:
    """Everything of the last `look_back` before the platform clock, in one read transaction; None before the first event.

    With `at`, an earlier moment, as if the clock stood there: what has come since for those dates is in it too.
    Business dates after the clock's day come from wrong clocks and are left out. Raises LedgerUnavailable.
    """
    with friendly_errors(engine), engine.connect() as connection, connection.begin():
        clock: datetime | None = connection.execute(select(_CLOCK.c.complete_until)).scalar()
        if clock is None:
            return None
        clock = clock if at is None else min(clock, at)
        today = local_date(clock)
        since = today - look_back
        rows = UnitDays(
            uploads=list(_uploads(connection, since, today)),
            forms=[FormRow(*row) for row in connection.execute(_daily(_FORM, "form_code", since, today))],
            arrivals=list(_arrivals(connection, since, today)),
            feeds=[
                FeedRow(row.unit_id, Feed(row.feed), row.first_event_at, row.last_event_at)
                for row in connection.execute(select(_FEED))
            ],
            ever=_ever(connection, look_back),
            declarations=list(_declarations(connection)),
            health=list(_health(connection, since, today)),
        )
    rows.gaps = list(_gaps(engine, today))
    return PlatformDays(clock, rows)


def note_uploaded_tables(connection: Connection, judged: datetime | None, look_back: timedelta) -> None:
    """Inside a write transaction: remember the tables that were uploaded since the evaluation at `judged`."""
    seen = _uploaded_since(judged, look_back).distinct()
    statement = insert(connection, _EVER).from_select(["unit_id", "table_code"], seen)
    connection.execute(statement.on_conflict_do_nothing())


def _uploaded_since(judged: datetime | None, look_back: timedelta) -> Select[Any]:
    """Tables with a document for dates that an evaluation at `judged` may not have seen; all of them before the first one."""
    found = select(_UPLOAD.c.unit_id, _UPLOAD.c.table_code).where(_UPLOAD.c.records > 0)
    return found if judged is None else found.where(_UPLOAD.c.business_date >= local_date(judged) - look_back)


def _daily(table: Table, code: str, since: date, today: date, *more: str) -> Select[Any]:
    columns = [table.c[name] for name in ("unit_id", code, "business_date", "events", "records", *more)]
    return select(*columns).where(table.c.business_date.between(since, today))


def _uploads(connection: Connection, since: date, today: date) -> Iterator[UploadRow]:
    measures = ("outpatient_visits", "discharges", "outpatient_revenue_cents", "inpatient_revenue_cents")
    for row in connection.execute(_daily(_UPLOAD, "table_code", since, today, *measures)):
        yield UploadRow(row.unit_id, row.table_code, row.business_date, row.events, row.records, Measures(*row[5:]))


def _ever(connection: Connection, look_back: timedelta) -> set[tuple[str, TableCode]]:
    """The tables that are known from earlier evaluations, and those that came since."""
    judged = connection.execute(select(_JUDGED.c.clock)).scalar()
    known = connection.execute(select(_EVER.c.unit_id, _EVER.c.table_code).union(_uploaded_since(judged, look_back)))
    return {(unit_id, TableCode(code)) for unit_id, code in known}


def _arrivals(connection: Connection, since: date, today: date) -> Iterator[tuple[str, Feed, Arrivals]]:
    for row in connection.execute(select(_SENT).where(_SENT.c.business_date.between(since, today))):
        yield row.unit_id, Feed(row.feed), Arrivals(row.sent_on, row.business_date, *row[4:])


def forget_sent_days(connection: Connection, today: date) -> None:
    """Inside a write transaction: delete what was sent for dates so old that no rule, score or forecast asks for them."""
    connection.execute(delete(_SENT).where(_SENT.c.business_date < today - _KEPT))


def _declarations(connection: Connection) -> Iterator[DeclarationRow]:
    """Each unit's last one."""
    ordered = select(_DECLARED).order_by(_DECLARED.c.declared_at, _DECLARED.c.event_id)
    latest = {row.unit_id: row for row in connection.execute(ordered)}
    for row in latest.values():
        yield DeclarationRow(row.unit_id, row.declared_at, frozenset(map(TableCode, row.table_codes.split())))


def _health(connection: Connection, since: date, today: date) -> Iterator[tuple[str, HealthDay]]:
    of_days = select(_HEALTH).where(_HEALTH.c.business_date.between(since, today))
    for row in connection.execute(of_days):
        yield row.unit_id, HealthDay(row.business_date, row.base_total, row.hypertension_total, row.diabetes_total)


def _gaps(engine: Engine, today: date) -> Iterator[tuple[str, GapFacts]]:
    """A gap whose neighbours are no longer known is as old as can be."""
    for gap in find_gaps(engine):
        feed = FEED_OF_TOPIC.get(gap.topic)
        if feed is not None:
            yield gap.unit_id, GapFacts(feed, gap.first, gap.last, gap.before or gap.after or today - timedelta(days=31))
