"""Every codec gives back what was packed, and stops at the limit before memory holds more."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Final

import lz4.frame
import pytest
import snappy
import zstandard
from kafka.codec import snappy_encode

from monitor.worker.decompression import CODECS, NotPacked, TooLarge, unpack

PLAIN: Final = b"".join(b"message %d " % number for number in range(10_000))
LIMIT: Final = 1 << 20
PACK: Final[dict[str, tuple[int, Callable[[bytes], bytes]]]] = {
    "gzip": (1, gzip.compress),
    "gzip in two members": (1, lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:])),
    "snappy": (2, snappy.compress),
    "snappy as Java writes it": (2, snappy_encode),
    "lz4": (3, lz4.frame.compress),
    "lz4 as Java writes it": (3, lambda data: bytes(lz4.frame.compress(data, block_linked=False))),
    "lz4 in two frames": (3, lambda data: bytes(lz4.frame.compress(data[:999]) + lz4.frame.compress(data[999:]))),
    "zstd": (4, zstandard.ZstdCompressor().compress),
    "zstd in two frames": (4, lambda d: zstandard.ZstdCompressor().compress(d[:9]) + zstandard.ZstdCompressor().compress(d[9:])),
}
WAYS: Final = [pytest.param(*way, id=name) for name, way in PACK.items()]


@pytest.mark.parametrize(("codec", "pack"), WAYS)
def test_what_was_packed_comes_back(codec: int, pack: Callable[[bytes], bytes]) -> None:
    assert unpack(codec, pack(PLAIN), len(PLAIN)) == PLAIN


@pytest.mark.parametrize(("codec", "pack"), WAYS)
def test_one_byte_over_the_limit_is_too_large(codec: int, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TooLarge, match=CODECS[codec].name):
        unpack(codec, pack(PLAIN), len(PLAIN) - 1)


@pytest.mark.parametrize(("codec", "pack"), WAYS)
def test_a_bomb_takes_no_memory(codec: int, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(64 * LIMIT))
    tracemalloc.start()
    with pytest.raises(TooLarge):
        unpack(codec, bomb, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(bomb) + 4 * LIMIT


@pytest.mark.parametrize(("codec", "pack"), WAYS)
@pytest.mark.parametrize("spoil", [lambda _: b"no such thing", lambda packed: packed[:9] + b"\xff" * 40 + packed[49:]])
def test_what_no_codec_wrote_is_told_as_such(codec: int, pack: Callable[[bytes], bytes], spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(NotPacked, match=CODECS[codec].name):
        unpack(codec, spoil(pack(PLAIN)), LIMIT)


def test_a_snappy_length_that_lies_is_believed_for_no_byte() -> None:
    with pytest.raises(TooLarge):
        unpack(2, b"\xff\xff\xff\xff\x0f" + snappy.compress(PLAIN)[3:], LIMIT)


def test_a_codec_that_kafka_does_not_have_is_named() -> None:
    with pytest.raises(NotPacked, match="codec 7"):
        unpack(7, zlib.compress(PLAIN), LIMIT)
