"""The file that says how to reach Kafka by TLS and SASL, read into kafka-python's options. Shell.

Read strictly: kafka-python takes a mistyped security protocol for PLAINTEXT, and tells of a broken certificate only as a
broker that does not answer. Secrets stand in files of their own or in the environment, never in this one.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from schemas.errors import HipwatchError
from schemas.toml_file import Section, checked, parse_toml

PASSWORD_VARIABLE: Final = "HIPWATCH_KAFKA_PASSWORD"
_LEAST_TIMEOUT_MS: Final = 1_000
_MOST_TIMEOUT_MS: Final = 100_000
"""The producer gives up on a message after 120 s, and refuses a request that may take longer than that."""
_Text = Annotated[str, Field(min_length=1)]


class _Form(Section):
    """What the file may hold."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_cafile: _Text | None = None
    ssl_certfile: _Text | None = None
    ssl_keyfile: _Text | None = None
    ssl_check_hostname: bool | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: _Text | None = None
    sasl_password_file: _Text | None = None
    request_timeout_ms: Annotated[int, Field(ge=_LEAST_TIMEOUT_MS, le=_MOST_TIMEOUT_MS)] | None = None


def read_kafka_config(path: Path) -> Mapping[str, Any]:
    """The options of a TOML file, by their kafka-python names. Relative paths in it are relative to the file.

    `security_protocol` (PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; PLAINTEXT if absent); for TLS `ssl_cafile` (the system's
    authorities if absent), `ssl_certfile` and `ssl_keyfile` (where the broker asks for a client certificate) and
    `ssl_check_hostname`; for SASL `sasl_mechanism`, `sasl_username` and `sasl_password_file`, or the password in
    HIPWATCH_KAFKA_PASSWORD where no file is named; `request_timeout_ms`. Raises HipwatchError naming the file and the key.
    """
    settings = _Settings(path, _parse(path))
    protocol = settings.form.security_protocol
    options: dict[str, Any] = {"security_protocol": protocol}
    options |= _tls(settings, protocol)
    options |= _sasl(settings, protocol)
    timeout = settings.form.request_timeout_ms
    return options if timeout is None else {**options, "request_timeout_ms": timeout}


def _parse(path: Path) -> _Form:
    try:
        values = parse_toml(path)
    except FileNotFoundError:
        raise HipwatchError(f"there is no Kafka configuration {path}") from None
    if "sasl_password" in values:
        raise HipwatchError(f"{path}: a password does not belong here; use sasl_password_file or {PASSWORD_VARIABLE}")
    return checked(path, values, _Form)


def _tls(settings: "_Settings", protocol: str) -> dict[str, Any]:
    if protocol not in ("SSL", "SASL_SSL"):
        settings.refuse("ssl_", f"means nothing with security_protocol {protocol}")
        return {}
    cafile, certfile, keyfile = (settings.file(key) for key in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"))
    if keyfile and not certfile:
        raise settings.error("ssl_keyfile", "needs ssl_certfile")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cafile:
        with settings.in_pem("ssl_cafile"):
            context.load_verify_locations(cafile)
    if certfile:
        with settings.in_pem("ssl_certfile"):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certfile)  # only to see that it is a certificate
        with settings.in_pem("ssl_keyfile" if keyfile else "ssl_certfile"):
            context.load_cert_chain(certfile, keyfile, settings.no_passphrase)
    options = {"ssl_cafile": cafile, "ssl_certfile": certfile, "ssl_keyfile": keyfile}
    return {
        **{key: str(file) for key, file in options.items() if file},
        "ssl_check_hostname": settings.form.ssl_check_hostname is not False,
    }


def _sasl(settings: "_Settings", protocol: str) -> dict[str, Any]:
    if not protocol.startswith("SASL_"):
        settings.refuse("sasl_", f"means nothing with security_protocol {protocol}")
        return {}
    mechanism, username = settings.form.sasl_mechanism, settings.form.sasl_username
    if mechanism is None:
        raise settings.error("sasl_mechanism", "is missing; it must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    if username is None:
        raise settings.error("sasl_username", "is missing")
    return {"sasl_mechanism": mechanism, "sasl_plain_username": username, "sasl_plain_password": _password(settings)}


def _password(settings: "_Settings") -> str:
    file = settings.file("sasl_password_file")
    if file is None:
        password = os.environ.get(PASSWORD_VARIABLE, "")
        if not password:
            raise settings.error("sasl_password_file", f"is missing, and so is {PASSWORD_VARIABLE}")
        return password
    try:
        password = file.read_text(encoding="utf-8").rstrip("\r\n")  # an editor ends the last line; a password has no lines
    except UnicodeDecodeError:
        raise settings.error("sasl_password_file", f"{file} is no text") from None
    if not password:
        raise settings.error("sasl_password_file", f"{file} is empty")
    return password


class _Settings:
    """The file's values, and the files that they name."""

    def __init__(self, path: Path, form: _Form) -> None:
        self._path = path
        self.form = form

    def error(self, key: str, what: str) -> HipwatchError:
        return HipwatchError(f"{self._path}, key {key}: {what}")

    def refuse(self, prefix: str, why: str) -> None:
        for key in sorted(self.form.model_fields_set):
            if key.startswith(prefix):
                raise self.error(key, why)

    def file(self, key: str) -> Path | None:
        """The file that a key names, known to be readable."""
        text = getattr(self.form, key)
        if text is None:
            return None
        file = (self._path.parent / Path(text).expanduser()).resolve()
        try:
            file.open("rb").close()
        except OSError as error:
            raise self.error(key, f"{file} cannot be read: {error.strerror}") from None
        return file

    @contextmanager
    def in_pem(self, key: str) -> Iterator[None]:
        """Turn what OpenSSL says of a file into a sentence about the key that names it."""
        try:
            yield
        except ssl.SSLError as error:
            mismatch = error.reason == "KEY_VALUES_MISMATCH"
            what = "the key is not the certificate's" if mismatch else f"{self.file(key)} holds nothing usable in PEM form"
            raise self.error(key, what) from None

    def no_passphrase(self) -> str:
        """Instead of a prompt on the terminal, which nobody may be watching."""
        raise self.error("ssl_keyfile", "the key has a passphrase, and must have none here")
