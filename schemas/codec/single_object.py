"""Avro single-object encoding: marker, fingerprint, datum, and the released schemas. Core.

A message is the marker C3 01, the CRC-64-AVRO fingerprint of its writer schema (8 bytes, little-endian) and the datum
(Avro 1.11 specification, "Single-object encoding"). The writer schema is found by fingerprint among the released
schemas in `avro/`, so old bytes stay readable and no registry server is needed.
"""

import io
import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import takewhile
from typing import Any, Final, NamedTuple

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.topics import Topic

MARKER: Final = b"\xc3\x01"
HEADER_BYTES: Final = len(MARKER) + 8


class Released(NamedTuple):
    """One released version of a record. `head` is the same record without its arrays and what follows them."""

    topic: Topic
    version: int
    schema: Any
    fingerprint: bytes
    head: Any


def written(record: Mapping[str, Any], schema: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, record)
    return buffer.getvalue()


@cache
def released() -> tuple[Released, ...]:
    """Every schema in `avro/`, named `<topic>.<version>.avsc`."""
    found = []
    for file in sorted((files("schemas") / "avro").iterdir(), key=lambda file: file.name):
        topic, version, suffix = file.name.rsplit(".", 2)
        if suffix == "avsc":
            found.append(_release(Topic(topic), int(version), json.loads(file.read_text(encoding="utf-8"))))
    return tuple(found)


def _release(topic: Topic, version: int, schema: dict[str, Any]) -> Released:
    # fastavro prints the CRC-64-AVRO fingerprint in wire order (little-endian) already
    crc = bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
    # a type is a name, a union (a list), or here an array
    before_arrays = list(takewhile(lambda field: not isinstance(field["type"], dict), schema["fields"]))
    head = fastavro.parse_schema({**schema, "fields": before_arrays})
    return Released(topic, version, fastavro.parse_schema(schema), crc, head)


@cache
def by_fingerprint() -> dict[bytes, Released]:
    return {released.fingerprint: released for released in released()}


@cache
def newest_releases() -> dict[Topic, Released]:
    return {released.topic: released for released in sorted(released(), key=lambda released: released.version)}
