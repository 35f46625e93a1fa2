from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.simulator import events
from schemas.bulletin.columns import Absent, Cell, Form
from schemas.bulletin.printed_month import PrintedMonth, PrintedRow
from schemas.errors import HipwatchError
from schemas.events import CdaDocuments
from schemas.period import Period
from tests.unit.ingest.cells import cells_of, printed_cells
from tests.unit.ingest.conftest import PlayedMonth
from tests.unit.ingest.months import DISTRICTS, HOSPITALS, PERIOD, SMALL_2020, SMALL_2024, fill_row, make_month, make_row, plan_of

counts = st.one_of(st.just(0), st.integers(0, 40), st.integers(0, 10**6))
totals = st.one_of(st.just(Absent.EMPTY), st.integers(0, 5), st.integers(0, 10**6))
amounts = st.one_of(
    st.just(Absent.NOT_REPORTED), st.just(Decimal(0)), st.decimals(Decimal("0.01"), Decimal(10**6), places=2).map(abs)
)
periods = st.sampled_from([Period(2023, 2), Period(2024, 2), Period(2020, 4), Period(2024, 12)])


def test_a_shipped_month_adds_up_to_every_printed_cell(shipped: PlayedMonth) -> None:
    month, period = shipped.scenario.month, shipped.scenario.period
    assert cells_of(shipped.events, month, period) == printed_cells(month)


@st.composite
def rows_2020(draw: st.DrawFn, district: bool, days: int) -> dict[str, Cell]:
    catalogue = 129 if district else 83
    records = draw(counts)
    cells: dict[str, Cell] = {
        "tables_declared": draw(st.one_of(st.just(Absent.NOT_DECLARED), st.integers(0, catalogue))),
        "tables_uploaded": draw(st.integers(1 if records else 0, catalogue)),
        "records_uploaded": records,
        "upload_days": draw(st.integers(1, min(days, records))) if records else 0,
        "outpatient_visits": draw(counts),
        "discharges": draw(counts),
    }
    if district:
        cells |= {f"health_records_{kind}": draw(totals) for kind in ("base", "hypertension", "diabetes")}
    return cells


@st.composite
def rows_2024(draw: st.DrawFn, district: bool, days: int) -> dict[str, Cell]:
    realtime_days = draw(st.integers(0, days))
    return {
        "scheduled_records": draw(counts),
        "realtime_days": realtime_days,
        "realtime_forms_uploaded": draw(st.integers(1, 11)) if realtime_days else 0,
        "outpatient_visits": draw(counts),
        "outpatient_revenue_kcny": draw(amounts),
        "discharges": draw(counts),
        "inpatient_revenue_kcny": draw(amounts),
    }


@st.composite
def months(draw: st.DrawFn) -> tuple[PrintedMonth, Period]:
    form, period = draw(st.sampled_from(Form)), draw(periods)
    rows = rows_2020 if form is Form.Y2020 else rows_2024
    drawn = [[draw(rows(district, len(period.days))) for _ in range(draw(st.integers(0, 2)))] for district in (True, False)]
    units = (DISTRICTS, HOSPITALS)
    tables = [
        [fill_row(form, unit, line, cells) for line, (unit, cells) in enumerate(zip(names, kind, strict=False), 2)]
        for names, kind in zip(units, drawn, strict=True)
    ]
    return make_month(form, *tables), period


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(months(), st.integers(0, 99), st.sampled_from([700, 10_000, 10**9]))
def test_any_month_that_can_be_uploaded_adds_up_to_every_cell(drawn: tuple[PrintedMonth, Period], seed: int, grain: int) -> None:
    month, period = drawn
    plan = plan_of(month, period, seed=seed, records_per_event=grain)
    made = list(events(plan))
    assert cells_of(made, month, period) == printed_cells(month)
    assert len(made) == plan.expected_events


@pytest.mark.parametrize("month", [SMALL_2020, SMALL_2024])
@pytest.mark.parametrize("grain", [1, 2, 10_000])
def test_a_small_month_adds_up_at_every_grain(month: PrintedMonth, grain: int) -> None:
    assert cells_of(events(plan_of(month, records_per_event=grain)), month, PERIOD) == printed_cells(month)


CORNERS = [
    make_row(Form.Y2020, tables_uploaded=1, records_uploaded=1, upload_days=1, outpatient_visits=9, discharges=9),
    make_row(Form.Y2020, tables_uploaded=129, records_uploaded=1, upload_days=1),
    make_row(Form.Y2020, tables_uploaded=129, records_uploaded=29, upload_days=29, tables_declared=129),
    make_row(Form.Y2020, tables_uploaded=5, outpatient_visits=7),
    make_row(Form.Y2020, outpatient_visits=1, discharges=1),
    make_row(Form.Y2020, health_records_base=0, health_records_hypertension=3),
    make_row(Form.Y2024, outpatient_revenue_kcny=Decimal("0.01"), inpatient_revenue_kcny=Decimal(0)),
    make_row(Form.Y2024, realtime_days=1, realtime_forms_uploaded=11),
    make_row(Form.Y2024, realtime_days=29, realtime_forms_uploaded=1),
    make_row(Form.Y2024, scheduled_records=1, outpatient_visits=10**12, outpatient_revenue_kcny=Decimal(10**7)),
    make_row(Form.Y2024, scheduled_records=2, outpatient_visits=5, discharges=6, inpatient_revenue_kcny=Decimal("7.07")),
]


