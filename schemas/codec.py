"""Bytes <-> events in Avro single-object encoding. Core: the only module that calls fastavro.

A message is the marker C3 01, the CRC-64-AVRO fingerprint of its writer schema (8 bytes, little-endian) and the datum
(Avro 1.11 specification, "Single-object encoding"). The writer schema is found by fingerprint among the released
schemas in `avro/`, so old bytes stay readable and no registry server is needed.
"""

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any, Final, NamedTuple

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.clock import from_days, from_millis, local_date, to_days, to_millis
from schemas.events import (
    CdaDocuments,
    DeadLetter,
    Declaration,
    Event,
    FormCode,
    HealthRecords,
    RealtimeForms,
    TableCode,
    UnitId,
)
from schemas.register import Register
from schemas.topics import MAX_EVENT_BYTES, Topic

MARKER: Final = b"\xc3\x01"
_HEADER: Final = len(MARKER) + 8
_MAX_TEXT: Final = 200
"""Longest identifier that is accepted, in characters: ids are labels and keys, not prose."""
_MAX_COUNT: Final = 10**12
"""No count or amount of one upload comes near it; beyond lies a broken sender, and sums must fit 64 bits."""
_EARLIEST: Final = to_millis(datetime(2000, 1, 1, tzinfo=UTC))
_LATEST: Final = to_millis(datetime(2100, 1, 1, tzinfo=UTC))


class Reason(StrEnum):
    """Why a message is a dead letter. A label of metrics and a key of reports: bounded, and never renamed."""

    NOT_AVRO = "not_avro"
    UNKNOWN_FINGERPRINT = "unknown_fingerprint"
    TRUNCATED = "truncated"
    TRAILING_BYTES = "trailing_bytes"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_FORM = "unknown_form"
    OUT_OF_RANGE = "out_of_range"
    OVERSIZED = "oversized"
    SEQUENCE_CONFLICT = "sequence_conflict"


