"""Whole batches of messages to columns, with every check of `decode`. Core: generated from the schemas, never written by hand.

Invariant: a row that is returned in columns is what `decode` makes of that message. A message that is broken, or only rare
(a text beyond ASCII, a number of more than 8 bytes), is returned as odd: `decode` reads it, and says what is wrong with it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from schemas.codec import single_object
from schemas.codec.column_checks import CHECKS, Kind, KnownNames, RowFields
from schemas.codec.columns import Column, DecodedColumns, NumberColumn, TextColumn, joined
from schemas.codec.packed import Marks, Numbers, Packed, mark_not_plain, read_texts, read_varints
from schemas.codec.single_object import HEADER_BYTES, MARKER, Released
from schemas.register import Register
from schemas.topics import TOPIC_OF, Topic

_32_BITS: Final = 2**31


class _Field(NamedTuple):
    """How a field is written. `null_tag` is the byte that says null, None where there is no such choice."""

    name: str
    kind: str
    null_tag: int | None


class _Layout(NamedTuple):
    """How a released version writes its fields, and with what the columns are filled that it lacks."""

    header: tuple[np.uint64, np.uint64]
    fields: Sequence[_Field]
    defaults: Mapping[str, Any]


class ColumnarDecoder:
    """Reads the messages of one topic."""

    def __init__(self, topic: Topic, register: Register) -> None:
        self._known = KnownNames(register)
        wanted = single_object.newest_releases()[topic]
        self._names = next(tuple(kind.__slots__) for kind, its_topic in TOPIC_OF.items() if its_topic is topic)
        versions = [version for version in single_object.released() if version.topic is topic]
        layouts = [_layout(version, wanted, self._names) for version in versions] if _is_known(wanted, self._names) else []
        self._layouts: Sequence[_Layout] = [layout for layout in layouts if layout is not None]

    @property
    def can_read(self) -> bool:
        """Whether any version of this topic's records can be read in columns; else every message is odd."""
        return bool(self._layouts)

    def decode(self, packed: Packed, starts: Numbers, lengths: Numbers, received_ms: Numbers) -> DecodedColumns:
        """The messages that stand at `starts` in `packed` and were received at `received_ms` (UTC), in columns.

        A length below 0 stands for a message that has no value.
        """
        parts = [self._read(layout, packed, rows, starts, lengths) for layout, rows in self._by_layout(packed, starts, lengths)]
        rows = np.concatenate([rows for rows, _ in parts]) if parts else np.empty(0, np.int64)
        if len(parts) == 1:
            columns = parts[0][1]
        else:
            order = np.argsort(rows)
            rows = rows[order]
            columns = {name: joined([found[name] for _, found in parts], order) for name in self._names} if parts else {}
        rows, columns = self._checked(rows, columns, received_ms)
        return DecodedColumns(rows, columns, np.delete(np.arange(len(starts)), rows))

    def _by_layout(self, packed: Packed, starts: Numbers, lengths: Numbers) -> list[tuple[_Layout, Numbers]]:
        """The rows of each version: those whose marker and fingerprint say so. What is too long has bytes that nobody reads."""
        whole = lengths >= HEADER_BYTES
        at = np.where(whole, starts, 0)
        first, second = packed.words_from(at, 2)
        second &= np.uint64(0xFFFF)
        found = []
        for layout in self._layouts:
            rows = np.flatnonzero(whole & (first == layout.header[0]) & (second == layout.header[1]))
            if rows.size:
                found.append((layout, rows))
        return found

    def _read(
        self, layout: _Layout, packed: Packed, rows: Numbers, starts: Numbers, lengths: Numbers
    ) -> tuple[Numbers, dict[str, Column]]:
        """Every field of the rows that have no other bytes and no fewer."""
        starts, ends = starts[rows], starts[rows] + lengths[rows]
        odd = np.zeros(len(rows), bool)
        at = starts + HEADER_BYTES
        columns: dict[str, Column] = {}
        for field in layout.fields:
            column, at = _read_field(field, packed, at, odd)
            if field.name in self._names:
                columns[field.name] = column
            elif isinstance(column, TextColumn):  # nobody reads it, and yet it has to be a text
                mark_not_plain(packed, column.starts, column.lengths, odd)
        odd |= at != ends
        for name, value in layout.defaults.items():
            columns[name] = _filled(value, packed, len(rows))
        return _kept(rows, columns, odd)

    def _checked(self, rows: Numbers, columns: dict[str, Column], received_ms: Numbers) -> tuple[Numbers, dict[str, Column]]:
        if not rows.size:
            return rows, columns
        odd = np.zeros(len(rows), bool)
        fields = RowFields(columns, received_ms[rows], self._known)
        checked = {name: CHECKS[name].check(fields, name, odd) for name in self._names}
        return _kept(rows, checked, odd)


