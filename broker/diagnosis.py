"""Why a Kafka client does not get in: its way is gone once more by hand, step by step. Shell.

kafka-python 3.0 tells of a wrong password, an unknown authority and a missing TLS setting alike, as a broker that does not
answer, and drops the broker's reply where the end of the connection comes with it.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from kafka.cluster import collect_hosts
from kafka.errors import KafkaConfigurationError, KafkaError
from kafka.net.sasl import get_sasl_mechanism
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslAuthenticateResponse

from broker.connection import CONNECT_TIMEOUT_MS, KafkaConnection
from broker.probe import (
    NO_MECHANISM,
    UnexpectedAnswer,
    advertised,
    ask,
    context_of,
    is_alert,
    offer,
    reach,
    serves,
    speaks,
    trusting,
)
from schemas.errors import HipwatchError

_UNSUPPORTED_MECHANISM: Final = 33
_NO_LOGIN_HERE: Final = 34
_TRUST: Final = frozenset((2, 18, 19, 20, 21))
"""OpenSSL's X509_V_ERR_*: nobody whom we trust has signed it."""
_NAME: Final = frozenset((62, 64))


@contextmanager
def explained(connection: KafkaConnection) -> Iterator[None]:
    """Around the making of a Kafka client and its first questions: what keeps it out becomes one sentence, without a password."""
    _await_handshake(connection)
    try:
        yield
    except (KafkaConfigurationError, ValueError, AssertionError) as error:
        raise HipwatchError(f"the Kafka client for {connection.bootstrap} cannot be set up: {_words(error)}") from error
    except (KafkaError, OSError) as error:
        raise _no_entry(connection, error) from error


def _await_handshake(connection: KafkaConnection) -> None:
    """With TLS, kafka-python 3.0 waits without end for a handshake that nobody answers: see that somebody does."""
    if not _protocol(connection.security).endswith("SSL"):
        return
    silence: Exception | None = None
    for host, port in _brokers(connection):
        try:
            with reach(host, port, context_of(connection.security), CONNECT_TIMEOUT_MS / 1000):
                return
        except TimeoutError as error:
            silence = error
        except OSError:
            return  # the client has more patience, and whoever asks afterwards tells why
    if silence is not None:
        raise _no_entry(connection, silence)


def what_keeps_us_out(connection: KafkaConnection) -> str | None:
    """One sentence, if a broker is there and does not let us in, or cannot be reached by the name that it gives."""
    reasons = (_reason(host, port, connection.security) for host, port in _brokers(connection))
    return next((reason for reason in reasons if reason is not None), None)


def _no_entry(connection: KafkaConnection, error: Exception) -> HipwatchError:
    return HipwatchError(what_keeps_us_out(connection) or f"no Kafka broker answers at {connection.bootstrap} ({_words(error)})")


def _brokers(connection: KafkaConnection) -> list[tuple[str, int]]:
    servers = collect_hosts(connection.client_options()["bootstrap_servers"], randomize=False)
    return [(str(host), int(port)) for host, port, _ in servers]


def _protocol(security: Mapping[str, Any]) -> str:
    return str(security.get("security_protocol", "PLAINTEXT"))


def _words(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def _reason(host: str, port: int, security: Mapping[str, Any]) -> str | None:
    """One broker's; None when it is not there, or nothing is wrong that could be told."""
    protocol = _protocol(security)
    tls = protocol.endswith("SSL")
    broker = f"the broker at {host}:{port}"
    try:
        with reach(host, port, context_of(security) if tls else None) as reached:
            return _login(reached, broker, protocol, security) or _strange_name(reached, broker)
    except ssl.SSLCertVerificationError as error:
        return _distrust(error, broker, security)
    except (OSError, UnexpectedAnswer, ValueError) as error:
        if tls and speaks(host, port, None):
            return f"{broker} seems to speak plain text, and security_protocol is {protocol}: check the security settings"
        if not tls and not isinstance(error, TimeoutError) and speaks(host, port, trusting()):
            return f"{broker} seems to speak TLS, and security_protocol is {protocol}: check the security settings"
        if not is_alert(error):
            return None
        if "ssl_certfile" in security:
            return f"{broker} refuses our certificate {security['ssl_certfile']} ({error})"
        return f"{broker} asks for a certificate of ours: set ssl_certfile and ssl_keyfile ({error})"


def _login(reached: socket.socket, broker: str, protocol: str, security: Mapping[str, Any]) -> str | None:
    ours = security.get("sasl_mechanism", NO_MECHANISM)
    error, offered = offer(reached, ours)
    if not protocol.startswith("SASL"):
        if error == _NO_LOGIN_HERE or serves(reached):
            return None
        return f"{broker} asks for a login (SASL {', '.join(offered)}), and security_protocol is {protocol}"
    if error == _UNSUPPORTED_MECHANISM and ours not in offered:
        return f"{broker} knows no login by SASL {ours}; it offers {', '.join(offered)}"
    if error:
        return f"{broker} takes no login, and security_protocol is {protocol}"
    mechanism = get_sasl_mechanism(ours)(**security)
    while not mechanism.is_done():
        token = mechanism.auth_bytes()
        answer = ask(reached, SaslAuthenticateRequest(auth_bytes=token, version=0), SaslAuthenticateResponse)
        if answer.error_code:
            return f"{broker} refuses the login of user {security['sasl_plain_username']} (SASL {ours})"
        mechanism.receive(answer.auth_bytes)
    return None


def _strange_name(reached: socket.socket, broker: str) -> str | None:
    """Kafka tells clients by which name to come back. One that means nothing here keeps them out, though the broker is there."""
    for host, port in advertised(reached):
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return (
                f"{broker} answers, and tells clients to reach it as {host}:{port}, a name that does not resolve here: "
                "change its advertised.listeners, or make the name known (DNS or /etc/hosts)"
            )
    return None


def _distrust(error: ssl.SSLCertVerificationError, broker: str, security: Mapping[str, Any]) -> str:
    why = error.verify_message
    if error.verify_code in _TRUST:
        cafile = security.get("ssl_cafile")
        whom = f"the CA in {cafile}" if cafile else "a CA that this system trusts; name its own as ssl_cafile"
        return f"the certificate of {broker} is not signed by {whom} ({why})"
    if error.verify_code in _NAME:
        return f"the certificate of {broker} is for another host name ({why})"
    return f"the certificate of {broker} is not valid ({why})"
