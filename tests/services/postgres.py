"""PostgreSQL, one real server, as a process: password login, TLS on request, a fresh database whenever one is asked for."""

import itertools
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import psycopg

from tests.services.certificates import Pair
from tests.services.missing import missing, program
from tests.services.process import LOOPBACK, ServiceFailed, ServiceProcess, ending_with_us, lasting_port, listens
from tests.services.service import Service

USER: Final = "hipwatch"
_SYSTEM_USER: Final = "postgres"
"""The Debian package makes it. PostgreSQL refuses to run as root."""
_SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "off",  # a kill -9 of the process loses nothing that was written; a real power cut would
    "max_connections": "100",
    "timezone": "UTC",
}


class PostgresServer(Service):
    """One server on a port of its own, with a data directory of its own that it keeps through restarts.

    With `tls` it shows that certificate, and takes no connection without TLS; `authority` is what clients trust.
    `settings` override postgresql.conf. `kill` ends its children too, so that no statement outlives it.
    """

    name = "postgres"

    def __init__(
        self,
        *,
        tls: Pair | None = None,
        authority: Path | None = None,
        settings: dict[str, str] | None = None,
        logs: Path | None = None,
    ) -> None:
        binaries = _binaries()
        as_owner = _as_owner()
        super().__init__(logs)
        self.port = lasting_port()
        self._authority = authority
        self._password = secrets.token_urlsafe(12)
        self._data = self.directory / "data"
        self._numbers = itertools.count(1)
        self._tls = tls
        self._initdb = [*as_owner, str(binaries / "initdb")]
        command = [*as_owner, *(ending_with_us() if as_owner else []), str(binaries / "postgres"), "-D", str(self._data)]
        for name, value in {**_SETTINGS, **_tls_settings(tls), "port": str(self.port), **(settings or {})}.items():
            command += ["-c", f"{name}={value}"]
        self._process = ServiceProcess(self.name, command, self.log)

    def start(self) -> None:
        """Start it, make its data directory first where there is none, and wait until it lets its user in."""
        if not self._data.exists():
            try:
                self._make_data_directory()
            except subprocess.CalledProcessError as error:
                raise ServiceFailed(f"initdb failed\n{error.stderr}") from None
        self._process.start(self._lets_in)

    def stop(self) -> None:
        """In order and at once: connections are cut, transactions rolled back (PostgreSQL's `fast`)."""
        self._process.stop(signal.SIGINT)

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{self._address(database)}"

    def new_database(self, options: str = "") -> str:
        """Make an empty database, with these words of SQL behind CREATE DATABASE, and return its URL."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} {options}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop what `new_database` made, even while somebody is connected."""
        self.execute(f"DROP DATABASE {url.partition('?')[0].rpartition('/')[2]} WITH (FORCE)")

    def forbid_writes(self) -> None:
        """From their next transaction on, all may only read: what a failover to a standby looks like."""
        self.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        self.execute("SELECT pg_reload_conf()")

    def allow_writes(self) -> None:
        """End `forbid_writes`."""
        self.execute("ALTER SYSTEM RESET default_transaction_read_only")
        self.execute("SELECT pg_reload_conf()")

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser, outside of a transaction."""
        with psycopg.connect(f"postgresql://{self._address('postgres')}", autocommit=True, connect_timeout=120) as connection:
            connection.execute(statement.encode())

    def _address(self, database: str) -> str:
        trust = {"sslmode": "verify-full", "sslrootcert": str(self._authority)} if self._authority else {}
        query = f"?{urlencode(trust)}" if trust else ""
        return f"{USER}:{self._password}@{LOOPBACK}:{self.port}/{database}{query}"

    def _lets_in(self) -> bool:
        if not listens(self.port):
            return False
        try:
            psycopg.connect(f"postgresql://{self._address('postgres')}", connect_timeout=10).close()
        except psycopg.OperationalError:  # it starts up, or the machine stands still
            return False
        return True

    def _make_data_directory(self) -> None:
        password = self.directory / "password"
        password.write_text(self._password, encoding="ascii")
        self._give(self.directory)
        self._give(password)
        command = [*self._initdb, "-D", str(self._data), "-U", USER, "--pwfile", str(password), "--auth=scram-sha-256"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.directory)
        if self._tls:
            for name, source in (("server.crt", self._tls.certificate), ("server.key", self._tls.key)):
                shutil.copyfile(source, self._data / name)
                (self._data / name).chmod(0o600)
                self._give(self._data / name)
            (self._data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n", encoding="ascii")

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, _SYSTEM_USER, _SYSTEM_USER)


def _binaries() -> Path:
    """Where initdb and postgres are: Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions: Sequence[Path] = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    return versions[-1].parent if versions else missing("PostgreSQL's server", "postgresql")


def _as_owner() -> list[str]:
    """The start of a command line that runs it as a user that is not root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        missing(f"the user {_SYSTEM_USER}, as whom root can run PostgreSQL,", "postgresql")
    user = f"--reuid={_SYSTEM_USER}"
    return [program("setpriv", "setpriv"), user, f"--regid={_SYSTEM_USER}", "--init-groups", "--"]


def _tls_settings(tls: Pair | None) -> dict[str, str]:
    return {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key"} if tls else {}
