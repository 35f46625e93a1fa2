"""A socket to a Kafka broker, and the few questions that tell why a client is not let in. Shell."""

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from kafka.protocol.metadata import MetadataRequest, MetadataResponse
from kafka.protocol.sasl import SaslHandshakeRequest, SaslHandshakeResponse

_SECONDS: Final = 2.0
"""How long a step may take: a client has waited for eight seconds already."""
_ALERT_SECONDS: Final = 0.3
"""In TLS 1.3 the broker's word on our certificate comes after the handshake."""
NO_MECHANISM: Final = "NONE"
"""No broker knows it: whoever wants a login says which ones there are, and ends the connection."""
_LONGEST_ANSWER: Final = 1 << 20


class UnexpectedAnswer(Exception):
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
    except (OSError, UnexpectedAnswer) as error:
        return is_alert(error)


def offer(reached: socket.socket, mechanism: str) -> tuple[int, list[str]]:
    """The answer to SaslHandshake: an error code, and the mechanisms that there are."""
    answer = ask(reached, SaslHandshakeRequest(mechanism=mechanism, version=1), SaslHandshakeResponse)
    return answer.error_code, list(answer.mechanisms)


def serves(reached: socket.socket) -> bool:
    """Whether it answers without a login; a broker that wants one ends the connection."""
    try:
        return bool(ask(reached, MetadataRequest(topics=[], version=1), MetadataResponse))
    except ConnectionError:
        return False


def advertised(reached: socket.socket) -> list[tuple[str, int]]:
    """By which names and ports the brokers want to be reached. Raises what `ask` raises."""
    answer = ask(reached, MetadataRequest(topics=[], version=1), MetadataResponse)
    return [(str(broker.host), int(broker.port)) for broker in answer.brokers]


def ask(reached: socket.socket, request: Any, answer: Any) -> Any:
    """One request of the Kafka protocol, and its answer. Raises UnexpectedAnswer and what sockets raise."""
    request.with_header(correlation_id=1, client_id="hipwatch")
    reached.sendall(request.encode(header=True, framed=True))
    (length,) = struct.unpack(">i", _read(reached, 4))
    if not 4 <= length <= _LONGEST_ANSWER:
        raise UnexpectedAnswer
    found = _read(reached, length)
    try:
        return answer.decode(found, version=request.API_VERSION, header=True)
    except Exception as error:  # whatever a decoder raises on bytes that are not Kafka's
        raise UnexpectedAnswer from error


def _read(reached: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = reached.recv(size - len(found))
        if not part:
            raise ConnectionResetError("the broker ended the connection")
        found += part
    return found
