"""What differs between two registers, as lines to read. Core."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from schemas.register.model import Form, Kind, Register, Table, Unit

Entry = Unit | Table | Form | Kind


def difference(old: Register, new: Register) -> list[str]:
    """Kinds, tables, forms and units that were added (+), taken away (-) or changed (~), in the registers' order."""
    return [
        *_of("kind", old.kinds, new.kinds),
        *_of("table", old.tables, new.tables),
        *_of("form", old.forms, new.forms),
        *_of("unit", old.units, new.units),
    ]


def _of(what: str, old: Mapping[Any, Entry], new: Mapping[Any, Entry]) -> Iterator[str]:
    for key, entry in old.items():
        if key not in new:
            yield f"- {what} {key} ({entry.name_zh})"
    for key, entry in new.items():
        if key not in old:
            yield f"+ {what} {key} ({entry.name_zh})"
        elif changed := list(_changed(old[key], entry)):
            yield f"~ {what} {key} ({entry.name_zh}): {'; '.join(changed)}"


def _changed(old: Entry, new: Entry) -> Iterator[str]:
    before, after = _cells(old), _cells(new)
    for name, value in after.items():
        if before[name] != value:
            yield f"{name} {shown(before[name])} → {shown(value)}"


def _cells(entry: Entry) -> dict[str, object]:
    """The entry's values by the columns in which they stand; of a unit's names only the aliases have a column of their own."""
    found = {field.name: getattr(entry, field.name) for field in fields(entry)}
    if isinstance(entry, Unit):
        found["aliases"] = found.pop("names")[2:]
    return found


def shown(value: object) -> str:
    """A value as the files write it; a dash for none."""
    if isinstance(value, Mapping):
        return ";".join(word if first is None else f"{word}@{first}" for word, first in value.items()) or "none"
    if isinstance(value, frozenset | tuple):
        return ";".join(sorted(value) if isinstance(value, frozenset) else value) or "—"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if value else "—"
