"""Tables, forms and counts as a sentence names them."""

import pytest

from monitor.judgement.rules.verdict import Text, counted, named_tables
from schemas.register import load_register

REGISTER = load_register()
CODES = sorted(map(str, REGISTER.tables))[:9]


def test_tables_and_forms_are_named_in_the_order_of_their_codes() -> None:
    assert named_tables(["RT01", "C0004"], REGISTER) == Text(
        "西药处方(C0004)、门急诊挂号(RT01)", "Western medicine prescription (C0004), Outpatient registration (RT01)"
    )


def test_what_is_not_in_the_register_is_named_by_its_code() -> None:
    assert named_tables(["X9"], REGISTER) == Text("X9(X9)", "X9 (X9)")


def test_eight_are_named_of_nine_eight_and_how_many_there_are() -> None:
    eight, nine = named_tables(CODES[:8], REGISTER), named_tables(reversed(CODES), REGISTER)
    assert nine == Text(f"{eight.zh} 等 9 张", f"{eight.en} and 1 more")
    assert all(f"({code})" in eight.zh and f"({code})" in eight.en for code in CODES[:8])


@pytest.mark.parametrize(("number", "said"), [(0, "0 tables"), (1, "1 table"), (2, "2 tables"), (1234, "1,234 tables")])
def test_things_are_counted_as_people_count(number: int, said: str) -> None:
    assert counted(number, "table") == said
