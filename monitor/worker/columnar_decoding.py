"""Decode raw batches in columns; what is odd in one, and only that, goes message by message. Shell: logs the dead letters.

Invariant: events, canaries, dead letters and their reasons are those of `decode_batch`, which is the oracle.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from monitor.counting.batch import Batch, RawBatch, Rows
from monitor.counting.column_changes import can_add
from monitor.counting.column_fold import ColumnArrivals
from monitor.counting.event_columns import EventColumns
from monitor.worker.decoding import decode_batch, read_one_by_one
from monitor.worker.packed_messages import PackedMessages
from schemas.codec.columnar import ColumnarDecoder
from schemas.codec.columns import CodeColumn, DecodedColumns
from schemas.codec.known_codes import KnownCodes
from schemas.codec.packed import Marks
from schemas.register import Register
from schemas.simulated import is_simulated
from schemas.topics import EVENT_TOPICS, Topic

_FEWEST: Final = 16
"""Fewer messages are read one by one: a batch in columns costs as much as some ten messages, however few it has."""


class ColumnarDecoding:
    """`decode_batch`, for messages that came as whole batches. To be called with one register for a long time."""

    def __init__(self) -> None:
        self._register: Register | None = None
        self._decoders: Mapping[Topic, ColumnarDecoder] = {}
        self._units = KnownCodes([])

    def __call__(self, raw: RawBatch, register: Register, *, null_keys: bool = True, simulated: bool = True) -> Batch:
        """The events of `raw`, in offset order, and its dead letters. Raises nothing on whatever a message holds."""
        self._take(register)
        messages, decoder = raw.messages, self._decoders[raw.topic]
        if not decoder.can_read or not isinstance(messages, PackedMessages) or len(messages) < _FEWEST:
            return decode_batch(raw, register, null_keys=null_keys, simulated=simulated)
        slices = messages.slices
        found = decoder.decode(messages.packed, slices.value_starts, slices.value_lengths, slices.received_ms)
        found = self._with_right_keys(found, messages, null_keys)
        if not simulated:
            found = _without_simulated(found)
        odd = (messages[place] for place in found.odd.tolist())
        others, dead_letters, canaries = read_one_by_one(raw, odd, register, null_keys=null_keys, simulated=simulated)
        if not len(found.rows):
            return Batch(raw, Rows(others), dead_letters, canaries)
        events = EventColumns(raw.topic, slices.offsets[found.rows], slices.received_ms[found.rows], found.columns)
        arrivals = ColumnArrivals(events, others)
        return Batch(raw, arrivals if can_add(events) else Rows(arrivals.rows()), dead_letters, canaries)

    def _take(self, register: Register) -> None:
        if register is not self._register:
            self._register = register
            self._decoders = {topic: ColumnarDecoder(topic, register) for topic in EVENT_TOPICS}
            self._units = KnownCodes(register.units)

    def _with_right_keys(self, found: DecodedColumns, messages: PackedMessages, null_keys: bool) -> DecodedColumns:
        """The same, but for what has another key than its unit's id: that is odd too."""
        units = found.columns.get("unit_id")
        if not isinstance(units, CodeColumn):
            return found
        starts, lengths = messages.slices.key_starts[found.rows], messages.slices.key_lengths[found.rows]
        wrong: Marks = self._units.differ(units.places, messages.packed, starts, np.maximum(lengths, 0))
        return _without(found, np.where(lengths >= 0, wrong, not null_keys))


def _without_simulated(found: DecodedColumns) -> DecodedColumns:
    """The same, but for what was simulated: that is odd too."""
    series = found.columns.get("series")
    if not isinstance(series, CodeColumn):
        return found
    marked = [is_simulated(code) for code in series.codes]
    return _without(found, np.array(marked)[series.places]) if any(marked) else found


def _without(found: DecodedColumns, wrong: Marks) -> DecodedColumns:
    if not wrong.any():
        return found
    good = np.flatnonzero(~wrong)
    columns = {name: column.take(good) for name, column in found.columns.items()}
    return DecodedColumns(found.rows[good], columns, np.sort(np.concatenate([found.odd, found.rows[wrong]])))
