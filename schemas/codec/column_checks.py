"""What `decode` demands of each field, on columns. Core: marks rows as odd, and says nothing about why; `decode` does."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from schemas.clock import DAY_MS, SHANGHAI_MS
from schemas.codec.columns import CodeColumn, Column, NumberColumn, TextColumn, column_of, with_codes
from schemas.codec.decode import EARLIEST, LATEST, MAX_COUNT
from schemas.codec.identifiers import is_identifier
from schemas.codec.known_codes import KnownCodes
from schemas.codec.packed import Marks, Numbers
from schemas.codec.packed_identifiers import mark_no_identifiers
from schemas.register import Register


class KnownNames:
    """The register's codes, by the field that holds one."""

    def __init__(self, register: Register) -> None:
        self.units = KnownCodes(register.units)
        self.tables = KnownCodes(register.tables)
        self.forms = KnownCodes(register.forms)


class RowFields(NamedTuple):
    """The fields of some rows, when they were received (milliseconds since 1970, UTC), and what the register knows."""

    columns: Mapping[str, Column]
    received_ms: Numbers
    known: KnownNames

    def numbers(self, name: str) -> NumberColumn:
        return column_of(self.columns, name, NumberColumn)

    def texts(self, name: str) -> TextColumn:
        return column_of(self.columns, name, TextColumn)


class Kind(Enum):
    """What a field has to be for its check."""

    TEXT = auto()
    NUMBER = auto()
    NUMBER_OR_NULL = auto()


class FieldCheck(NamedTuple):
    """How a field is checked: `check` marks odd rows and returns the column as it is handed out."""

    kind: Kind
    check: Callable[[RowFields, str, Marks], Column]


def _event_id(fields: RowFields, name: str, odd: Marks) -> TextColumn:
    texts = fields.texts(name)
    mark_no_identifiers(texts.packed, texts.starts, texts.lengths, odd)
    return texts


def _series(fields: RowFields, name: str, odd: Marks) -> CodeColumn:
    column = with_codes(fields.texts(name), odd)
    free = [bool(code) and not is_identifier(code) for code in column.codes]
    if any(free):
        odd |= np.array(free)[column.places]
    return column


def _unit(fields: RowFields, name: str, odd: Marks) -> CodeColumn:
    return _looked_up(fields.known.units, fields.texts(name), odd)


def _table(fields: RowFields, name: str, odd: Marks) -> CodeColumn:
    return _looked_up(fields.known.tables, fields.texts(name), odd)


def _form(fields: RowFields, name: str, odd: Marks) -> CodeColumn:
    return _looked_up(fields.known.forms, fields.texts(name), odd)


def _looked_up(known: KnownCodes, texts: TextColumn, odd: Marks) -> CodeColumn:
    return CodeColumn(known.find(texts.packed, texts.starts, texts.lengths, odd), known.codes)


def _count(fields: RowFields, name: str, odd: Marks, least: int = 0) -> NumberColumn:
    """Where there is no number the column holds 0."""
    numbers = fields.numbers(name)
    odd |= (numbers.values < least) | (numbers.values > MAX_COUNT)
    return numbers


def _event_time(fields: RowFields, name: str, odd: Marks) -> NumberColumn:
    numbers = fields.numbers(name)
    odd |= (numbers.values < EARLIEST) | (numbers.values >= LATEST)
    return numbers


def _business_date(fields: RowFields, name: str, odd: Marks) -> NumberColumn:
    """Not after the local day of the event; or, for the unit's clock may run behind, of the receipt."""
    numbers = fields.numbers(name)
    latest = np.maximum(fields.numbers("event_time").values, fields.received_ms)
    odd |= (numbers.values < EARLIEST // DAY_MS) | (numbers.values > (latest + SHANGHAI_MS) // DAY_MS)
    return numbers


_MEASURE: Final = FieldCheck(Kind.NUMBER_OR_NULL, _count)
CHECKS: Final[Mapping[str, FieldCheck]] = {
    "event_id": FieldCheck(Kind.TEXT, _event_id),
    "unit_id": FieldCheck(Kind.TEXT, _unit),
    "table_code": FieldCheck(Kind.TEXT, _table),
    "form_code": FieldCheck(Kind.TEXT, _form),
    "business_date": FieldCheck(Kind.NUMBER, _business_date),
    "event_time": FieldCheck(Kind.NUMBER, _event_time),
    "series": FieldCheck(Kind.TEXT, _series),
    "sequence": FieldCheck(Kind.NUMBER, partial(_count, least=1)),
    "record_count": FieldCheck(Kind.NUMBER, _count),
    "outpatient_visits": _MEASURE,
    "discharges": _MEASURE,
    "outpatient_revenue_cents": _MEASURE,
    "inpatient_revenue_cents": _MEASURE,
    "base_total": _MEASURE,
    "hypertension_total": _MEASURE,
    "diabetes_total": _MEASURE,
}
"""By the field's name. A record with a field that is not here is read the plain way."""
