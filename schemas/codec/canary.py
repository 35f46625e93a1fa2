"""The canary: a made-up unit whose events prove the whole way from the broker to the alert, and count nowhere else. Core."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, get_type_hints

from schemas.clock import from_millis, local_date
from schemas.codec.decode import EARLIEST, LATEST, MAX_COUNT
from schemas.codec.encode import encode
from schemas.codec.identifiers import is_identifier
from schemas.codec.reasons import DecodeError
from schemas.codec.records import read_record
from schemas.events import FormCode, TableCode
from schemas.identifiers import CANARY_UNIT
from schemas.topics import KINDS, Topic

CANARY_KEY: Final = CANARY_UNIT.encode()


class Canary(NamedTuple):
    """One event of the canary, as the monitor keeps it. `event_at` is when it was sent, but not after its receipt."""

    event_at: datetime
    series: str
    sequence: int


def canary_message(topic: Topic, event_at: datetime, series: str, sequence: int) -> bytes:
    """What the canary sends on `topic`: an event of the topic's kind that holds nothing."""
    kind = KINDS[topic].event
    given: Mapping[str, Any] = {
        "event_id": f"{series}-{sequence}",
        "unit_id": CANARY_UNIT,
        "event_time": event_at,
        "business_date": local_date(event_at),
        "series": series,
        "sequence": sequence,
    }
    return encode(kind(**{name: given[name] if name in given else _NOTHING[hint] for name, hint in get_type_hints(kind).items()}))


def read_canary(key: bytes | None, value: bytes | None, topic: Topic, received_at: datetime) -> Canary | None:
    """The canary's event that a message is; None for any other message, and for a canary's that is broken."""
    if key != CANARY_KEY:
        return None
    try:
        record = read_record(value, topic)
    except DecodeError:
        return None
    sound = 1 <= record["sequence"] <= MAX_COUNT and EARLIEST <= record["event_time"] < LATEST and is_identifier(record["series"])
    if record["unit_id"] != CANARY_UNIT or not sound:
        return None
    return Canary(min(from_millis(record["event_time"]), received_at), record["series"], record["sequence"])


_NOTHING: Final[Mapping[Any, Any]] = {
    str: "canary",
    TableCode: TableCode("canary"),
    FormCode: FormCode("canary"),
    tuple[TableCode, ...]: (),
    int: 0,
    int | None: None,
}
"""By the type of a field. Nobody reads these: the unit comes first, and is not registered."""
