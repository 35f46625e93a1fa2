from pathlib import Path

import pytest

from schemas.errors import HipwatchError
from schemas.feeds import Feed
from schemas.register import Life, UnitKind, load_register, read_register
from schemas.register.difference import difference
from schemas.register.folder import check_register
from tests.registers import change_unit, copy_shipped, edit, remove_unit

HEADING = "unit_id,kind,name_zh\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy_shipped(tmp_path / "city")


def problems(folder: Path) -> list[str]:
    return [str(problem).replace(f"{folder}/", "") for problem in check_register(folder).problems]


def rewrite_units(folder: Path, *rows: str, heading: str = HEADING) -> list[str]:
    (folder / "units.csv").write_text(heading + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return problems(folder)


def test_a_copy_of_the_shipped_register_is_the_shipped_register(folder: Path) -> None:
    assert read_register(folder) == load_register()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_are_read_as_excel_writes_them(folder: Path, encoding: str, end: str) -> None:
    for path in folder.glob("*.csv"):
        path.write_bytes(path.read_text(encoding="utf-8").replace("\n", end).encode(encoding))
    assert read_register(folder) == load_register()


def test_dates_are_read_as_excel_writes_them(folder: Path) -> None:
    edit(folder, "units.csv", {"2020-02-01": "2020/2/1"})
    assert read_register(folder) == load_register()


def test_a_register_needs_three_columns_only(folder: Path) -> None:
    (folder / "units.csv").write_text(HEADING + "east,district,东区\nfirst,hospital,第一医院\n", encoding="utf-8")
    found = read_register(folder)
    first = list(found.units.values())[1]
    assert (first.name_en, first.status, first.names, first.forms) == ("第一医院", Life.ACTIVE, ("第一医院", "第一医院"), None)
    assert first.feeds == {Feed.SCHEDULED: None, Feed.REALTIME: None}


def test_a_register_may_have_kinds_of_its_own(folder: Path) -> None:
    (folder / "kinds.csv").write_text("kind,name_zh,name_en\nclinic,社区卫生服务中心,Community clinics\n", encoding="utf-8")
    (folder / "units.csv").write_text(HEADING + "east,clinic,东区社区卫生服务中心\n", encoding="utf-8")
    (folder / "tables.csv").write_text(
        "code,name_zh,required_for\nA1,甲,clinic\nA2,乙,hospital;clinic\nA3,丙,both\nA4,丁,district\n", encoding="utf-8"
    )
    found = read_register(folder)
    (kind,) = found.kinds.values()
    assert (kind.kind, kind.name_en) == ("clinic", "Community clinics")
    assert [table.code for table in found.required_tables(kind.kind)] == ["A1", "A2", "A3"]
    assert found.units[next(iter(found.units))].kind is UnitKind("clinic")


def test_every_problem_of_every_file_is_told_at_once(folder: Path) -> None:
    change_unit(folder, "xuanwu", kind="distrct")
    change_unit(folder, "gulou", active_from="2024-02-30", district="xuanwu")
    edit(folder, "forms.csv", {"RT02,门急诊就诊": "RT01,门急诊就诊"})
    edit(folder, "tables.csv", {"required_for": "requierd_for"})
    assert problems(folder) == [
        "forms.csv, line 3, column code: 'RT01' stands on line 2 already",
        "tables.csv, line 1, column 4: 'requierd_for' is not a column of this file; did you mean 'required_for'?",
        "tables.csv, line 1, column required_for: the column is missing",
        "units.csv, line 2, column kind: 'distrct' is not known; did you mean 'district'?",
        "units.csv, line 5, column active_from: '2024-02-30' is no date: write YYYY-MM-DD, for example 2024-09-01",
        "units.csv, line 5, column district: 'xuanwu' is a hospital, not a district",
    ]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"unit_id": "鼓楼"}, "column unit_id: '鼓楼' is no identifier"),
        ({"unit_id": "x" * 41}, "column unit_id:"),
        ({"unit_id": ""}, "column unit_id: is empty"),
        ({"unit_id": "qinhuai"}, "column unit_id: 'qinhuai' stands on line 3 already"),
        ({"name_zh": ""}, "column name_zh: is empty"),
        ({"name_zh": "秦淮区"}, "column name_zh: '秦淮区' is also a name of the unit on line 3"),
        ({"aliases": "旧名;Qinhuai District"}, "column aliases: 'Qinhuai District' is also a name of the unit on line 3"),
        ({"name_zh": "鼓\x1b[31m楼"}, "column name_zh: holds a character that cannot be seen"),
        ({"status": "activ"}, "column status: 'activ' is not known; did you mean 'active'?"),
        ({"active_from": "2024-9"}, "column active_from: '2024-9' is no date"),
        ({"active_from": "2024-09-02", "active_until": "2024-09-01"}, "column active_until: 2024-09-01 is before active_from"),
        ({"district": "atlantis"}, "column district: 'atlantis' is not known"),
        ({"district": "gulou"}, "column district: a district belongs to no district"),
        ({"feeds": "scheduled;realtme"}, "column feeds: 'realtme' is not known; did you mean 'realtime'?"),
        ({"feeds": "scheduled@soon"}, "column feeds: 'soon' is no date"),
        ({"feeds": "scheduled;scheduled"}, "column feeds: 'scheduled' stands twice"),
        ({"forms": "RT01;RT99"}, "column forms: 'RT99' is not known"),
        ({"contact_number": "1.38E+10"}, "column contact_number: is no telephone number"),
        ({"vendor": "v" * 201}, "column vendor: has 201 characters"),
    ],
)
def test_a_problem_names_file_line_and_column(folder: Path, cells: dict[str, str], told: str) -> None:
    change_unit(folder, "gulou", **cells)
    assert any(problem.startswith(f"units.csv, line 5, {told}") for problem in problems(folder)), problems(folder)
    with pytest.raises(HipwatchError):
        read_register(folder)


