"""A socket to a Kafka broker, and the few questions that tell why a client is not let in. Shell."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

_SECONDS: Final = 2.0
"""How long a step may take: a client has waited for eight seconds already."""
_ALERT_SECONDS: Final = 0.3
"""In TLS 1.3 the broker's word on our certificate comes after the handshake."""
_METADATA: Final = 3
_SASL_HANDSHAKE: Final = 17
SASL_AUTHENTICATE: Final = 36
NO_MECHANISM: Final = "NONE"
"""No broker knows it: whoever wants a login says which ones there are, and ends the connection."""
_LONGEST_ANSWER: Final = 1 << 20


class Strange(Exception):
    """What came is no answer to what was asked."""


def context_of(security: Mapping[str, Any]) -> ssl.SSLContext:
    """As kafka-python makes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if "ssl_cafile" in security:
        context.load_verify_locations(security["ssl_cafile"])
    else:
        context.load_default_certs()
    context.check_hostname = security.get("ssl_check_hostname", True)
    if "ssl_certfile" in security:
        context.load_cert_chain(security["ssl_certfile"], security.get("ssl_keyfile"))
    return context


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def is_alert(error: Exception) -> bool:
    """Whether it is the word of somebody who speaks TLS."""
    return isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")


@contextmanager
def reach(host: str, port: int, context: ssl.SSLContext | None, seconds: float = _SECONDS) -> Iterator[socket.socket]:
    with socket.create_connection((host, port), seconds) as plain:
        if context is None:
            yield plain
            return
        with context.wrap_socket(plain, server_hostname=host) as secured:
            secured.settimeout(_ALERT_SECONDS)
            with contextlib.suppress(TimeoutError):
                secured.recv(1)
            secured.settimeout(seconds)
            yield secured


def speaks(host: str, port: int, context: ssl.SSLContext | None) -> bool:
    """Whether the broker answers over TLS (with a context), or in plain text."""
    try:
        with reach(host, port, context) as reached:
            return context is not None or bool(offer(reached, NO_MECHANISM))
    except (OSError, Strange) as error:
        return is_alert(error)


def offer(reached: socket.socket, mechanism: str) -> tuple[int, list[str]]:
    """The answer to SaslHandshake: an error code, and the mechanisms that there are."""
    answer = ask(reached, _SASL_HANDSHAKE, 1, _text(mechanism))
    try:
        error, count = struct.unpack_from(">hi", answer)
        names, place = [], 6
        for _ in range(count):
            length = struct.unpack_from(">h", answer, place)[0]
            names.append(answer[place + 2 : place + 2 + length].decode())
            place += 2 + length
    except (struct.error, UnicodeDecodeError):
        raise Strange from None
    return error, names


def ask(reached: socket.socket, api: int, version: int, body: bytes) -> bytes:
    """One request of the Kafka protocol, and the body of its answer."""
    request = struct.pack(">hhi", api, version, 1) + _text("hipwatch") + body
    reached.sendall(struct.pack(">i", len(request)) + request)
    length, number = struct.unpack(">ii", _read(reached, 8))
    if number != 1 or not 4 <= length <= _LONGEST_ANSWER:
        raise Strange
    return _read(reached, length - 4)


def _read(reached: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = reached.recv(size - len(found))
        if not part:
            raise ConnectionResetError("the broker ended the connection")
        found += part
    return found


def _text(word: str) -> bytes:
    return struct.pack(">h", len(word.encode())) + word.encode()


def serves(reached: socket.socket) -> bool:
    """Whether it answers without a login; a broker that wants one ends the connection."""
    try:
        return bool(ask(reached, _METADATA, 1, struct.pack(">i", 0)))
    except ConnectionError:
        return False
