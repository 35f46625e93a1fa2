"""The month's tables from a small ledger, on every database."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from monitor.bulletin.build import build_bulletin
from monitor.bulletin.rows import Bulletin
from monitor.ledger.append import Ledger
from monitor.ledger.month import read_month
from schemas.bulletin.columns import Absent, Form
from schemas.clock import SHANGHAI
from schemas.events import Event, UnitId
from schemas.period import Period
from schemas.register import Register, UnitKind
from schemas.topics import TOPIC_OF
from tests.factories import (
    HOSPITAL,
    OTHER_UNIT,
    UNIT,
    make_batch,
    make_declaration,
    make_event,
    make_forms,
    make_health_records,
)

SEPTEMBER = Period(2024, 9)
LONG_AFTER = datetime(2025, 1, 1, tzinfo=SHANGHAI)


def built(ledger: Ledger, engine: Engine, register: Register, *events: Event, period: Period = SEPTEMBER) -> Bulletin:
    """The bulletin after these events, in which sequence numbers do not matter: each is the first of a series of its own."""
    offsets: dict[str, int] = {}
    for number, event in enumerate(events):
        topic = TOPIC_OF[type(event)]
        first = offsets.get(topic, 0)
        offsets[topic] = first + 1
        assert (
            ledger.append(
                make_batch(replace(event, event_id=f"{number}", series=f"{number}"), first=first, received_at=LONG_AFTER)
            ).accepted
            == 1
        )
    return build_bulletin(read_month(engine, period), register)


def test_a_unit_that_never_sent_anything_has_its_row(engine: Engine, register: Register) -> None:
    bulletin = build_bulletin(read_month(engine, SEPTEMBER), register)
    assert [len(bulletin.rows[kind]) for kind in (UnitKind.DISTRICT, UnitKind.HOSPITAL)] == [12, 39]
    (gulou,) = [row for row in bulletin.rows[UnitKind.DISTRICT] if row.unit_id == UNIT]
    assert gulou.cells == {
        "tables_declared": Absent.NOT_DECLARED,
        "tables_required": 129,
        "tables_uploaded": 0,
        "records_uploaded": 0,
        "scheduled_records": 0,
        "upload_days": 0,
        "outpatient_visits": 0,
        "discharges": 0,
        "health_records_base": Absent.EMPTY,
        "health_records_hypertension": Absent.EMPTY,
        "health_records_diabetes": Absent.EMPTY,
        "realtime_days": 0,
        "realtime_forms_uploaded": 0,
        "realtime_forms_required": 11,
        "outpatient_revenue_kcny": Absent.NOT_REPORTED,
        "inpatient_revenue_kcny": Absent.NOT_REPORTED,
    }
    assert bulletin.cell(HOSPITAL, "tables_required") == 83


def test_no_feedback_nothing_declared_and_a_number_are_three_things(ledger: Ledger, engine: Engine, register: Register) -> None:
    bulletin = built(
        ledger,
        engine,
        register,
        make_declaration(table_codes=()),
        make_declaration(unit_id=OTHER_UNIT, table_codes=("C0001", "C0002")),
    )
    assert bulletin.cell(UNIT, "tables_declared") == 0
    assert bulletin.cell(OTHER_UNIT, "tables_declared") == 2
    assert bulletin.cell(HOSPITAL, "tables_declared") is Absent.NOT_DECLARED


def test_the_last_declaration_up_to_the_months_end_counts(ledger: Ledger, engine: Engine, register: Register) -> None:
    midnight = datetime(2024, 10, 1, tzinfo=SHANGHAI)
    declarations = [
        make_declaration(event_id="b", event_time=midnight - timedelta(milliseconds=1), table_codes=("C0001", "C0002")),
        make_declaration(event_id="a", event_time=midnight - timedelta(days=90), table_codes=("C0001",)),
        make_declaration(event_id="c", event_time=midnight, table_codes=()),
    ]
    assert built(ledger, engine, register, *declarations).cell(UNIT, "tables_declared") == 2
    assert build_bulletin(read_month(engine, Period(2024, 10)), register).cell(UNIT, "tables_declared") == 0
    assert build_bulletin(read_month(engine, Period(2024, 8)), register).cell(UNIT, "tables_declared") == 1
    assert build_bulletin(read_month(engine, Period(2024, 5)), register).cell(UNIT, "tables_declared") is Absent.NOT_DECLARED


def test_no_revenue_is_not_a_revenue_of_nothing(ledger: Ledger, engine: Engine, register: Register) -> None:
    bulletin = built(
        ledger,
        engine,
        register,
        make_event(outpatient_revenue_cents=0),
        make_event(outpatient_revenue_cents=None),
        make_event(unit_id=OTHER_UNIT, inpatient_revenue_cents=7),
    )
    assert bulletin.cell(UNIT, "outpatient_revenue_kcny") == Decimal(0)
    assert bulletin.cell(UNIT, "inpatient_revenue_kcny") is Absent.NOT_REPORTED
    assert bulletin.cell(OTHER_UNIT, "outpatient_revenue_kcny") is Absent.NOT_REPORTED
    assert bulletin.cell(OTHER_UNIT, "inpatient_revenue_kcny") == Decimal("0.00007")


def test_revenue_adds_up_exactly(ledger: Ledger, engine: Engine, register: Register) -> None:
    cents = [10, 20, 10**15 - 1, 1]
    bulletin = built(ledger, engine, register, *(make_event(outpatient_revenue_cents=amount) for amount in cents))
    assert bulletin.cell(UNIT, "outpatient_revenue_kcny") == Decimal("10000000000.0003")


def test_records_and_days_are_those_of_the_month(ledger: Ledger, engine: Engine, register: Register) -> None:
    days = [date(2024, 8, 31), date(2024, 9, 1), date(2024, 9, 1), date(2024, 9, 30), date(2024, 10, 1)]
    events = [
        make_event(business_date=day, record_count=10**number, outpatient_visits=number, event_time=LONG_AFTER)
        for number, day in enumerate(days)
    ]
    bulletin = built(ledger, engine, register, *events)
    assert bulletin.cell(UNIT, "records_uploaded") == bulletin.cell(UNIT, "scheduled_records") == 10 + 100 + 1000
    assert bulletin.cell(UNIT, "upload_days") == 2
    assert bulletin.cell(UNIT, "outpatient_visits") == 1 + 2 + 3


def test_tables_are_those_ever_uploaded_up_to_the_months_end(ledger: Ledger, engine: Engine, register: Register) -> None:
    bulletin = built(
        ledger,
        engine,
        register,
        make_event(table_code="C0001", business_date=date(2020, 1, 1)),
        make_event(table_code="C0002", business_date=date(2024, 9, 30), event_time=LONG_AFTER),
        make_event(table_code="C0003", business_date=date(2024, 10, 1), event_time=LONG_AFTER),
    )
    assert bulletin.cell(UNIT, "tables_uploaded") == 2
    quiet = build_bulletin(read_month(engine, Period(2024, 8)), register)
    assert (quiet.cell(UNIT, "tables_uploaded"), quiet.cell(UNIT, "records_uploaded"), quiet.cell(UNIT, "upload_days")) == (
        1,
        0,
        0,
    )


def test_an_upload_of_no_records_is_neither_a_table_nor_a_day(ledger: Ledger, engine: Engine, register: Register) -> None:
    events: list[Event] = [make_event(record_count=0, outpatient_visits=0), make_forms(record_count=0)]
    bulletin = built(ledger, engine, register, *events)
    for column in ("tables_uploaded", "records_uploaded", "upload_days", "realtime_days", "realtime_forms_uploaded"):
        assert bulletin.cell(UNIT, column) == 0, column


def test_realtime_days_and_forms_are_distinct_ones(ledger: Ledger, engine: Engine, register: Register) -> None:
    bulletin = built(
        ledger,
        engine,
        register,
        make_forms(form_code="RT01", business_date=date(2024, 9, 9)),
        make_forms(form_code="RT01", business_date=date(2024, 9, 10)),
        make_forms(form_code="RT02", business_date=date(2024, 9, 10)),
        make_forms(form_code="RT03", business_date=date(2024, 8, 31)),
    )
    assert bulletin.cell(UNIT, "realtime_days") == 2
    assert bulletin.cell(UNIT, "realtime_forms_uploaded") == 2
    assert bulletin.cell(UNIT, "realtime_forms_required") == 11


def test_the_last_snapshot_of_the_month_gives_the_totals(ledger: Ledger, engine: Engine, register: Register) -> None:
    bulletin = built(
        ledger,
        engine,
        register,
        make_health_records(business_date=date(2024, 9, 30), event_time=LONG_AFTER, base_total=300, hypertension_total=None),
        make_health_records(business_date=date(2024, 9, 1), base_total=100, hypertension_total=11),
        make_health_records(business_date=date(2024, 10, 1), event_time=LONG_AFTER, base_total=400),
        make_health_records(business_date=date(2024, 8, 31), base_total=50),
        make_health_records(unit_id=OTHER_UNIT, business_date=date(2024, 8, 31)),
    )
    assert bulletin.cell(UNIT, "health_records_base") == 300
    assert bulletin.cell(UNIT, "health_records_hypertension") is Absent.EMPTY
    assert bulletin.cell(OTHER_UNIT, "health_records_base") is Absent.EMPTY


def test_units_stand_with_most_records_first_and_else_in_the_order_of_the_register(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    events = [make_event(unit_id="jiangbei", record_count=5), make_event(unit_id="gaochun", record_count=50)]
    bulletin = built(ledger, engine, register, *events)
    silent = [unit.unit_id for unit in register.units.values() if unit.kind is UnitKind.DISTRICT]
    expected = ["gaochun", "jiangbei", *(unit for unit in silent if unit not in ("gaochun", "jiangbei"))]
    assert [row.unit_id for row in bulletin.rows[UnitKind.DISTRICT]] == expected


@pytest.mark.parametrize(
    ("event", "form"),
    [
        (make_event(), Form.Y2020),
        (make_declaration(), Form.Y2020),
        (make_event(outpatient_revenue_cents=0), Form.Y2024),
        (make_event(inpatient_revenue_cents=5), Form.Y2024),
        (make_forms(), Form.Y2024),
        (make_forms(business_date=date(2024, 8, 31)), Form.Y2020),
    ],
)
def test_the_form_is_that_of_2024_once_revenue_or_realtime_forms_are_uploaded(
    event: Event, form: Form, ledger: Ledger, engine: Engine, register: Register
) -> None:
    assert built(ledger, engine, register, event).form is form


def test_a_cell_that_does_not_exist_is_none(engine: Engine, register: Register) -> None:
    bulletin = build_bulletin(read_month(engine, SEPTEMBER), register)
    assert bulletin.cell(UNIT, "beds") is None
    assert bulletin.cell(UnitId("atlantis"), "discharges") is None