def test_the_form_of_a_file_is_checked(folder: Path) -> None:
    assert rewrite_units(folder) == ["units.csv: names no unit"]
    assert rewrite_units(folder, heading="") == [
        "units.csv: the file is empty; its first line names the columns unit_id, kind, name_zh, name_en, official_code, aliases, "
        "status, active_from, active_until, district, vendor, contact_role, contact_number, feeds, forms"
    ]
    assert rewrite_units(folder, "east,district") == ["units.csv, line 2: 2 columns where the heading has 3"]
    assert rewrite_units(folder, heading="unit_id,kind,kind,name_zh\n") == [
        "units.csv, line 1, column kind: the column stands twice"
    ]
    (folder / "units.csv").write_bytes(b"unit_id,kind,name_zh\neast,district,\xff\xff\n")
    assert problems(folder) == ["units.csv: line 2: neither UTF-8 nor GB18030; save it as CSV UTF-8"]
    (folder / "units.csv").write_bytes(b"unit_id,kind,name_zh\neast,district,\x00\n")
    assert problems(folder) == ["units.csv: line 2: holds a NUL, so it is no CSV text"]
    (folder / "units.csv").write_bytes(b'unit_id,kind,name_zh\neast,district,"open\n')
    assert problems(folder) == ["units.csv: line 2: unexpected end of data"]
    (folder / "units.csv").unlink()
    assert problems(folder) == ["units.csv: the file is missing"]


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(HipwatchError, match="there is no register folder"):
        read_register(tmp_path / "nowhere")


def test_the_difference_names_what_was_added_taken_and_changed(folder: Path) -> None:
    remove_unit(folder, "gaochun")
    change_unit(folder, "gulou", status="paused", feeds="scheduled@2024-09-01", aliases="旧鼓楼区")
    change_unit(folder, "new-hospital", kind="hospital", name_zh="新医院")
    edit(folder, "forms.csv", {"床位动态": "床位"})
    assert difference(load_register(), read_register(folder)) == [
        "~ form RT11 (床位): name_zh 床位动态 → 床位",
        "- unit gaochun (高淳区)",
        "~ unit gulou (鼓楼区): status active → paused; feeds scheduled;realtime → scheduled@2024-09-01; aliases — → 旧鼓楼区",
        "+ unit new-hospital (新医院)",
    ]
    assert difference(load_register(), load_register()) == []


def test_the_canarys_id_is_no_units(folder: Path) -> None:
    (found,) = rewrite_units(folder, "east,district,东区", "hipwatch-canary,hospital,第一医院")
    assert found.startswith("units.csv, line 3, column unit_id: 'hipwatch-canary' is the canary's"), found
