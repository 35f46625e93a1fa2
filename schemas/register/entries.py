"""The rows of the register's files -> units, tables, forms; every problem of every file at once. Core."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.csv_file import CsvProblem, csv_table
from schemas.events import FormCode, TableCode, UnitId
from schemas.feeds import Feed
from schemas.identifiers import CANARY_UNIT
from schemas.register.cells import Row
from schemas.register.columns import FILE_FORMS, FORMS, KINDS, TABLES, UNITS
from schemas.register.model import Form, Kind, Life, Register, Table, Unit, UnitKind

T = TypeVar("T")
_OUR_KINDS: Final = (Kind(UnitKind.DISTRICT, "各区", "Districts"), Kind(UnitKind.HOSPITAL, "医院", "Hospitals"))
"""Those that need no kinds.csv."""
_EVERY_KIND: Final = "both"


@dataclass(frozen=True)
class Parsed:
    """A register, and what is wrong with it in order of file and line; one with problems must not be used."""

    register: Register
    problems: list[CsvProblem]


def parse_register(files: Mapping[str, bytes], source_of: Callable[[str], str]) -> Parsed:
    """Read the files by their names; `source_of` says how problems name each of them."""
    problems: list[CsvProblem] = []
    rows = {name: _rows(name, files, source_of(name), problems) for name in FILE_FORMS}
    kinds = {kind.kind: kind for kind in (*_OUR_KINDS, *_entries(rows[KINDS], "kind", _kind))}
    tables = {table.code: table for table in _entries(rows[TABLES], "code", lambda row: _table(row, kinds))}
    forms = {form.code: form for form in _entries(rows[FORMS], "code", _form)}
    units = _entries(rows[UNITS], "unit_id", lambda row: _unit(row, kinds, forms))
    _check_districts(rows[UNITS], {unit.unit_id: unit for unit in units})
    _check_names(rows[UNITS])
    if not units and not problems:
        problems.append(CsvProblem(source_of(UNITS), None, None, "names no unit"))
    used = {kind: kinds[kind] for kind in kinds if any(unit.kind is kind for unit in units)}
    register = Register({unit.unit_id: unit for unit in units}, tables, forms, used)
    return Parsed(register, sorted(problems, key=lambda problem: (problem.file, problem.line or 0)))


def _rows(name: str, files: Mapping[str, bytes], source: str, problems: list[CsvProblem]) -> list[Row]:
    form = FILE_FORMS[name]
    if name not in files:
        if form.needed:
            problems.append(CsvProblem(source, None, None, "the file is missing"))
        return []
    table = csv_table(files[name], source, form.columns, form.required)
    problems += table.problems
    return [Row(source, line, cells, problems) for line, cells in table.rows]


def _entries(rows: list[Row], key: str, make: Callable[[Row], T]) -> list[T]:
    """One entry for each row; of rows with the same id the first, the others being problems."""
    earlier: dict[str, int] = {}
    found = []
    for row in rows:
        entry_id = row.identifier(key, earlier)
        entry = make(row)
        if entry_id not in earlier:
            earlier[entry_id] = row.line
            found.append(entry)
    return found


def _kind(row: Row) -> Kind:
    name_zh = row.text("name_zh", needed=True)
    return Kind(UnitKind(row["kind"]), name_zh, row.text("name_en") or name_zh)


def _table(row: Row, kinds: Collection[UnitKind]) -> Table:
    name_zh = row.text("name_zh", needed=True)
    required = frozenset(kinds) if row["required_for"] == _EVERY_KIND else frozenset(row.choices("required_for", kinds))
    code = TableCode(row["code"])
    dates = row.days("required_from", "required_until")
    return Table(code, name_zh, row.text("name_en") or name_zh, row.text("domain"), required, *dates)


def _form(row: Row) -> Form:
    name_zh = row.text("name_zh", needed=True)
    dates = row.days("required_from", "required_until")
    return Form(FormCode(row["code"]), name_zh, row.text("name_en") or name_zh, row.text("domain"), *dates)


def _unit(row: Row, kinds: Collection[UnitKind], forms: Collection[FormCode]) -> Unit:
    name_zh = row.text("name_zh", needed=True)
    name_en = row.text("name_en") or name_zh
    active_from, active_until = row.days("active_from", "active_until")
    if row["unit_id"] == CANARY_UNIT:
        row.fail("unit_id", f"'{CANARY_UNIT}' is the canary's: a unit needs another id")
    feeds = row.dated("feeds", list(Feed))
    return Unit(
        unit_id=UnitId(row["unit_id"]),
        kind=row.needed_choice("kind", kinds) or UnitKind.HOSPITAL,
        name_zh=name_zh,
        name_en=name_en,
        names=(name_zh, name_en, *row.parts("aliases")),
        official_code=row.text("official_code"),
        status=row.choice("status", list(Life), Life.ACTIVE),
        active_from=active_from,
        active_until=active_until,
        district=UnitId(row["district"]) if row["district"] else None,
        vendor=row.text("vendor"),
        contact_role=row.text("contact_role"),
        contact_number=row.number("contact_number"),
        feeds=dict.fromkeys(Feed) if feeds is None else feeds,
        forms=row.dated("forms", forms),
    )


def _check_districts(rows: list[Row], units: Mapping[UnitId, Unit]) -> None:
    """The district that a unit belongs to is a unit of the kind `district`, and not the unit itself."""
    for row in rows:
        district = row["district"]
        if not district:
            continue
        found = units.get(UnitId(district))
        if found is None:
            districts = [unit.unit_id for unit in units.values() if unit.kind is UnitKind.DISTRICT]
            row.unknown("district", district, districts)
        elif found.kind is not UnitKind.DISTRICT:
            row.fail("district", f"'{district}' is a {found.kind}, not a district")
        elif found.unit_id == row["unit_id"]:
            row.fail("district", "a district belongs to no district")


def _check_names(rows: list[Row]) -> None:
    """A printed name leads to one unit."""
    holders: dict[str, Row] = {}
    for row in rows:
        for column, names in (("name_zh", [row["name_zh"]]), ("name_en", [row["name_en"]]), ("aliases", row.parts("aliases"))):
            for name in filter(None, names):
                holder = holders.setdefault(name, row)
                if holder is not row:
                    row.fail(column, f"'{name}' is also a name of the unit on line {holder.line}")
