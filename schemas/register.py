"""Reference data: the register of units, the table catalogue and the realtime forms. Read once, then immutable.

Source: reference/*.csv. The WS/T 500-2016 and WS/T 483-2016 tables are published standards; the `PF-*` tables and the
11 form names are this project's proposal, because the platform's own list is not public.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from schemas.events import FormCode, TableCode, UnitId


class UnitKind(StrEnum):
    """What a unit is; each kind has a catalogue of its own."""

    DISTRICT = "district"
    HOSPITAL = "hospital"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the register. `names` holds every name it may be printed under, the present Chinese name first."""

    unit_id: UnitId
    kind: UnitKind
    name_zh: str
    name_en: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the catalogue; `required_for` says which kinds of unit have to upload it."""

    code: TableCode
    name_zh: str
    name_en: str
    domain: str
    required_for: frozenset[UnitKind]


@dataclass(frozen=True, slots=True)
class Form:
    """A realtime form."""

    code: FormCode
    name_zh: str
    name_en: str
    domain: str


@dataclass(frozen=True)
class Register:
    """Everything that both sides know before the first event. Mappings keep the register's order."""

    units: Mapping[UnitId, Unit]
    tables: Mapping[TableCode, Table]
    forms: Mapping[FormCode, Form]

    def required_tables(self, kind: UnitKind) -> list[Table]:
        """The catalogue of a kind: 129 tables for districts, 83 for hospitals."""
        return [table for table in self.tables.values() if kind in table.required_for]

    def unit_named(self, name: str) -> Unit | None:
        """The unit that is, or once was, called `name` in Chinese or English; None when the register has none."""
        return self._by_name().get(name.strip())

    def _by_name(self) -> dict[str, Unit]:
        return {name: unit for unit in self.units.values() for name in unit.names}


@cache
def load_register() -> Register:
    """The register that ships with this release."""
    units = [
        Unit(
            UnitId(row["unit_id"]),
            UnitKind(row["kind"]),
            row["name_zh"],
            row["name_en"],
            (row["name_zh"], row["name_en"], *(alias for alias in row["aliases"].split(";") if alias)),
        )
        for row in _rows("units.csv")
    ]
    tables = [
        Table(TableCode(row["code"]), row["name_zh"], row["name_en"], row["domain"], _kinds(row["required_for"]))
        for row in _rows("tables.csv")
    ]
    forms = [Form(FormCode(row["code"]), row["name_zh"], row["name_en"], row["domain"]) for row in _rows("forms.csv")]
    return Register(
        {unit.unit_id: unit for unit in units},
        {table.code: table for table in tables},
        {form.code: form for form in forms},
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("schemas") / "reference" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _kinds(required_for: str) -> frozenset[UnitKind]:
    return frozenset(UnitKind) if required_for == "both" else frozenset({UnitKind(required_for)})
