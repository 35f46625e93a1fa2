from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import pytest

from schemas.events import FormCode, UnitId
from schemas.feeds import Feed
from schemas.period import Period
from schemas.register import Life, Register, Unit, UnitKind

UNIT = UnitId("first")
FIRST, LAST = date(2024, 3, 10), date(2024, 6, 20)


def make_unit(**overrides: Any) -> Unit:
    return Unit(
        **{"unit_id": UNIT, "kind": UnitKind.HOSPITAL, "name_zh": "第一医院", "name_en": "First", "names": (), **overrides}
    )


class Case(NamedTuple):
    """A unit's status and dates, and where it stands before, within and after them."""

    status: Life
    dates: tuple[date | None, date | None]
    lives: tuple[Life, Life, Life]


ONBOARDING, ACTIVE, PAUSED, RETIRED = Life
CASES = [
    Case(ACTIVE, (None, None), (ACTIVE, ACTIVE, ACTIVE)),
    Case(ACTIVE, (FIRST, None), (ONBOARDING, ACTIVE, ACTIVE)),
    Case(ACTIVE, (FIRST, LAST), (ONBOARDING, ACTIVE, RETIRED)),
    Case(ONBOARDING, (None, None), (ONBOARDING, ONBOARDING, ONBOARDING)),
    Case(ONBOARDING, (FIRST, None), (ONBOARDING, ACTIVE, ACTIVE)),
    Case(PAUSED, (None, None), (PAUSED, PAUSED, PAUSED)),
    Case(PAUSED, (FIRST, LAST), (ONBOARDING, PAUSED, RETIRED)),
    Case(RETIRED, (None, None), (RETIRED, RETIRED, RETIRED)),
    Case(RETIRED, (FIRST, LAST), (ONBOARDING, ACTIVE, RETIRED)),
]


@pytest.mark.parametrize("case", CASES)
def test_dates_decide_and_the_status_where_they_leave_it_open(case: Case) -> None:
    unit = make_unit(status=case.status, active_from=case.dates[0], active_until=case.dates[1])
    days = (date(2024, 3, 9), FIRST, LAST, date(2024, 6, 21))
    found = [unit.life_on(day) for day in days]
    assert found == [case.lives[0], case.lives[1], case.lives[1], case.lives[2]]
    assert [unit.expects(Feed.SCHEDULED, day) for day in days] == [life is ACTIVE for life in found]


def test_a_feed_is_expected_from_its_first_day(register: Register) -> None:
    unit = make_unit(active_from=FIRST, feeds={Feed.REALTIME: LAST})
    city = replace(register, units={UNIT: unit})
    assert [city.expects(UNIT, Feed.REALTIME, day) for day in (FIRST, date(2024, 6, 19), LAST)] == [False, False, True]
    assert not city.expects(UNIT, Feed.SCHEDULED, LAST)
    assert not city.expects(UnitId("nobody"), Feed.REALTIME, LAST)
    assert unit.expected_since(Feed.REALTIME) == LAST
    assert unit.expected_since(Feed.SCHEDULED) == FIRST
    assert make_unit().expected_since(Feed.SCHEDULED) is None


def test_forms_and_tables_are_required_by_date(register: Register) -> None:
    forms = dict(register.forms)
    forms[FormCode("RT01")] = replace(forms[FormCode("RT01")], required_from=FIRST)
    forms[FormCode("RT02")] = replace(forms[FormCode("RT02")], required_until=FIRST)
    table = next(iter(register.tables.values()))
    city = replace(register, forms=forms, tables={**register.tables, table.code: replace(table, required_from=LAST)})
    before, later = date(2024, 3, 9), date(2024, 3, 11)
    assert [len(city.expected_forms(make_unit(), day)) for day in (before, FIRST, later)] == [10, 11, 10]
    some = make_unit(forms={FormCode("RT01"): None, FormCode("RT03"): later})
    assert [[form.code for form in city.expected_forms(some, day)] for day in (before, FIRST, later)] == [
        [],
        ["RT01"],
        ["RT01", "RT03"],
    ]
    assert [some.expects_form(FormCode("RT03"), day) for day in (FIRST, later)] == [False, True]
    assert [len(city.required_tables(UnitKind.HOSPITAL, day)) for day in (before, LAST)] == [82, 83]


@pytest.mark.parametrize(("period", "hospitals"), [(Period(2020, 1), 25), (Period(2024, 9), 39)])
def test_the_denominator_of_a_month_is_what_was_printed(period: Period, hospitals: int, register: Register) -> None:
    kinds = [unit.kind for unit in register.units_of(period)]
    assert (kinds.count(UnitKind.DISTRICT), kinds.count(UnitKind.HOSPITAL)) == (12, hospitals)


@pytest.mark.parametrize(
    ("overrides", "months"),
    [
        ({}, [2, 3, 4, 5, 6, 7]),
        ({"active_from": FIRST, "active_until": LAST}, [3, 4, 5, 6]),
        ({"active_from": FIRST, "active_until": LAST, "status": Life.RETIRED}, [3, 4, 5, 6]),
        ({"status": Life.PAUSED}, [2, 3, 4, 5, 6, 7]),
        ({"status": Life.RETIRED}, []),
        ({"status": Life.ONBOARDING}, []),
        ({"status": Life.ONBOARDING, "active_from": LAST}, [6, 7]),
    ],
)
def test_a_unit_counts_in_the_months_in_which_it_was_one(
    overrides: dict[str, Any], months: list[int], register: Register
) -> None:
    city = replace(register, units={UNIT: make_unit(**overrides)})
    assert [month for month in range(2, 8) if city.units_of(Period(2024, month))] == months
