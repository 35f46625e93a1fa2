"""Broken messages, each broken in one known way. Core, seeded.

Invariant: the reason that comes with a message is the one for which a decoder has to refuse it.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from schemas.codec.encode import encode
from schemas.codec.reasons import Reason
from schemas.events import CdaDocuments, Event, RealtimeForms, UnitId

_NOBODY: Final = UnitId("no-such-unit")
HEADER_BYTES: Final = 10
"""Bytes of the single-object header (marker and fingerprint); a shorter cut would not even name its schema."""


def _random_bytes(_: Event, random: Random) -> tuple[Reason, bytes]:
    return Reason.NOT_AVRO, b"\x00" + random.randbytes(random.randint(1, 200))


def _truncated(event: Event, random: Random) -> tuple[Reason, bytes]:
    # within the event id, a record's first field: there no reader can take the missing bytes for anything else
    return Reason.TRUNCATED, encode(event)[: HEADER_BYTES + random.randint(0, len(event.event_id))]


def _trailing_bytes(event: Event, random: Random) -> tuple[Reason, bytes]:
    return Reason.TRAILING_BYTES, encode(event) + random.randbytes(random.randint(1, 20))


def _unknown_unit(event: Event, _: Random) -> tuple[Reason, bytes]:
    return Reason.UNKNOWN_UNIT, encode(replace(event, unit_id=_NOBODY))


def _negative_count(event: Event, random: Random) -> tuple[Reason, bytes]:
    number = -random.randint(1, 9)
    if isinstance(event, CdaDocuments | RealtimeForms):
        return Reason.OUT_OF_RANGE, encode(replace(event, record_count=number))
    return Reason.OUT_OF_RANGE, encode(replace(event, sequence=number))


POISONS: Final[tuple[Callable[[Event, Random], tuple[Reason, bytes]], ...]] = (
    _random_bytes,
    _truncated,
    _trailing_bytes,
    _unknown_unit,
    _negative_count,
)
"""Ways to break an event, to be taken in turn: (event, random) -> reason and bytes."""
