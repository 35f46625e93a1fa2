"""A certificate authority of a test's own, and what it signs, as PEM files. Made with the `openssl` program."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.services.missing import program

_DAYS: Final = "2"
_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key (PKCS #8, without a passphrase)."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates that last two days; `certificate` is what a client has to trust."""

    def __init__(self, directory: Path, name: str = "hipwatch test authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._own = Pair(directory / "authority.pem", directory / "authority.key")
        _openssl("req", "-x509", *_KEY, "-days", _DAYS, "-subj", f"/CN={name}", *_out(self._own))

    @property
    def certificate(self) -> Path:
        return self._own.certificate

    def server(self, *, host: str = "DNS:localhost,IP:127.0.0.1") -> Pair:
        """A certificate for the loopback, or for another `host` in OpenSSL's notation."""
        return self._sign("server", f"subjectAltName={host}")

    def client(self, name: str) -> Pair:
        """A certificate that a client shows."""
        return self._sign(name, "extendedKeyUsage=clientAuth")

    def _sign(self, name: str, extension: str) -> Pair:
        pair = Pair(self._directory / f"{name}.pem", self._directory / f"{name}.key")
        signer = ["-CA", str(self._own.certificate), "-CAkey", str(self._own.key)]
        plain = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", extension]
        _openssl("req", "-x509", *_KEY, "-days", _DAYS, "-subj", f"/CN={name}", *plain, *signer, *_out(pair))
        return pair


def _out(pair: Pair) -> tuple[str, ...]:
    return ("-out", str(pair.certificate), "-keyout", str(pair.key))


def _openssl(*arguments: str) -> None:
    subprocess.run([program("openssl", "openssl"), *arguments], check=True, capture_output=True)
