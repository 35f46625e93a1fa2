"""The views that dashboards read: a month's numbers are those of the report, and missing is not zero. On every database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from ingest.scenario import find_scenario, load_scenario
from monitor.app.web import build_web, show_month
from monitor.board.dashboard_writer import DashboardWriter
from monitor.bulletin.build import build_bulletin
from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.append import Ledger
from monitor.ledger.database import closing_engine, make_engine
from monitor.ledger.month import read_month, read_running_month
from monitor.settings import ServeSettings
from schemas.bulletin.columns import Absent, Cell
from schemas.period import Period
from schemas.register import Register, UnitKind
from schemas.topics import TOPIC_OF
from tests.contract.test_bulletin import LONG_AFTER
from tests.contract.test_reading import advance
from tests.factories import (
    HOSPITAL,
    NOON,
    OTHER_UNIT,
    TOPIC_IDS,
    UNIT,
    make_batch,
    make_declaration,
    make_event,
    make_forms,
    make_health_records,
)
from tests.played_months import play

SEPTEMBER = Period(2024, 9)
NOT_CARRIED = {"outpatient_visits", "discharges"}
"""Where nothing was carried the print writes 0, and the view nothing."""
COLUMNS = {
    "tables_declared": "tables_declared",
    "tables_required": "tables_required",
    "tables_uploaded": "tables_uploaded",
    "records": "records_uploaded",
    "upload_days": "upload_days",
    "outpatient_visits": "outpatient_visits",
    "discharges": "discharges",
    "health_records_base": "health_records_base",
    "health_records_hypertension": "health_records_hypertension",
    "health_records_diabetes": "health_records_diabetes",
    "realtime_days": "realtime_days",
    "realtime_forms_uploaded": "realtime_forms_uploaded",
    "realtime_forms_required": "realtime_forms_required",
    "outpatient_revenue_cents": "outpatient_revenue_kcny",
    "inpatient_revenue_cents": "inpatient_revenue_kcny",
}
"""By the view's columns those of the bulletin."""


def writer_of(engine: Engine, register: Register) -> DashboardWriter:
    return DashboardWriter(engine, lambda: take_snapshot(engine, register, Rhythms()), lambda: read_running_month(engine))


