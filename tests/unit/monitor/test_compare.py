from decimal import Decimal
from typing import Any

import pytest

from monitor.bulletin.compare import compare
from schemas.bulletin.columns import Absent, Cell, Form
from schemas.bulletin.printed_month import PrintedMonth, PrintedRow, PrintedTable
from schemas.events import UnitId
from schemas.register import UnitKind
from tests.factories import UNIT
from tests.unit.monitor.bulletins import CELLS, make_bulletin


def print_of(form: Form = Form.Y2024, unit_id: UnitId = UNIT, **cells: Cell) -> PrintedMonth:
    """The print of a month in which one district is listed."""
    row = PrintedRow(unit_id, 2, {**CELLS, **cells})
    return PrintedMonth({UnitKind.DISTRICT: PrintedTable(UnitKind.DISTRICT, form, [row], "districts.csv")})


@pytest.mark.parametrize(("form", "cells"), [(Form.Y2024, 8), (Form.Y2020, 10)])
def test_equal_tables_have_no_difference(form: Form, cells: int) -> None:
    comparison = compare(make_bulletin(form), print_of(form))
    assert (comparison.cells, comparison.matched, comparison.differences) == (cells, cells, [])


def test_each_difference_is_told_with_both_values() -> None:
    comparison = compare(make_bulletin(), print_of(discharges=5, inpatient_revenue_kcny=Decimal("1.5")))
    assert [(found.unit_id, found.column.name, found.printed, found.counted) for found in comparison.differences] == [
        (UNIT, "discharges", 5, 0),
        (UNIT, "inpatient_revenue_kcny", Decimal("1.5"), Absent.NOT_REPORTED),
    ]
    assert (comparison.cells, comparison.matched) == (8, 6)


@pytest.mark.parametrize(
    ("printed", "counted", "equal"),
    [
        (Absent.NOT_REPORTED, Absent.NOT_REPORTED, True),
        (Absent.NOT_REPORTED, Decimal(0), False),
        (Decimal(0), Absent.NOT_REPORTED, False),
        (Absent.NOT_REPORTED, Absent.EMPTY, False),
        (Decimal("7.50"), Decimal("7.5"), True),
        (Decimal("7.50"), Decimal("7.50001"), False),
        (Decimal(7), 7, True),
    ],
)
def test_absent_equals_only_the_same_absence_and_amounts_are_exact(printed: Cell, counted: Cell, equal: bool) -> None:
    comparison = compare(make_bulletin(outpatient_revenue_kcny=counted), print_of(outpatient_revenue_kcny=printed))
    assert (comparison.differences == []) is equal


def test_no_feedback_is_not_a_declaration_of_nothing() -> None:
    comparison = compare(make_bulletin(Form.Y2020, tables_declared=0), print_of(Form.Y2020, tables_declared=Absent.NOT_DECLARED))
    assert [found.column.name for found in comparison.differences] == ["tables_declared"]


def test_a_unit_that_the_bulletin_lacks_differs_in_every_cell() -> None:
    comparison = compare(make_bulletin(), print_of(unit_id=UnitId("atlantis")))
    assert comparison.matched == 0
    assert {found.counted for found in comparison.differences} == {None}


def test_units_that_the_print_does_not_list_are_not_compared() -> None:
    empty: Any = PrintedMonth({})
    assert compare(make_bulletin(), empty).cells == 0
