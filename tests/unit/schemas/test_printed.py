from collections.abc import Callable
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from schemas.bulletin.columns import Absent, Cell, Form, format_cell
from schemas.bulletin.printed_month import FILES, PrintedMonth, read_printed_month
from schemas.errors import HipwatchError
from schemas.register import Register, UnitKind

DISTRICTS_2024 = (
    "rank,unit,scheduled_records,realtime_days,realtime_forms_uploaded,realtime_forms_required,outpatient_visits,"
    "outpatient_revenue_kcny,outpatient_revenue_reported,discharges,inpatient_revenue_kcny,inpatient_revenue_reported"
)
GULOU_2024 = "1,鼓楼区,15608125,30,11,11,454680,120679.34,yes,6105,,no"
HOSPITALS_2020 = (
    "rank,unit,tables_declared,declared_feedback,tables_required,tables_uploaded,records_uploaded,upload_days,"
    "outpatient_visits,discharges"
)
DRUM_TOWER_2020 = "1,南京鼓楼医院,58,yes,83,58,13134724,31,212728,7299"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A folder with the two tables, each given by its lines."""

    def write(
        districts: list[str] | None = None, hospitals: list[str] | None = None, end: str = "\n", encoding: str = "utf-8"
    ) -> Path:
        for kind, lines in (
            (UnitKind.DISTRICT, districts or [DISTRICTS_2024, GULOU_2024]),
            (UnitKind.HOSPITAL, hospitals or [HOSPITALS_2020, DRUM_TOWER_2020]),
        ):
            (tmp_path / FILES[kind]).write_bytes((end.join(lines) + end).encode(encoding))
        return tmp_path

    return write


def refusal(folder: Path, register: Register) -> str:
    with pytest.raises(HipwatchError) as caught:
        read_printed_month(folder, register)
    message = str(caught.value)
    assert str(folder) in message
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def cells(month: PrintedMonth, unit_id: str) -> dict[str, Cell]:
    return {column.name: value for unit, column, value in month.cells() if unit == unit_id}


@pytest.mark.parametrize(("name", "count", "form"), [("2020-01", 295, Form.Y2020), ("2024-09", 408, Form.Y2024)])
def test_the_shipped_months_have_their_cells(name: str, count: int, form: Form, register: Register) -> None:
    with as_file(files("ingest") / "scenarios" / name) as folder:
        month = read_printed_month(folder, register)
    assert len(list(month.cells())) == count
    assert {table.form for table in month.tables.values()} == {form}


def test_a_row_is_read_as_it_is_printed(write: Write, register: Register) -> None:
    month = read_printed_month(write(), register)
    assert cells(month, "gulou") == {
        "scheduled_records": 15_608_125,
        "realtime_days": 30,
        "realtime_forms_uploaded": 11,
        "realtime_forms_required": 11,
        "outpatient_visits": 454_680,
        "outpatient_revenue_kcny": Decimal("120679.34"),
        "discharges": 6105,
        "inpatient_revenue_kcny": Absent.NOT_REPORTED,
    }
    assert cells(month, "nj-drum-tower-hospital")["tables_declared"] == 58
    row = month.tables[UnitKind.DISTRICT].rows[0]
    assert row.line == 2
    assert row.cents("outpatient_revenue_kcny") == 12_067_934_000
    assert row.cents("inpatient_revenue_kcny") is None
    assert row.count("discharges") == 6105
    assert row.count("tables_declared") is None
    assert row.count("outpatient_revenue_kcny") is None


def test_no_feedback_is_not_zero(write: Write, register: Register) -> None:
    def declared(text: str, flag: str) -> Cell:
        line = DRUM_TOWER_2020.replace("58,yes", f"{text},{flag}")
        return cells(read_printed_month(write(hospitals=[HOSPITALS_2020, line]), register), "nj-drum-tower-hospital")[
            "tables_declared"
        ]

    assert declared("", "no") is Absent.NOT_DECLARED
    assert declared("未反馈", "no") is Absent.NOT_DECLARED
    assert declared("0", "yes") == 0


def test_a_slash_is_not_zero_revenue(write: Write, register: Register) -> None:
    def revenue(text: str, flag: str) -> Cell:
        line = GULOU_2024.replace("120679.34,yes", f"{text},{flag}")
        return cells(read_printed_month(write([DISTRICTS_2024, line]), register), "gulou")["outpatient_revenue_kcny"]

    assert revenue("", "no") is Absent.NOT_REPORTED
    assert revenue("/", "no") is Absent.NOT_REPORTED
    assert revenue("0", "yes") == Decimal(0)
    assert revenue("7.5", "yes") == Decimal("7.50")


def test_an_empty_count_is_an_empty_cell(write: Write, register: Register) -> None:
    line = GULOU_2024.replace("454680", "")
    assert cells(read_printed_month(write([DISTRICTS_2024, line]), register), "gulou")["outpatient_visits"] is Absent.EMPTY


def test_byte_order_mark_and_windows_line_ends_are_fine(write: Write, register: Register) -> None:
    plain = list(read_printed_month(write(), register).cells())
    for encoding in ("utf-8-sig", "gb18030"):
        assert list(read_printed_month(write(end="\r\n", encoding=encoding), register).cells()) == plain


def test_blank_lines_and_spaces_are_fine_and_lines_are_still_counted(write: Write, register: Register) -> None:
    spaced = [DISTRICTS_2024.replace(",", " , "), "", ",,,,,,,,,,,", GULOU_2024.replace(",", " , ")]
    month = read_printed_month(write(spaced), register)
    assert cells(month, "gulou")["scheduled_records"] == 15_608_125
    assert month.tables[UnitKind.DISTRICT].rows[0].line == 4


def test_the_rank_may_be_left_out_and_columns_may_stand_in_any_order(write: Write, register: Register) -> None:
    turned = [",".join(reversed(line.split(",")[1:])) for line in (DISTRICTS_2024, GULOU_2024)]
    assert list(read_printed_month(write(turned), register).cells()) == list(read_printed_month(write(), register).cells())


def test_former_and_english_names_resolve(write: Write, register: Register) -> None:
    lines = [
        HOSPITALS_2020,
        DRUM_TOWER_2020.replace("南京鼓楼医院", "解放军南京总医院"),
        DRUM_TOWER_2020.replace(
            "南京鼓楼医院", register.units[next(u for u in register.units if u.endswith("js-tcm-hospital"))].name_en
        ),
    ]
    found = [row.unit_id for row in read_printed_month(write(hospitals=lines), register).tables[UnitKind.HOSPITAL].rows]
    assert found == ["eastern-theater-general-hospital", "js-tcm-hospital"]


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path: Path, write: Write, register: Register) -> None:
    with pytest.raises(HipwatchError, match=r"there is no folder .*nowhere"):
        read_printed_month(tmp_path / "nowhere", register)
    folder = write()
    (folder / FILES[UnitKind.HOSPITAL]).unlink()
    assert refusal(folder, register).endswith("has no collection_hospitals.csv")


def test_a_file_that_cannot_be_read_is_named(write: Write, register: Register) -> None:
    folder = write(encoding="utf-16")
    assert refusal(folder, register).startswith("collection_districts.csv, line 1: neither UTF-8 nor GB18030")
    (folder / FILES[UnitKind.DISTRICT]).unlink()
    (folder / FILES[UnitKind.DISTRICT]).mkdir()
    assert refusal(folder, register).startswith("collection_districts.csv cannot be read")


def test_a_month_without_any_unit_is_refused(write: Write, register: Register) -> None:
    assert "lists no unit" in refusal(write([DISTRICTS_2024], [HOSPITALS_2020]), register)


@pytest.mark.parametrize(
    ("line_1", "told"),
    [
        ("", "line 1: neither tables_declared (form of 2020) nor scheduled_records (form of 2024)"),
        ("rank,unit,beds", "line 1: neither"),
        (DISTRICTS_2024 + ",beds", "line 1, column 13: 'beds' is not a column of this form"),
        (DISTRICTS_2024 + ",", "line 1, column 13: '' is not a column of this form"),
        (DISTRICTS_2024 + ",tables_declared", "line 1, column 3: 'scheduled_records' is not a column of this form"),
        (DISTRICTS_2024 + ",discharges", "line 1, column 13: 'discharges' stands twice"),
        (DISTRICTS_2024.replace(",discharges", ""), "line 1: the column discharges is missing"),
        (DISTRICTS_2024.replace(",inpatient_revenue_reported", ""), "line 1: the column inpatient_revenue_reported is missing"),
        (DISTRICTS_2024.replace("unit,", ""), "line 1: the column unit is missing"),
    ],
)
def test_a_wrong_heading_is_refused_by_column(line_1: str, told: str, write: Write, register: Register) -> None:
    assert refusal(write([line_1, GULOU_2024]), register).startswith(f"collection_districts.csv, {told}")


GULOU = GULOU_2024.split(",")
OUT_REVENUE = "line 2, column outpatient_revenue_kcny: "


def changed(**values: str) -> str:
    """The row of GULOU_2024 with other values."""
    names = DISTRICTS_2024.split(",")
    assert values.keys() <= set(names)
    return ",".join(values.get(name, old) for name, old in zip(names, GULOU, strict=True))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (changed(unit="亚特兰蒂斯区"), "line 2, column unit: the register has no unit named '亚特兰蒂斯区'"),
        (changed(unit=""), "line 2, column unit: the register has no unit named ''"),
        (changed(unit="南京鼓楼医院"), "line 2, column unit: 南京鼓楼医院 is a hospital, and this is the table of districts"),
        (changed(scheduled_records="many"), "line 2, column scheduled_records: 'many' is not a whole number of 0 or more"),
        (changed(scheduled_records="-1"), "line 2, column scheduled_records: '-1' is not a whole number of 0 or more"),
        (changed(scheduled_records="1.0"), "line 2, column scheduled_records: '1.0' is not a whole number of 0 or more"),
        (changed(scheduled_records="1e3"), "line 2, column scheduled_records: '1e3' is not"),
        (changed(scheduled_records="１２"), "line 2, column scheduled_records: '１２' is not"),
        (changed(scheduled_records="²"), "line 2, column scheduled_records: '²' is not"),
        (changed(scheduled_records="未反馈"), "line 2, column scheduled_records: '未反馈' is not"),
        (changed(scheduled_records="9" * 5000), "line 2, column scheduled_records: '9"),
        (changed(outpatient_revenue_kcny="1.234"), OUT_REVENUE + "'1.234' has more than the two decimals"),
        (changed(outpatient_revenue_kcny="-1.2"), OUT_REVENUE + "'-1.2' is not an amount"),
        (changed(outpatient_revenue_kcny="1."), OUT_REVENUE + "'1.' is not an amount"),
        (changed(outpatient_revenue_kcny=".5"), OUT_REVENUE + "'.5' is not an amount"),
        (changed(outpatient_revenue_kcny="1.2.3"), OUT_REVENUE + "'1.2.3' is not an amount"),
        (changed(outpatient_revenue_kcny="NaN"), OUT_REVENUE + "'NaN' is not an amount"),
        (changed(outpatient_revenue_kcny="1e9"), OUT_REVENUE + "'1e9' is not an amount"),
        (changed(outpatient_revenue_kcny="9" * 30), OUT_REVENUE + "'9"),
        (changed(outpatient_revenue_kcny=""), OUT_REVENUE + "empty beside outpatient_revenue_reported=yes"),
        (changed(outpatient_revenue_reported="no"), OUT_REVENUE + "'120679.34' stands beside outpatient_revenue_reported=no"),
        (changed(inpatient_revenue_kcny="0"), "line 2, column inpatient_revenue_kcny: '0' stands beside"),
        (changed(outpatient_revenue_kcny="/"), OUT_REVENUE + "'/' is not an amount"),
        (changed(outpatient_revenue_reported=""), OUT_REVENUE + "outpatient_revenue_reported is '', and must be yes or no"),
        (changed(outpatient_revenue_reported="Yes"), OUT_REVENUE + "outpatient_revenue_reported is 'Yes', and must be yes or no"),
        (GULOU_2024 + ",", "line 2: 13 columns where the heading has 12"),
        (GULOU_2024.rpartition(",")[0], "line 2: 11 columns where the heading has 12"),
        ('1,"鼓楼区,15608125', "line 2: unexpected end of data"),
        ('1,"鼓楼区"x,15608125', "line 2: "),
    ],
)
def test_a_malformed_row_is_refused_by_file_line_and_column(row: str, told: str, write: Write, register: Register) -> None:
    message = refusal(write([DISTRICTS_2024, row]), register)
    assert message.startswith(f"collection_districts.csv, {told}")
    assert len(message) < 500


def test_a_unit_that_stands_twice_is_refused_under_whichever_name(write: Write, register: Register) -> None:
    lines = [
        HOSPITALS_2020,
        DRUM_TOWER_2020.replace("南京鼓楼医院", "解放军南京总医院"),
        DRUM_TOWER_2020,
        DRUM_TOWER_2020.replace("南京鼓楼医院", "东部战区总医院"),
    ]
    told = "collection_hospitals.csv, line 4, column unit: eastern-theater-general-hospital stands on line 2 already"
    assert refusal(write(hospitals=lines), register) == told


def test_an_error_of_a_reader_names_file_line_column_and_unit(write: Write, register: Register) -> None:
    table = read_printed_month(write(), register).tables[UnitKind.DISTRICT]
    error = table.fail(table.rows[0], "discharges", "more than visits")
    assert str(error).endswith("collection_districts.csv, line 2, column discharges (gulou): more than visits")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (13_134_724, "13134724"),
        (100, "100"),
        (Decimal(0), "0"),
        (Decimal("0.00"), "0"),
        (Decimal(100), "100"),
        (Decimal("1E+2"), "100"),
        (Decimal("120679.34"), "120679.34"),
        (Decimal("7.50"), "7.5"),
        (Decimal("0.004"), "0"),
        (Decimal("0.005"), "0.01"),
        (Decimal("0.015"), "0.02"),
        (Decimal("12345678901.235"), "12345678901.24"),
        (Absent.NOT_DECLARED, "未反馈"),
        (Absent.NOT_REPORTED, "/"),
        (Absent.EMPTY, ""),
    ],
)
def test_a_cell_is_printed_as_in_the_bulletin(value: Cell, text: str) -> None:
    assert format_cell(value) == text


def test_what_is_read_prints_the_same(register: Register) -> None:
    for name in ("2020-01", "2024-09"):
        with as_file(files("ingest") / "scenarios" / name) as folder:
            month = read_printed_month(folder, register)
            printed = "".join((folder / file).read_text(encoding="utf-8") for file in FILES.values())
        words = set(printed.replace("\n", ",").split(","))
        for _, column, value in month.cells():
            if not isinstance(value, Absent):
                assert format_cell(value) in words, (column, value)