class DecodeError(Exception):
    """A message that cannot become an event. `detail` names the place and never quotes free text of the message."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _Released(NamedTuple):
    """One released version of a record. `head` is the same record without its arrays and what follows them."""

    topic: Topic
    version: int
    schema: Any
    fingerprint: bytes
    head: Any


def encode(event: Event | DeadLetter) -> bytes:
    """The message bytes of `event`, by the newest schema of its topic. Raises TypeError or ValueError on a wrong field."""
    newest = _newest()[TOPIC_OF[type(event)]]
    try:
        return MARKER + newest.fingerprint + _written(_record(event), newest.schema)
    except OverflowError as error:  # fastavro lets C find out about numbers beyond 64 bits
        raise ValueError(f"a number does not fit 64 bits: {error}") from None


def decode(value: bytes | None, topic: Topic, register: Register, received_at: datetime) -> Event:
    """The event that `value`, received from `topic` at `received_at`, stands for. Raises DecodeError and nothing else."""
    record = _read(value, topic)
    return _READERS[topic](_Fields(record, register, received_at))


def decode_dead_letter(value: bytes) -> DeadLetter:
    """The dead letter that `value` stands for. Raises DecodeError."""
    record = _read(value, Topic.DEAD_LETTERS, limit=None)
    try:
        received_at = from_millis(record["received_at"])
    except OverflowError:
        raise DecodeError(Reason.OUT_OF_RANGE, f"received_at is {record['received_at']} ms, which is in no year") from None
    return DeadLetter(**{**record, "received_at": received_at})


def _read(value: bytes | None, topic: Topic, limit: int | None = MAX_EVENT_BYTES) -> dict[str, Any]:
    if not value:
        raise DecodeError(Reason.NOT_AVRO, "the message is empty")
    if limit is not None and len(value) > limit:
        raise DecodeError(Reason.OVERSIZED, f"{len(value)} bytes; an event has at most {limit}")
    if not value.startswith(MARKER[: len(value)]):
        raise DecodeError(Reason.NOT_AVRO, "does not begin with the single-object marker C3 01")
    if len(value) < _HEADER:
        raise DecodeError(Reason.TRUNCATED, f"{len(value)} bytes; the header alone has {_HEADER}")
    writer = _by_fingerprint().get(bytes(value[len(MARKER) : _HEADER]))
    if writer is None:
        raise DecodeError(Reason.UNKNOWN_FINGERPRINT, f"no released schema has the fingerprint {value[2:_HEADER].hex()}")
    if writer.topic is not topic:
        raise DecodeError(Reason.WRONG_TYPE, f"a {writer.topic} record on the topic of {topic}")
    return _datum(value, writer, _newest()[topic])


def _datum(value: bytes, writer: _Released, newest: _Released) -> dict[str, Any]:
    buffer = io.BytesIO(value)
    buffer.seek(_HEADER)
    try:
        record: Any = fastavro.schemaless_reader(buffer, writer.schema, None)
    except EOFError:
        raise _truncated(value) from None
    except UnicodeDecodeError as error:
        raise DecodeError(Reason.WRONG_TYPE, f"a text is not UTF-8 (near byte {buffer.tell()}: {error.reason})") from None
    except Exception as error:  # fastavro raises many types on broken bytes; all mean "not this schema"
        if isinstance(error, IndexError) and value[-1] & 0x80 and buffer.tell() >= len(value):  # cut within a varint
            raise _truncated(value) from None
        raise DecodeError(
            Reason.WRONG_TYPE, f"not a {writer.topic} datum (near byte {buffer.tell()}: {type(error).__name__})"
        ) from None
    if buffer.tell() != len(value):
        raise DecodeError(Reason.TRAILING_BYTES, f"{len(value) - buffer.tell()} bytes follow the datum")
    if not _well_formed(value, record, writer):
        raise DecodeError(Reason.WRONG_TYPE, f"not a {writer.topic} datum (a number or a union index is malformed)")
    if writer is not newest:
        buffer.seek(_HEADER)
        record = fastavro.schemaless_reader(buffer, writer.schema, newest.schema)
    return dict(record)


def _well_formed(value: bytes, record: dict[str, Any], writer: _Released) -> bool:
    """Whether `value`, which was read as `record`, holds what a writer of `record` writes.

    fastavro takes a negative union index as Python does, from the end, and of a number beyond 64 bits whatever is left.
    An array may come in one block or many: only what stands before it is compared, and our arrays come last.
    """
    return value.startswith(_written(record, writer.head), _HEADER)


def _written(record: Mapping[str, Any], schema: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, record)
    return buffer.getvalue()


def _truncated(value: bytes) -> DecodeError:
    return DecodeError(Reason.TRUNCATED, f"the datum ends early, after {len(value)} bytes in all")


class _Fields:
    """Checked access to the fields of a decoded record; each method raises DecodeError with the field's name."""

    __slots__ = ("_received_at", "_record", "_register")

    def __init__(self, record: Mapping[str, Any], register: Register, received_at: datetime) -> None:
        self._record = record
        self._register = register
        self._received_at = received_at

    def text(self, name: str, *, empty: bool = False) -> str:
        value: str = self._record[name]
        if len(value) > _MAX_TEXT or not (value or empty) or "\x00" in value:
            raise DecodeError(Reason.OUT_OF_RANGE, f"{name} is empty, holds a NUL or is longer than {_MAX_TEXT} characters")
        return value

    def count(self, name: str, *, least: int = 0) -> int:
        value: int = self._record[name]
        if not least <= value <= _MAX_COUNT:
            raise DecodeError(Reason.OUT_OF_RANGE, f"{name} is {value}; allowed are {least} to {_MAX_COUNT}")
        return value

    def measure(self, name: str) -> int | None:
        return None if self._record[name] is None else self.count(name)

    def moment(self, name: str) -> datetime:
        value: int = self._record[name]
        if not _EARLIEST <= value < _LATEST:
            raise DecodeError(Reason.OUT_OF_RANGE, f"{name} is {value} ms; allowed are the years 2000 to 2099")
        return from_millis(value)

    def business_date(self, event_time: datetime) -> date:
        """Not after the event; or, for the unit's clock may run behind, not after the receipt."""
        value: int = self._record["business_date"]
        newest = to_days(local_date(max(event_time, self._received_at)))
        if not _EARLIEST // 86_400_000 <= value <= newest:
            raise DecodeError(
                Reason.OUT_OF_RANGE,
                f"business_date is day {value} since 1970; allowed are 2000-01-01 to the day of event_time or of receipt",
            )
        return from_days(value)

    def unit(self) -> UnitId:
        unit_id = UnitId(self.text("unit_id"))
        if unit_id not in self._register.units:
            raise DecodeError(Reason.UNKNOWN_UNIT, f"the register has no unit {_quotable(unit_id)}")
        return unit_id

    def table(self) -> TableCode:
        return self._known_table(self.text("table_code"))

    def tables(self) -> tuple[TableCode, ...]:
        return tuple(sorted({self._known_table(code) for code in self._record["table_codes"]}))

    def form(self) -> FormCode:
        code = FormCode(self.text("form_code"))
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


