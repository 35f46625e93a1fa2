"""Who a message says that it is from, where nobody of that id is registered. Core."""

from schemas.codec.reasons import DecodeError
from schemas.codec.records import read_record
from schemas.register.cells import looks_like_id
from schemas.topics import Topic


def claimed_unit(value: bytes | None, topic: Topic) -> str | None:
    """The unit id in a message of `topic`; None when there is none, or it does not look like an id.

    What does not look like an id may be anything, a person's name too: it must not be stored or shown.
    """
    try:
        found = read_record(value, topic).get("unit_id")
    except DecodeError:
        return None
    return found if isinstance(found, str) and looks_like_id(found) else None
