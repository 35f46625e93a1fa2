import io
import json
from importlib.resources import files
from typing import Any

import fastavro
import pytest
from fastavro.schema import to_parsing_canonical_form

from schemas.codec import single_object
from schemas.codec.decode import decode, decode_dead_letter
from schemas.codec.encode import encode
from schemas.codec.single_object import MARKER
from schemas.register import Register
from schemas.topics import Topic
from tests.factories import RECEIVED
from tests.unit.schemas.golden import GOLDEN, GOLDEN_LETTER, GOLDEN_LETTER_VALUE, Golden

each_record = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.topic.value)
LETTER_SCHEMA = "dead-letters.1.avsc"


def crc_64_avro(text: str) -> bytes:
    """The fingerprint of a canonical schema by the letter of the Avro 1.11 specification, as it travels: little-endian."""
    empty = 0xC15D213AA4D7A795
    table = []
    for number in range(256):
        entry = number
        for _ in range(8):
            entry = (entry >> 1) ^ (empty if entry & 1 else 0)
        table.append(entry)
    crc = empty
    for byte in text.encode():
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc.to_bytes(8, "little")


def shipped(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((files("schemas") / "avro" / name).read_text(encoding="utf-8"))
    return schema


@each_record
def test_a_released_message_still_decodes_to_its_event(golden: Golden, register: Register) -> None:
    assert decode(golden.value, golden.topic, register, RECEIVED) == golden.event


@each_record
def test_an_event_is_encoded_as_it_always_was(golden: Golden) -> None:
    assert encode(golden.event) == golden.value


def test_a_released_dead_letter_still_decodes_and_is_encoded_as_it_always_was() -> None:
    assert decode_dead_letter(GOLDEN_LETTER_VALUE) == GOLDEN_LETTER
    assert encode(GOLDEN_LETTER) == GOLDEN_LETTER_VALUE


def test_every_shipped_schema_has_its_golden_message() -> None:
    on_disk = {file.name for file in (files("schemas") / "avro").iterdir()}
    assert on_disk == {golden.schema for golden in GOLDEN} | {LETTER_SCHEMA}


@pytest.mark.parametrize(
    ("name", "value"),
    [*((golden.schema, golden.value) for golden in GOLDEN), (LETTER_SCHEMA, GOLDEN_LETTER_VALUE)],
)
def test_any_avro_reader_with_the_shipped_schema_reads_the_datum(name: str, value: bytes) -> None:
    schema = shipped(name)
    buffer = io.BytesIO(value[10:])
    record: Any = fastavro.schemaless_reader(buffer, schema, None)
    assert buffer.read() == b"", "the datum is read to its end"
    assert list(record) == [field["name"] for field in schema["fields"]]
    assert record.get("event_time", record.get("received_at")) == 1_725_940_800_123


@pytest.mark.parametrize(
    ("schema", "fingerprint"),
    [  # the signed numbers that Avro's own test suite gives (share/test/data/schema-tests.txt)
        ('"null"', 7195948357588979594),
        ('"boolean"', -6970731678124411036),
        ('"int"', 8247732601305521295),
        ('"long"', -3434872931120570953),
        ('"bytes"', 5746618253357095269),
        ('"string"', -8142146995180207161),
    ],
)
def test_our_fingerprint_is_the_one_of_the_specification(schema: str, fingerprint: int) -> None:
    assert int.from_bytes(crc_64_avro(schema), "little", signed=True) == fingerprint


@pytest.mark.parametrize(
    ("name", "value"),
    [*((golden.schema, golden.value) for golden in GOLDEN), (LETTER_SCHEMA, GOLDEN_LETTER_VALUE)],
)
def test_a_message_begins_with_the_marker_and_its_schemas_fingerprint(name: str, value: bytes) -> None:
    assert value[:2] == MARKER == bytes.fromhex("c301")
    assert value[2:10] == crc_64_avro(to_parsing_canonical_form(shipped(name)))


def test_the_head_of_a_record_has_the_fields_before_its_first_array() -> None:
    fields = [{"name": "a", "type": "long"}, {"name": "b", "type": ["null", "int"]}, {"name": "c", "type": "string"}]
    array = {"name": "list", "type": {"type": "array", "items": "string"}}
    for before in range(4):
        schema = {"type": "record", "name": "Made", "fields": [*fields[:before], array, *fields[before:]]}
        head = single_object._release(Topic.DECLARATIONS, 1, schema).head
        assert [field["name"] for field in head["fields"]] == ["a", "b", "c"][:before]


def test_the_documentation_of_a_schema_does_not_change_its_fingerprint() -> None:
    with_doc = shipped("declarations.1.avsc")
    without = {**with_doc, "fields": [{key: field[key] for key in ("name", "type")} for field in with_doc["fields"]]}
    del without["doc"]
    assert to_parsing_canonical_form(without) == to_parsing_canonical_form(with_doc)
