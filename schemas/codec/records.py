"""Bytes -> records: one datum of a released schema, whole and well-formed. Core."""

import io
from typing import Any, Final

import fastavro

from schemas.codec.reasons import DecodeError, Reason
from schemas.codec.single_object import HEADER_BYTES, MARKER, Released, by_fingerprint, newest_releases, written
from schemas.topics import MAX_EVENT_BYTES, Topic

_REGISTRY_HEADER_BYTES: Final = 5


def read_record(value: bytes | None, topic: Topic, limit: int | None = MAX_EVENT_BYTES) -> dict[str, Any]:
    if not value:
        raise DecodeError(Reason.NOT_AVRO, "the message is empty")
    if limit is not None and len(value) > limit:
        raise DecodeError(Reason.OVERSIZED, f"{len(value)} bytes; an event has at most {limit}")
    if not value.startswith(MARKER[: len(value)]):
        raise DecodeError(Reason.NOT_AVRO, "does not begin with the single-object marker C3 01" + _likely_framing(value))
    if len(value) < HEADER_BYTES:
        raise DecodeError(Reason.TRUNCATED, f"{len(value)} bytes; the header alone has {HEADER_BYTES}")
    writer = by_fingerprint().get(bytes(value[len(MARKER) : HEADER_BYTES]))
    if writer is None:
        raise DecodeError(Reason.UNKNOWN_FINGERPRINT, f"no released schema has the fingerprint {value[2:HEADER_BYTES].hex()}")
    if writer.topic is not topic:
        raise DecodeError(Reason.WRONG_TYPE, f"a {writer.topic} record on the topic of {topic}")
    return _datum(value, writer, newest_releases()[topic])


def _likely_framing(value: bytes) -> str:
    """A serializer that asks a schema registry writes a zero and the schema's number (4 bytes) before the datum."""
    if len(value) > _REGISTRY_HEADER_BYTES and value[0] == 0:
        number = int.from_bytes(value[1:_REGISTRY_HEADER_BYTES], "big")
        return f"; looks like the schema registry's framing (schema {number}): send single-object encoding instead"
    if value[:1] in (b"{", b"["):
        return "; looks like JSON"
    return ""


def _datum(value: bytes, writer: Released, newest: Released) -> dict[str, Any]:
    buffer = io.BytesIO(value)
    buffer.seek(HEADER_BYTES)
    try:
        record: Any = fastavro.schemaless_reader(buffer, writer.schema)
    except EOFError:
        raise _truncated(value) from None
    except UnicodeDecodeError as error:
        raise DecodeError(Reason.WRONG_TYPE, f"a text is not UTF-8 (near byte {buffer.tell()}: {error.reason})") from None
    except Exception as error:  # fastavro raises many types on broken bytes; all mean "not this schema"
        if isinstance(error, IndexError) and value[-1] & 0x80 and buffer.tell() >= len(value):  # cut within a varint
            raise _truncated(value) from None
        raise DecodeError(
            Reason.WRONG_TYPE, f"not a {writer.topic} datum (near byte {buffer.tell()}: {type(error).__name__})"
        ) from None
    if buffer.tell() != len(value):
        raise DecodeError(Reason.TRAILING_BYTES, f"{len(value) - buffer.tell()} bytes follow the datum")
    if not _well_formed(value, record, writer):
        raise DecodeError(Reason.WRONG_TYPE, f"not a {writer.topic} datum (a number or a union index is malformed)")
    if writer is not newest:
        buffer.seek(HEADER_BYTES)
        record = fastavro.schemaless_reader(buffer, writer.schema, newest.schema)
    return dict(record)


def _well_formed(value: bytes, record: dict[str, Any], writer: Released) -> bool:
    """Whether `value`, which was read as `record`, holds what a writer of `record` writes.

    fastavro takes a negative union index as Python does, from the end, and of a number beyond 64 bits whatever is left.
    An array may come in one block or many: only what stands before it is compared, and our arrays come last.
    """
    try:
        return value.startswith(written(record, writer.head), HEADER_BYTES)
    except ValueError:  # no writer writes more than 32 bits into an "int" that may be null
        return False


def _truncated(value: bytes) -> DecodeError:
    return DecodeError(Reason.TRUNCATED, f"the datum ends early, after {len(value)} bytes in all")