@pytest.mark.parametrize("row", CORNERS)
@pytest.mark.parametrize("seed", range(5))
def test_a_corner_of_what_can_be_uploaded_adds_up(row: PrintedRow, seed: int) -> None:
    month = make_month(Form.Y2020 if "upload_days" in row.cells else Form.Y2024, [row])
    assert cells_of(events(plan_of(month, seed=seed)), month, PERIOD) == printed_cells(month)


INFEASIBLE = [
    (Form.Y2020, "upload_days", {"upload_days": 30, "records_uploaded": 50, "tables_uploaded": 1}),
    (Form.Y2020, "upload_days", {"upload_days": 3, "records_uploaded": 2, "tables_uploaded": 1}),
    (Form.Y2020, "upload_days", {"upload_days": 0, "records_uploaded": 2, "tables_uploaded": 1}),
    (Form.Y2020, "upload_days", {"upload_days": 1}),
    (Form.Y2020, "tables_uploaded", {"upload_days": 1, "records_uploaded": 2}),
    (Form.Y2020, "tables_uploaded", {"tables_uploaded": 130}),
    (Form.Y2020, "tables_declared", {"tables_declared": 130}),
    (Form.Y2020, "records_uploaded", {"records_uploaded": Absent.EMPTY}),
    (Form.Y2020, "health_records_base", {"health_records_base": 10**12 + 1}),
    (Form.Y2024, "realtime_days", {"realtime_days": 30, "realtime_forms_uploaded": 1}),
    (Form.Y2024, "realtime_days", {"realtime_forms_uploaded": 1}),
    (Form.Y2024, "realtime_forms_uploaded", {"realtime_days": 1}),
    (Form.Y2024, "realtime_forms_uploaded", {"realtime_days": 1, "realtime_forms_uploaded": 12}),
    (Form.Y2024, "discharges", {"discharges": Absent.EMPTY}),
    (Form.Y2024, "inpatient_revenue_kcny", {"inpatient_revenue_kcny": Decimal(10**11)}),
]


@pytest.mark.parametrize(("form", "column", "cells"), INFEASIBLE)
def test_a_row_that_no_upload_can_produce_is_refused_with_its_place(form: Form, column: str, cells: dict[str, Cell]) -> None:
    month = make_month(form, [fill_row(form, DISTRICTS[0], 7, cells)])
    with pytest.raises(HipwatchError, match=rf"^districts\.csv, line 7, column {column} \({DISTRICTS[0]}\): "):
        plan_of(month)


def test_a_hospital_is_held_to_the_smaller_catalogue_of_its_kind() -> None:
    month = make_month(Form.Y2020, [], [make_row(Form.Y2020, HOSPITALS[0], tables_uploaded=84)])
    with pytest.raises(HipwatchError, match=r"hospitals\.csv.*84 of the 83 tables"):
        plan_of(month)


def _documents(month: PrintedMonth) -> list[CdaDocuments]:
    return [event for event in events(plan_of(month)) if isinstance(event, CdaDocuments)]


def test_measures_travel_on_their_own_tables_and_on_no_other() -> None:
    row = make_row(
        Form.Y2024,
        scheduled_records=500_000,
        outpatient_visits=9000,
        discharges=80,
        outpatient_revenue_kcny=Decimal(12),
        inpatient_revenue_kcny=Decimal(0),
    )
    for event in _documents(make_month(Form.Y2024, [row])):
        assert (event.outpatient_visits is not None) == (event.table_code == "PF-OP-03")
        assert (event.discharges is not None) == (event.table_code == "PF-IP-07")
        assert (event.outpatient_revenue_cents is not None) == (event.table_code == "PF-OP-06")
        assert (event.inpatient_revenue_cents is not None) == (event.table_code == "PF-IP-05")


def test_a_count_of_zero_and_revenue_that_is_not_reported_are_carried_by_no_event() -> None:
    for event in _documents(make_month(Form.Y2024, [make_row(Form.Y2024, scheduled_records=500_000)])):
        assert event.outpatient_visits is event.discharges is None
        assert event.outpatient_revenue_cents is event.inpatient_revenue_cents is None


def test_figures_without_documents_are_sent_with_no_document() -> None:
    row = make_row(Form.Y2024, outpatient_visits=100, outpatient_revenue_kcny=Decimal(0))
    sent = _documents(make_month(Form.Y2024, [row]))
    assert {event.record_count for event in sent} == {0}
    assert {event.table_code for event in sent} == {"PF-OP-03", "PF-OP-06"}


def test_tables_that_the_month_has_no_document_for_were_uploaded_before_it() -> None:
    month = make_month(Form.Y2020, [make_row(Form.Y2020, tables_uploaded=10, records_uploaded=4, upload_days=2)])
    dates = {event.table_code: event.business_date for event in _documents(month)}
    assert sum(day < PERIOD.first for day in dates.values()) == 6


def test_an_empty_declaration_is_sent_and_a_missing_one_is_not() -> None:
    rows = [make_row(Form.Y2020, DISTRICTS[0], tables_declared=0), make_row(Form.Y2020, DISTRICTS[1], line=3)]
    made = list(events(plan_of(make_month(Form.Y2020, rows))))
    assert [(event.unit_id, getattr(event, "table_codes", None)) for event in made] == [(DISTRICTS[0], ())]