def _kept(rows: Numbers, columns: dict[str, Column], odd: Marks) -> tuple[Numbers, dict[str, Column]]:
    if not odd.any():
        return rows, columns
    good = np.flatnonzero(~odd)
    return rows[good], {name: column.take(good) for name, column in columns.items()}


def _read_field(field: _Field, packed: Packed, at: Numbers, odd: Marks) -> tuple[Column, Numbers]:
    if field.kind == "string":
        starts, lengths, at = read_texts(packed, at, odd)
        return TextColumn(packed, starts, lengths), at
    if field.null_tag is None:
        values, at = read_varints(packed, at, odd)
        _require_width(field, values, odd)
        return NumberColumn(values), at
    tags = packed.octets[at]
    odd |= tags & 0xFD != 0  # 0 and 1, as zigzag numbers
    present = tags != field.null_tag
    at = packed.within(at + 1)
    rows = np.flatnonzero(present)
    values = np.zeros(len(at), np.int64)
    odd_here = np.zeros(len(rows), bool)
    values[rows], at[rows] = read_varints(packed, at[rows], odd_here)
    odd[rows] |= odd_here
    _require_width(field, values, odd)
    return NumberColumn(values, present), at


def _require_width(field: _Field, values: Numbers, odd: Marks) -> None:
    if field.kind == "int":
        odd |= (values < -_32_BITS) | (values >= _32_BITS)


def _filled(value: Any, packed: Packed, count: int) -> Column:
    zeros = np.zeros(count, np.int64)
    if value == "":
        return TextColumn(packed, zeros, zeros)
    return NumberColumn(zeros, np.zeros(count, bool)) if value is None else NumberColumn(zeros + value)


def _is_known(wanted: Released, names: Collection[str]) -> bool:
    """Whether there is a check for each field that an event has, of the kind that it checks."""
    fields = {field["name"]: _field(field) for field in wanted.schema["fields"]}
    found = {name: field for name in names if (field := fields.get(name)) is not None and name in CHECKS}
    return len(found) == len(names) and all(CHECKS[name].kind is _kind(field) for name, field in found.items())


def _kind(field: _Field) -> Kind:
    if field.kind == "string":
        return Kind.TEXT
    return Kind.NUMBER if field.null_tag is None else Kind.NUMBER_OR_NULL


def _layout(version: Released, wanted: Released, names: Collection[str]) -> _Layout | None:
    """How `version` is read as `wanted`; None where that takes more than these columns know."""
    fields = [_field(field) for field in version.schema["fields"]]
    header = MARKER + version.fingerprint
    first, second = (np.uint64(int.from_bytes(part, "little")) for part in (header[:8], header[8:]))
    known = [field for field in fields if field is not None]
    defaults = _defaults({field.name: field for field in known}, wanted, names)
    return None if len(known) < len(fields) or defaults is None else _Layout((first, second), known, defaults)


def _field(field: Mapping[str, Any]) -> _Field | None:
    kind = field["type"]
    if kind in ("string", "int", "long"):
        return _Field(field["name"], kind, None)
    if isinstance(kind, list) and len(kind) == 2 and "null" in kind:
        place = kind.index("null")
        if kind[1 - place] in ("int", "long"):
            return _Field(field["name"], kind[1 - place], 2 * place)
    return None


def _defaults(written: Mapping[str, _Field], wanted: Released, names: Collection[str]) -> dict[str, Any] | None:
    """What the fields `names` are filled with that were not yet written; None where a field cannot be read so."""
    found = {}
    for field in wanted.schema["fields"]:
        name, reader, writer = field["name"], _field(field), written.get(field["name"])
        if writer is not None and (reader is None or not _fits(writer, reader)):
            return None
        if writer is None and name in names:
            found[name] = field.get("default", ...)
            if not (found[name] is None or found[name] == "" or type(found[name]) is int):
                return None
    return found


def _fits(writer: _Field, reader: _Field) -> bool:
    """Whether what `writer` writes is what `reader` reads, or a narrower kind of it (Avro 1.11, "Schema Resolution")."""
    kinds = writer.kind == reader.kind or (writer.kind, reader.kind) == ("int", "long")
    return kinds and (writer.null_tag is None or reader.null_tag is not None)
