"""Unpack compressed messages, never to more than a limit: what is small on the wire may be gigabytes unpacked. Core.

One function for each of Kafka's codecs (KIP-98 and KIP-110: gzip 1, snappy 2, lz4 3, zstd 4). Each stops at the limit
instead of finding out afterwards, so memory never holds more.
"""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import lz4.frame
import snappy
import zstandard

_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS
_XERIAL: Final = b"\x82SNAPPY\x00"
"""How Java's snappy begins: 8 bytes of magic, two version numbers, then blocks with their length before them."""
_XERIAL_HEADER_BYTES: Final = 16
_BLOCK_LENGTH: Final = struct.Struct(">i")
_ENOUGH_LZ4_FRAMES: Final = 1_000_000


class TooLarge(Exception):
    """It unpacks to more than the limit."""


class NotPacked(Exception):
    """The bytes are not what the codec writes."""


class Codec(NamedTuple):
    """A codec by its name. `unpack(data, limit)` raises TooLarge, or anything at all on bytes that are not its own."""

    name: str
    unpack: Callable[[bytes, int], bytes]


def unpack(codec: int, data: bytes, limit: int) -> bytes:
    """What `data` was before the codec with this number packed it. Raises TooLarge beyond `limit` bytes, or NotPacked."""
    if codec not in CODECS:
        raise NotPacked(f"codec {codec}, which Kafka does not have")
    name, action = CODECS[codec]
    try:
        return action(data, limit)
    except TooLarge:
        raise TooLarge(f"{len(data)} bytes of {name} that unpack to more than {limit}") from None
    except Exception as error:  # each library has errors of its own
        raise NotPacked(f"{len(data)} bytes that are no {name} ({type(error).__name__})") from None


def _gzip(data: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    while data:
        member = zlib.decompressobj(_GZIP_HEADER)
        part = member.decompress(data, left + 1)
        left -= len(part)
        if left < 0:
            raise TooLarge
        if not member.eof:
            raise NotPacked("it ends early")
        parts.append(part)
        data = member.unused_data
    return b"".join(parts)


def _snappy(data: bytes, limit: int) -> bytes:
    if not data.startswith(_XERIAL):
        return _snappy_block(data, limit)
    parts: list[bytes] = []
    at = _XERIAL_HEADER_BYTES
    while at < len(data):
        (length,) = _BLOCK_LENGTH.unpack_from(data, at)
        at += _BLOCK_LENGTH.size
        if not 0 < length <= len(data) - at:
            raise NotPacked("a block ends early")
        part = _snappy_block(data[at : at + length], limit)
        limit -= len(part)
        parts.append(part)
        at += length
    return b"".join(parts)


def _snappy_block(data: bytes, limit: int) -> bytes:
    """A block says first how long it will be, and the library holds it to that."""
    size = shift = 0
    for octet in data[:5]:
        size |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            break
    if size > limit:
        raise TooLarge
    return bytes(snappy.decompress(data))


def _lz4(data: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    for _ in range(_ENOUGH_LZ4_FRAMES):
        frame = lz4.frame.LZ4FrameDecompressor()
        part = frame.decompress(data, max_length=left + 1)
        left -= len(part)
        if left < 0:
            raise TooLarge
        if not frame.eof:
            raise NotPacked("it ends early")
        parts.append(part)
        data = frame.unused_data or b""
        if not data:
            return b"".join(parts)
    raise NotPacked("too many frames")


def _zstd(data: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True) as reader:
        found = reader.read(limit + 1)
    if len(found) > limit:
        raise TooLarge
    return bytes(found)


CODECS: Final[Mapping[int, Codec]] = MappingProxyType(
    {1: Codec("gzip", _gzip), 2: Codec("snappy", _snappy), 3: Codec("lz4", _lz4), 4: Codec("zstd", _zstd)}
)
"""By the number that a batch of messages names it with; 0 is none."""
