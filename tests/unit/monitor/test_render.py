import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from rich.cells import cell_len

from monitor.bulletin.render import Format, Language, render
from schemas.bulletin.columns import Absent, Form
from schemas.register import Register, UnitKind
from tests.unit.monitor.bulletins import make_bulletin

every_look = pytest.mark.parametrize(
    ("output", "language", "form"), [(output, language, form) for output in Format for language in Language for form in Form]
)


def as_rows(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text)) if row]


def rendered(register: Register, output: Format, language: Language = Language.ZH, form: Form = Form.Y2024, **cells: Any) -> str:
    return render(make_bulletin(form, **cells), form, output, language, register)


@every_look
def test_every_look_shows_both_tables_and_ends_with_a_line_end(
    output: Format, language: Language, form: Form, register: Register
) -> None:
    text = rendered(register, output, language, form)
    names = (
        ("鼓楼区", "南京鼓楼医院")
        if language is Language.ZH or output is Format.JSON
        else ("Gulou District", "Nanjing Drum Tower")
    )
    assert all(name in text for name in names)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "2024-09" in text


def test_the_form_of_2024_in_chinese(register: Register) -> None:
    title, heading, row, *rest = as_rows(rendered(register, Format.CSV))
    assert title == ["各区数据采集情况（2024-09）"]
    assert heading == [
        "序号",
        "区",
        "定时数据上传量",
        "实时数据上传天数",
        "实时数据表单上传情况",
        "门急诊人次",
        "门急诊收入（千元）",
        "出院人次",
        "住院收入（千元）",
    ]
    assert row == ["1", "鼓楼区", "4492052", "30", "10/11", "79240", "120679.34", "0", "/"]
    assert rest == [
        ["医院数据采集情况（2024-09）"],
        ["序号", "医院", *heading[2:]],
        ["1", "南京鼓楼医院", "0", "0", "0/11", "0", "/", "0", "/"],
    ]


def test_the_form_of_2020_in_chinese(register: Register) -> None:
    _, heading, row, _, hospital_heading, hospital = as_rows(rendered(register, Format.CSV, form=Form.Y2020))
    assert heading[2:5] == ["申明上传表", "规定上传表", "已上传表（CDA文档）"]
    assert row == ["1", "鼓楼区", "52", "129", "51", "4492052", "31", "79240", "0", "931805", "0", ""]
    assert hospital == ["1", "南京鼓楼医院", "未反馈", "83", "0", "0", "0", "0", "0"]
    assert hospital_heading[1:] == ["医院", *heading[2:9]], "hospitals have no health records"


def test_the_form_of_2020_in_english(register: Register) -> None:
    title, heading, row, *_, hospital = as_rows(rendered(register, Format.CSV, Language.EN, Form.Y2020))
    assert title == ["Data collection, districts, 2024-09"]
    assert heading[:4] == ["No.", "Unit", "Tables declared", "Tables required"]
    assert row[1] == register.units[make_bulletin().rows[UnitKind.DISTRICT][0].unit_id].name_en
    assert hospital[2] == "not declared"


@pytest.mark.parametrize("language", Language)
def test_a_slash_is_a_slash_in_both_languages(language: Language, register: Register) -> None:
    assert as_rows(rendered(register, Format.CSV, language))[-1][-1] == "/"


@pytest.mark.parametrize("language", Language)
def test_zero_is_printed_as_zero(language: Language, register: Register) -> None:
    cells = {"tables_declared": 0, "outpatient_revenue_kcny": Decimal(0), "health_records_base": 0}
    assert as_rows(rendered(register, Format.CSV, language, Form.Y2024, **cells))[2][6] == "0"
    district = as_rows(rendered(register, Format.CSV, language, Form.Y2020, **cells))[2]
    assert (district[2], district[9]) == ("0", "0")