def _cda_documents(fields: _Fields) -> CdaDocuments:
    event_time = fields.moment("event_time")
    return CdaDocuments(
        fields.text("event_id"),
        fields.unit(),
        fields.table(),
        fields.business_date(event_time),
        event_time,
        fields.text("series", empty=True),
        fields.count("sequence", least=1),
        fields.count("record_count"),
        fields.measure("outpatient_visits"),
        fields.measure("discharges"),
        fields.measure("outpatient_revenue_cents"),
        fields.measure("inpatient_revenue_cents"),
    )


def _realtime_forms(fields: _Fields) -> RealtimeForms:
    event_time = fields.moment("event_time")
    return RealtimeForms(
        fields.text("event_id"),
        fields.unit(),
        fields.form(),
        fields.business_date(event_time),
        event_time,
        fields.text("series", empty=True),
        fields.count("sequence", least=1),
        fields.count("record_count"),
    )


def _declaration(fields: _Fields) -> Declaration:
    return Declaration(
        fields.text("event_id"),
        fields.unit(),
        fields.moment("event_time"),
        fields.text("series", empty=True),
        fields.count("sequence", least=1),
        fields.tables(),
    )


def _health_records(fields: _Fields) -> HealthRecords:
    event_time = fields.moment("event_time")
    return HealthRecords(
        fields.text("event_id"),
        fields.unit(),
        fields.business_date(event_time),
        event_time,
        fields.text("series", empty=True),
        fields.count("sequence", least=1),
        fields.measure("base_total"),
        fields.measure("hypertension_total"),
        fields.measure("diabetes_total"),
    )


def _record(event: Event | DeadLetter) -> dict[str, Any]:
    """The event as a plain Avro record: dates as days, moments as milliseconds, the rest as it is."""
    return {name: _plain(name, getattr(event, name)) for name in event.__slots__}


def _plain(name: str, value: object) -> object:
    """The value as Avro takes it. To fastavro 1.5 and True would be 1, and to Python a datetime is a date: TypeError."""
    if name in _MOMENTS:
        if isinstance(value, datetime):
            return to_millis(value)
    elif name in _DATES:
        if isinstance(value, date) and not isinstance(value, datetime):
            return to_days(value)
    elif isinstance(value, _AS_IT_IS) and not isinstance(value, bool):
        return value
    raise TypeError(f"{name} cannot be a {type(value).__name__}")


_MOMENTS: Final = frozenset({"event_time", "received_at"})
_DATES: Final = frozenset({"business_date"})
_AS_IT_IS: Final = (str, int, type(None), bytes, tuple)
_READERS: Final[Mapping[Topic, Callable[[_Fields], Event]]] = {
    Topic.CDA_DOCUMENTS: _cda_documents,
    Topic.REALTIME_FORMS: _realtime_forms,
    Topic.DECLARATIONS: _declaration,
    Topic.HEALTH_RECORDS: _health_records,
}
TOPIC_OF: Final[Mapping[type[Event] | type[DeadLetter], Topic]] = {
    CdaDocuments: Topic.CDA_DOCUMENTS,
    RealtimeForms: Topic.REALTIME_FORMS,
    Declaration: Topic.DECLARATIONS,
    HealthRecords: Topic.HEALTH_RECORDS,
    DeadLetter: Topic.DEAD_LETTERS,
}
"""The topic that each type of event travels on."""


@cache
def _released() -> tuple[_Released, ...]:
    """Every schema in `avro/`, named `<topic>.<version>.avsc`."""
    found = []
    for file in sorted((files("schemas") / "avro").iterdir(), key=lambda file: file.name):
        topic, version, suffix = file.name.rsplit(".", 2)
        if suffix == "avsc":
            found.append(_release(Topic(topic), int(version), json.loads(file.read_text(encoding="utf-8"))))
    return tuple(found)


def _release(topic: Topic, version: int, schema: dict[str, Any]) -> _Released:
    # fastavro prints the CRC-64-AVRO fingerprint in wire order (little-endian) already
    crc = bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
    # a type is a name, a union (a list), or here an array
    before_arrays = list(takewhile(lambda field: not isinstance(field["type"], dict), schema["fields"]))
    head = fastavro.parse_schema({**schema, "fields": before_arrays})
    return _Released(topic, version, fastavro.parse_schema(schema), crc, head)


@cache
def _by_fingerprint() -> dict[bytes, _Released]:
    return {released.fingerprint: released for released in _released()}


@cache
def _newest() -> dict[Topic, _Released]:
    return {released.topic: released for released in sorted(_released(), key=lambda released: released.version)}