def rows_of(engine: Engine, query: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(text(query)).mappings().all()


def month_of(engine: Engine, period: Period = SEPTEMBER) -> dict[str, Any]:
    return {row["unit_id"]: row for row in rows_of(engine, f"SELECT * FROM bulletin_month WHERE month = '{period.first}'")}


def as_cell(column: str, value: Any) -> Cell | None:
    if value is not None and column.endswith("_cents"):
        return Decimal(value) / 100_000
    return None if value is None else int(value)


def require_equal(engine: Engine, register: Register, period: Period) -> int:
    """Every cell of the report stands in the view; how many there are."""
    bulletin, shown = build_bulletin(read_month(engine, period), register), month_of(engine, period)
    assert set(shown) == {row.unit_id for rows in bulletin.rows.values() for row in rows}
    compared = 0
    for rows in bulletin.rows.values():
        for row in rows:
            for column, printed in COLUMNS.items():
                cell, value = row.cells[printed], as_cell(column, shown[row.unit_id][column])
                missing = isinstance(cell, Absent) or (cell == 0 and value is None and column in NOT_CARRIED)
                assert value == (None if missing else cell), (row.unit_id, column)
                compared += 1
    return compared


def test_a_played_month_has_the_reports_numbers(ledger: Ledger, engine: Engine, register: Register) -> None:
    scenario = load_scenario(find_scenario("2024-09"), register)
    of_kind = [[unit.unit_id for unit in register.units.values() if unit.kind is kind] for kind in register.kinds]
    play(ledger, scenario, register, [unit_id for unit_ids in of_kind for unit_id in unit_ids[:3]])
    writer_of(engine, register).write()
    assert require_equal(engine, register, SEPTEMBER) == 51 * len(COLUMNS)
    ladder = rows_of(
        engine,
        "SELECT unit_id, sum(CASE WHEN required THEN 1 ELSE 0 END) AS required,"
        " sum(CASE WHEN uploaded_ever THEN 1 ELSE 0 END) AS uploaded FROM table_ladder GROUP BY unit_id",
    )
    steps = {row["unit_id"]: (row["required"], row["uploaded"]) for row in ladder}
    assert steps == {unit: (row["tables_required"], row["tables_uploaded"]) for unit, row in month_of(engine).items()}


def append(ledger: Ledger, *uploads: Any) -> None:
    """Each is the first of a series of its own."""
    for upload in uploads:
        first = ledger.next_offsets()[TOPIC_IDS[TOPIC_OF[type(upload)]], 0]
        named = replace(upload, event_id=f"{first}", series=f"{first}")
        assert ledger.append(make_batch(named, first=first, received_at=LONG_AFTER)).accepted == 1


def test_missing_is_not_zero(ledger: Ledger, engine: Engine, register: Register) -> None:
    append(
        ledger,
        make_event(outpatient_visits=0, outpatient_revenue_cents=123_45),
        make_declaration(table_codes=()),
        make_health_records(base_total=900, hypertension_total=None),
        make_forms(),
        make_event(unit_id=HOSPITAL, discharges=7),
    )
    advance(ledger, NOON)
    writer_of(engine, register).write()
    assert require_equal(engine, register, SEPTEMBER) == 51 * len(COLUMNS)
    shown = month_of(engine)
    gulou, hospital, silent = shown[UNIT], shown[HOSPITAL], shown[OTHER_UNIT]
    assert (gulou["tables_declared"], hospital["tables_declared"], silent["tables_declared"]) == (0, None, None)
    assert (gulou["outpatient_visits"], gulou["discharges"], hospital["discharges"]) == (0, None, 7)
    assert (gulou["health_records_base"], gulou["health_records_hypertension"]) == (900, None)
    assert gulou["outpatient_revenue_kcny"] == (Decimal("12.34500") / 100 if on_postgresql(engine) else pytest.approx(0.12345))
    assert (gulou["inpatient_revenue_kcny"], silent["outpatient_revenue_cents"]) == (None, None)
    assert (silent["records"], silent["outpatient_visits"], silent["realtime_days"]) == (0, None, 0)
    assert (hospital["name_zh"], hospital["kind"]) == (register.units[HOSPITAL].name_zh, UnitKind.HOSPITAL)


def on_postgresql(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"


def test_a_sum_beyond_64_bits_is_shown(ledger: Ledger, engine: Engine, register: Register) -> None:
    cents = 2**62 + 1
    append(ledger, *(make_event(table_code=code, outpatient_revenue_cents=cents) for code in ("C0001", "C0002", "C0003")))
    advance(ledger, NOON)
    writer_of(engine, register).write()
    exact = 3 * cents
    assert month_of(engine)[UNIT]["outpatient_revenue_cents"] == (exact if on_postgresql(engine) else float(exact))


def test_every_month_has_its_turn_and_one_without_an_event_none(ledger: Ledger, engine: Engine, register: Register) -> None:
    append(ledger, make_event(), make_event(business_date=date(2024, 7, 3)), make_event(business_date=date(2020, 1, 3)))
    advance(ledger, NOON)
    writer = writer_of(engine, register)
    seen = []
    for _ in range(2):
        writer.write()
        seen.append(
            [str(row["month"]) for row in rows_of(engine, "SELECT DISTINCT month FROM bulletin_month ORDER BY month DESC")]
        )
    assert seen == [["2024-09-01", "2024-07-01"], ["2024-09-01", "2024-07-01", "2020-01-01"]]
    append(ledger, *(make_event(unit_id=unit, business_date=date(2024, 7, 4), record_count=90) for unit in (UNIT, OTHER_UNIT)))
    writer.write()  # a round ended with January 2020: the latest month has its turn again
    assert month_of(engine, Period(2024, 7))[OTHER_UNIT]["records"] == 90
    for period in (SEPTEMBER, Period(2024, 7), Period(2020, 1)):
        require_equal(engine, register, period)


def test_the_status_is_that_of_the_page(ledger: Ledger, engine: Engine, register: Register) -> None:
    append(ledger, make_event(), make_event(unit_id=HOSPITAL, event_time=NOON + timedelta(days=20)), make_forms(unit_id=HOSPITAL))
    advance(ledger, NOON + timedelta(days=20))
    writer_of(engine, register).write()
    status = take_snapshot(engine, register, Rhythms()).status
    shown = {(row["unit_id"], row["feed"]): row for row in rows_of(engine, "SELECT * FROM unit_status")}
    assert len(shown) == 2 * len(register.units)
    for unit in status.units:
        for feed in unit.feeds:
            row = shown[unit.unit.unit_id, feed.feed]
            assert row["condition"] == feed.condition
            assert row["life"] == unit.life
            assert moment_of(row["since"]) == whole_seconds(feed.since)
            assert moment_of(row["last_event_at"]) == whole_seconds(feed.last_event_at)
            overdue = None if feed.since is None or status.clock is None else (status.clock - feed.since).total_seconds()
            assert row["overdue_seconds"] == pytest.approx(overdue, abs=1)
    assert shown[UNIT, "scheduled"]["condition"] == "silent"


def moment_of(value: Any) -> datetime | None:
    found = datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
    return whole_seconds(found)


def whole_seconds(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(microsecond=0)


def test_the_ladder_tells_never_declared_from_not_declared(ledger: Ledger, engine: Engine, register: Register) -> None:
    append(
        ledger,
        make_event(table_code="C0001", business_date=date(2024, 8, 31)),
        make_event(table_code="C0002"),
        make_event(table_code="C0003", record_count=0),
        make_declaration(table_codes=("C0002", "C0004")),
        make_event(unit_id=OTHER_UNIT, table_code="C0002"),
    )
    advance(ledger, NOON)
    writer_of(engine, register).write()
    steps = ("required", "declared", "uploaded_ever", "uploaded_this_month")
    shown = {
        (row["unit_id"], row["table_code"]): tuple(None if row[step] is None else bool(row[step]) for step in steps)
        for row in rows_of(engine, "SELECT * FROM table_ladder")
    }
    assert shown[UNIT, "C0001"] == (True, False, True, False)
    assert shown[UNIT, "C0002"] == (True, True, True, True)
    assert shown[UNIT, "C0003"] == (True, False, False, False)
    assert shown[UNIT, "C0004"] == (True, True, False, False)
    assert shown[OTHER_UNIT, "C0002"] == (True, None, True, True)


def test_what_has_not_changed_is_not_written_again_and_a_unit_that_left_is_gone(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    append(ledger, make_event(), make_event(unit_id=HOSPITAL))
    advance(ledger, NOON)
    snapshot, month = take_snapshot(engine, register, Rhythms()), read_running_month(engine)
    writer = DashboardWriter(engine, lambda: snapshot, lambda: month)
    writer.write()
    written: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        written.extend(statement.split()[:3][-1:] if statement.startswith(("INSERT", "DELETE")) else ())

    writer.write()
    assert written == []
    smaller = replace(register, units={unit_id: unit for unit_id, unit in register.units.items() if unit_id != HOSPITAL})
    writer_of(engine, smaller).write()
    assert "register_unit" in written
    for view in ("bulletin_month", "unit_status", "table_ladder"):
        shown = {row["unit_id"] for row in rows_of(engine, f"SELECT DISTINCT unit_id FROM {view}")}
        assert UNIT in shown
        assert HOSPITAL not in shown, view


def test_serve_writes_them_at_its_start_and_with_each_reading_of_the_month(
    database_url: str, ledger: Ledger, register: Register
) -> None:
    count = "SELECT count(*) AS rows FROM "
    with build_web(ServeSettings(database_url)) as web, closing_engine(make_engine(database_url)) as engine:
        assert rows_of(engine, f"{count} unit_status")[0]["rows"] == 2 * len(register.units)
        assert rows_of(engine, f"{count} bulletin_month")[0]["rows"] == 0, "nothing was ever sent"
        append(ledger, make_event())
        advance(ledger, NOON)
        web.keeper.refresh()
        show_month(web)
        assert web.dashboards.problem is None
        assert month_of(engine)[UNIT]["records"] == 10
