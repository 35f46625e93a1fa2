"""Whose message it is: the key must be the unit's id. Core."""

from schemas.codec.reasons import DecodeError, Reason
from schemas.events import Event


def require_key(key: bytes | None, event: Event, *, null_keys: bool) -> None:
    """Raise DecodeError unless `key` is the id of the event's unit, or there is none and that is allowed.

    Otherwise whoever may write to the topic could write in another unit's name, and the true event would be a conflict.
    """
    if key is None:
        if not null_keys:
            raise DecodeError(Reason.KEY_MISMATCH, "the message has no key, and must have its unit's id")
    elif key != event.unit_id.encode():
        raise DecodeError(Reason.KEY_MISMATCH, f"the key is another than the unit's id {event.unit_id}")
