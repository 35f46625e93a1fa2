"""Records -> events: every field checked against the register and against what can be. Core."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any, Final, get_type_hints

from schemas.clock import DAY_MS, from_days, from_millis, local_date, to_days, to_millis
from schemas.codec.identifiers import MAX_TEXT, PUNCTUATION, is_identifier
from schemas.codec.reasons import DecodeError, Reason
from schemas.codec.records import read_record
from schemas.events import DeadLetter, Event, FormCode, TableCode, UnitId
from schemas.register import Register
from schemas.topics import KINDS, Topic

MAX_COUNT: Final = 10**12
"""No count or amount of one upload comes near it; beyond lies a broken sender, and sums must fit 64 bits."""
EARLIEST: Final = to_millis(datetime(2000, 1, 1, tzinfo=UTC))
LATEST: Final = to_millis(datetime(2100, 1, 1, tzinfo=UTC))


def decode(value: bytes | None, topic: Topic, register: Register, received_at: datetime) -> Event:
    """The event that `value`, received from `topic` at `received_at`, stands for. Raises DecodeError and nothing else."""
    record = read_record(value, topic)
    return _reader(KINDS[topic].event)(_Fields(record, register, received_at))


def decode_dead_letter(value: bytes) -> DeadLetter:
    """The dead letter that `value` stands for. Raises DecodeError."""
    record = read_record(value, Topic.DEAD_LETTERS, limit=None)
    try:
        received_at = from_millis(record["received_at"])
    except OverflowError:
        raise DecodeError(Reason.OUT_OF_RANGE, f"received_at is {record['received_at']} ms, which is in no year") from None
    return DeadLetter(**{**record, "received_at": received_at})


class _Fields:
    """Checked access to the fields of a decoded record; each method raises DecodeError with the field's name."""

    __slots__ = ("_received_at", "_record", "_register")

    def __init__(self, record: Mapping[str, Any], register: Register, received_at: datetime) -> None:
        self._record = record
        self._register = register
        self._received_at = received_at

    def text(self, name: str) -> str:
        value: str = self._record[name]
        if len(value) > MAX_TEXT or not value or "\x00" in value:
            raise DecodeError(Reason.OUT_OF_RANGE, f"{name} is empty, holds a NUL or is longer than {MAX_TEXT} characters")
        return value

    def identifier(self, name: str, *, empty: bool = False) -> str:
        value: str = self._record[name]
        if not (is_identifier(value) or (empty and not value)):
            raise DecodeError(
                Reason.OUT_OF_RANGE,
                f"{name} is no identifier: 1 to {MAX_TEXT} letters, digits and {PUNCTUATION}, and no identity number",
            )
        return value

    def count(self, name: str, *, least: int = 0) -> int:
        value: int = self._record[name]
        if not least <= value <= MAX_COUNT:
            raise DecodeError(Reason.OUT_OF_RANGE, f"{name} is {value}; allowed are {least} to {MAX_COUNT}")
        return value

    def measure(self, name: str) -> int | None:
        return None if self._record[name] is None else self.count(name)

    def moment(self, name: str) -> datetime:
        value: int = self._record[name]
        if not EARLIEST <= value < LATEST:
            raise DecodeError(Reason.OUT_OF_RANGE, f"{name} is {value} ms; allowed are the years 2000 to 2099")
        return from_millis(value)

    def business_date(self) -> date:
        """Not after the event; or, for the unit's clock may run behind, not after the receipt."""
        event_time = self.moment("event_time")
        value: int = self._record["business_date"]
        newest = to_days(local_date(max(event_time, self._received_at)))
        if not EARLIEST // DAY_MS <= value <= newest:
            raise DecodeError(
                Reason.OUT_OF_RANGE,
                f"business_date is day {value} since 1970; allowed are 2000-01-01 to the day of event_time or of receipt",
            )
        return from_days(value)

    def unit(self, name: str) -> UnitId:
        unit_id = UnitId(self.text(name))
        if unit_id not in self._register.units:
            raise DecodeError(Reason.UNKNOWN_UNIT, f"the register has no unit {_quotable(unit_id)}")
        return unit_id

    def table(self, name: str) -> TableCode:
        return self._known_table(self.text(name))

    def tables(self, name: str) -> tuple[TableCode, ...]:
        return tuple(sorted({self._known_table(code) for code in self._record[name]}))

    def form(self, name: str) -> FormCode:
        code = FormCode(self.text(name))
        if code not in self._register.forms:
            raise DecodeError(Reason.UNKNOWN_FORM, f"there is no realtime form {_quotable(code)}")
        return code

    def _known_table(self, code: str) -> TableCode:
        if code not in self._register.tables:
            raise DecodeError(Reason.UNKNOWN_TABLE, f"the catalogue has no table {_quotable(code)}")
        return TableCode(code)


def _quotable(code: str) -> str:
    """`code` in quotes when it looks like an identifier; else only its length, for free text may be personal data."""
    return f"'{code}'" if re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{0,39}", code) else f"({len(code)} characters)"


Read = Callable[["_Fields"], Any]


@cache
def _reader(kind: type[Event]) -> Callable[["_Fields"], Event]:
    """How an event of `kind` is read: each field by its name or its type, in the order of the fields.

    The event time comes first where a business date is held against it.
    """
    types = get_type_hints(kind)
    read = {name: _field_reader(name, found) for name, found in types.items()}
    first = ("event_time",) if "business_date" in read else ()

    def event(fields: _Fields) -> Event:
        values = {name: read[name](fields) for name in (*first, *(name for name in read if name not in first))}
        return kind(**values)

    return event


def _field_reader(name: str, kind: object) -> Read:
    if name in _BY_NAME:
        return _BY_NAME[name]
    if kind in _BY_TYPE:
        return partial(_BY_TYPE[kind], name=name)
    raise TypeError(f"no field of an event can be a {kind}: {name}")


_BY_NAME: Final[Mapping[str, Read]] = {
    "event_id": lambda fields: fields.identifier("event_id"),
    "series": lambda fields: fields.identifier("series", empty=True),
    "sequence": lambda fields: fields.count("sequence", least=1),
    "business_date": lambda fields: fields.business_date(),
}
_BY_TYPE: Final[Mapping[object, Callable[..., Any]]] = {
    str: lambda fields, name: fields.text(name),
    UnitId: lambda fields, name: fields.unit(name),
    TableCode: lambda fields, name: fields.table(name),
    tuple[TableCode, ...]: lambda fields, name: fields.tables(name),
    FormCode: lambda fields, name: fields.form(name),
    datetime: lambda fields, name: fields.moment(name),
    int: lambda fields, name: fields.count(name),
    int | None: lambda fields, name: fields.measure(name),
}