def test_columns_of_a_text_table_stand_under_their_headings(register: Register) -> None:
    _, heading, rule, row = rendered(register, Format.TABLE).splitlines()[:4]
    ends = [cell_len(rule[:at]) for at in range(1, len(rule) + 1) if rule[at - 1] == "-" and rule[at : at + 1] != "-"]
    assert len(ends) == 9
    assert cell_len(row) == cell_len(heading) == ends[-1], "the last column is right-aligned"
    columns = rule.split("  ")
    at = 0
    for number, column in enumerate(columns):
        cell = cut(row, at, at + len(column))
        assert cell.strip() == ["1", "鼓楼区", "4492052", "30", "10/11", "79240", "120679.34", "0", "/"][number]
        at += len(column) + 2


def cut(line: str, start: int, end: int) -> str:
    """The part of a line between two columns of a terminal, where a Chinese character takes two."""
    found, at = "", 0
    for char in line:
        if start <= at < end:
            found += char
        at += cell_len(char)
    return found


def test_a_markdown_table_has_its_rule_and_as_many_cells_everywhere(register: Register) -> None:
    title, empty, heading, rule, row = rendered(register, Format.MARKDOWN).splitlines()[:5]
    assert title == "### 各区数据采集情况（2024-09）"
    assert empty == ""
    assert {line.count("|") for line in (heading, rule, row)} == {10}
    assert rule.startswith("| ---: | --- | ---: |")
    assert "| 10/11 |" in row


def document(register: Register, form: Form = Form.Y2024, language: Language = Language.ZH, **cells: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rendered(register, Format.JSON, language, form, **cells))
    return found


def test_json_holds_counts_as_numbers_and_amounts_as_strings(register: Register) -> None:
    found = document(register)
    assert (found["period"], found["form"]) == ("2024-09", "2024")
    (district,) = found["districts"]
    assert district == {
        "unit_id": "gulou",
        "name_zh": "鼓楼区",
        "name_en": "Gulou District",
        "scheduled_records": 4_492_052,
        "realtime_days": 30,
        "realtime_forms_uploaded": 10,
        "realtime_forms_required": 11,
        "outpatient_visits": 79_240,
        "outpatient_revenue_kcny": "120679.34",
        "discharges": 0,
        "inpatient_revenue_kcny": {"absent": "not_reported", "printed": "/"},
    }


def test_json_says_why_a_cell_is_absent(register: Register) -> None:
    found = document(register, Form.Y2020)
    assert found["hospitals"][0]["tables_declared"] == {"absent": "not_declared", "printed": "未反馈"}
    assert found["districts"][0]["health_records_diabetes"] == {"absent": "empty", "printed": ""}
    assert found["districts"][0]["health_records_hypertension"] == 0


@pytest.mark.parametrize("cents", [0, 1, 99, 100_000, 12_345, 14_707_200_000, 10**15 + 1])
def test_json_amounts_are_exact_to_the_cent(cents: int, register: Register) -> None:
    amount = document(register, outpatient_revenue_kcny=Decimal(cents) / 100_000)["districts"][0]["outpatient_revenue_kcny"]
    assert Decimal(amount) * 100_000 == cents
    assert "E" not in amount


def test_json_is_the_same_in_both_languages(register: Register) -> None:
    assert document(register, language=Language.EN) == document(register, language=Language.ZH)


def test_a_pipe_in_a_name_does_not_break_a_markdown_table(register: Register) -> None:
    unit_id = make_bulletin().rows[UnitKind.DISTRICT][0].unit_id
    piped = replace(register, units={**register.units, unit_id: replace(register.units[unit_id], name_zh="鼓|楼区")})
    assert "| 鼓\\|楼区 |" in rendered(piped, Format.MARKDOWN)


def test_no_look_says_none_or_false(register: Register) -> None:
    for output in Format:
        for language in Language:
            text = rendered(register, output, language, Form.Y2020, health_records_base=Absent.EMPTY)
            assert "None" not in text
            assert "null" not in text
