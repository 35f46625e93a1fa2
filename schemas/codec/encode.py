"""Events -> bytes, by the newest schema of their topic. Core."""

from datetime import date, datetime
from typing import Any, Final

from schemas.clock import to_days, to_millis
from schemas.codec.single_object import MARKER, newest_releases, written
from schemas.events import (
    DeadLetter,
    Event,
)
from schemas.topics import TOPIC_OF


def encode(event: Event | DeadLetter) -> bytes:
    """The message bytes of `event`, by the newest schema of its topic. Raises TypeError or ValueError on a wrong field."""
    newest = newest_releases()[TOPIC_OF[type(event)]]
    try:
        return MARKER + newest.fingerprint + written(_record(event), newest.schema)
    except OverflowError as error:  # fastavro lets C find out about numbers beyond 64 bits
        raise ValueError(f"a number does not fit 64 bits: {error}") from None


def _record(event: Event | DeadLetter) -> dict[str, Any]:
    """The event as a plain Avro record: dates as days, moments as milliseconds, the rest as it is."""
    return {name: _plain(name, getattr(event, name)) for name in event.__dataclass_fields__}


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
