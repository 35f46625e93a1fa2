"""Inputs for the fuzzer: a byte that chooses the topic, then a message. Core, seeded.

Random bytes hardly ever get past the fingerprint; so most inputs keep a true header, and break one thing behind it.
"""

import io
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

import fastavro

from schemas.codec import single_object
from schemas.codec.encode import encode
from schemas.codec.single_object import MARKER
from schemas.events import DeadLetter, Event
from schemas.register import load_register
from schemas.topics import Topic
from tests.factories import make_declaration, make_event, make_forms, make_health_records, make_letter
from tests.unit.schemas.golden import GOLDEN, GOLDEN_LETTER_VALUE

TOPICS: Final = tuple(Topic)
RELEASED: Final = single_object.released()
HEADER_BYTES: Final = 10
_REGISTER: Final = load_register()
_EVENTS: Final[Mapping[Topic, Event | DeadLetter]] = {
    Topic.CDA_DOCUMENTS: make_event(outpatient_visits=0, inpatient_revenue_cents=10**12),
    Topic.REALTIME_FORMS: make_forms(),
    Topic.DECLARATIONS: make_declaration(),
    Topic.HEALTH_RECORDS: make_health_records(),
    Topic.DEAD_LETTERS: make_letter(),
}
_NUMBERS: Final = (0, 1, -1, 2, -2, 63, 64, 10**12, 10**12 + 1, 2**31, -(2**31) - 1, 2**62, 2**63 - 1, -(2**63))
_TEXTS: Final = ("", "a", "张三", "x" * 200, "x" * 201, "a\x00b", "\x7f", "RT02", "C0001", "gulou", "é" * 100)
_CUNNING: Final = (
    b"\x01",  # -1: a union index that Python takes for the last
    b"\x03",
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f",  # about 2**62
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # 2**63 - 1
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  # -2**63
    b"\x80" * 9 + b"\x00",  # 0 in ten bytes
    b"\x80" * 10 + b"\x02",  # beyond 64 bits
    b"\xff" * 30,
    b"\x00" * 50,
    b"\xed\xa0\x80",  # a surrogate: not UTF-8
    b"\x03\x0c\x0aC0001\x0aC0002",  # a block of two items with its size
)
"""What numbers and texts are not, written into any place of a datum."""


def corpus() -> list[bytes]:
    """A valid message of every topic by every released schema, and the golden messages."""
    random = Random(1)
    fresh = [_input(released.topic, written(released, _values(released, random, wrong=0))) for released in RELEASED]
    golden = [_input(golden.topic, golden.value) for golden in GOLDEN]
    return [*fresh, *golden, _input(Topic.DEAD_LETTERS, GOLDEN_LETTER_VALUE)]


def topic_and_message(data: bytes) -> tuple[Topic, bytes]:
    """What an input stands for."""
    return TOPICS[data[0] % len(TOPICS)] if data else Topic.CDA_DOCUMENTS, data[1:]


def mutated(data: bytes, most: int, random: Random, mutate: Callable[[bytes, int], bytes]) -> bytes:
    """Another input, of at most `most` bytes; `mutate` is the fuzzer's own way to change bytes."""
    drawn = random.random()
    if drawn < 0.35:
        return (data[: 1 + HEADER_BYTES] + mutate(data[1 + HEADER_BYTES :], most - 1 - HEADER_BYTES))[:most]
    if drawn < 0.60:
        return _with_cunning(data, random)[:most]
    if drawn < 0.95:
        released = random.choice(RELEASED)
        return _input(released.topic, written(released, _values(released, random, wrong=random.randint(0, 2))))[:most]
    return mutate(data, most)


def _with_cunning(data: bytes, random: Random) -> bytes:
    place = random.randint(1 + HEADER_BYTES, max(1 + HEADER_BYTES, len(data)))
    return data[:place] + random.choice(_CUNNING) + data[place + random.randint(0, 2) :]


def _input(topic: Topic, message: bytes) -> bytes:
    return bytes([TOPICS.index(topic)]) + message


def written(released: single_object.Released, record: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, released.schema, record)
    return MARKER + released.fingerprint + buffer.getvalue()


def _values(released: single_object.Released, random: Random, wrong: int) -> dict[str, Any]:
    """A record of that schema, with up to `wrong` fields drawn from all that their types can hold."""
    known = fastavro.schemaless_reader(_datum(released.topic), single_object.newest_releases()[released.topic].schema, None)
    assert isinstance(known, dict)
    values = {field["name"]: known[field["name"]] for field in released.schema["fields"]}
    if "unit_id" in values:
        values["unit_id"] = random.choice(_UNITS)
    if "table_codes" in values:
        values["table_codes"] = random.sample(_TABLES, random.randint(0, 20))
    for field in random.sample(released.schema["fields"], wrong):
        values[field["name"]] = _any_value(field["type"], random)
    return values


def _datum(topic: Topic) -> io.BytesIO:
    return io.BytesIO(encode(_EVENTS[topic])[HEADER_BYTES:])


def _any_value(kind: Any, random: Random) -> Any:
    if isinstance(kind, list):
        return _any_value(random.choice(kind), random)
    if isinstance(kind, dict):
        return [_any_value(kind["items"], random) for _ in range(random.randint(0, 3))]
    return {
        "null": None,
        "int": random.choice(_NUMBERS[:10]),
        "long": random.choice(_NUMBERS) if random.random() < 0.5 else random.randint(0, 10**12),
        "string": random.choice(_TEXTS),
        "bytes": random.randbytes(random.randint(0, 40)),
    }[kind]


_UNITS: Final = tuple(_REGISTER.units)
_TABLES: Final = tuple(_REGISTER.tables)
