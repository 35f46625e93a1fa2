"""Connections to Kafka that read much at once. Shell: kafka-python's sockets.

kafka-python reads 4 kB at a time, and a backlog comes in megabytes: each read is a call of the system and two of Python.
Its `proxy_url` says what makes its sockets; ours is a name for sockets of our own, and no proxy. With TLS, Python's `ssl` puts
a socket of its own in the place of ours, and reads as before.
"""

import socket
from typing import Any, Final

from kafka.net.inet import KafkaNetSocket

_SCHEME: Final = "large-reads"
_READ_BYTES: Final = 256 << 10
"""What a fetch brings is read in a few turns, and no turn leaves the second cache."""


class _LargeReads(socket.socket):
    def recv(self, size: int, flags: int = 0, /) -> bytes:
        return super().recv(max(size, _READ_BYTES), flags)


class _LargeReadsFactory(KafkaNetSocket):  # type: ignore[misc]
    """Known to kafka-python by its scheme from here on."""

    SCHEMES = (_SCHEME,)

    def socket(self, *arguments: Any, **options: Any) -> socket.socket:
        return _LargeReads(*arguments, **options)


def large_reads() -> dict[str, str]:
    """Options for a client of kafka-python's."""
    return {"proxy_url": f"{_SCHEME}://"}
