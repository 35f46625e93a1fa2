"""PgBouncer in transaction pooling before a real PostgreSQL: a client's session is its own for one transaction only."""

import os
import shutil
from typing import Final

from sqlalchemy import make_url

from tests.services.missing import program
from tests.services.postgres import PostgresServer
from tests.services.process import LOOPBACK, ServiceProcess, lasting_port, listens
from tests.services.service import Service

_CONFIG: Final = """\
[databases]
* = host={host} port={server} user={user} password={password}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {pool}
server_reset_query =
"""
"""As it ships: no start-up option is ignored, and nothing of a session is cleaned away between two transactions."""


class PgBouncer(Service):
    """One pooler on a port of its own. A `pool` of two or more deals the transactions of one client out to several sessions."""

    name = "pgbouncer"

    def __init__(self, server: PostgresServer, *, pool: int = 3) -> None:
        super().__init__()
        self.port = lasting_port()
        url = make_url(server.url())
        users = self.directory / "users.txt"
        users.write_text(f'"{url.username}" "{url.password}"\n', encoding="ascii")
        config = self.directory / "pgbouncer.ini"
        values = {"host": LOOPBACK, "server": url.port, "user": url.username, "password": url.password}
        config.write_text(_CONFIG.format(**values, port=self.port, users=users, pool=pool), encoding="ascii")
        as_user = []
        if os.geteuid() == 0:  # it refuses to run as root
            for path in (self.directory, users, config):
                shutil.chown(path, "postgres", "postgres")
            as_user = ["-u", "postgres"]
        found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or program("pgbouncer", "pgbouncer")
        self._process = ServiceProcess(self.name, [found, *as_user, str(config)], self.log)

    def start(self) -> None:
        self._process.start(lambda: listens(self.port))

    def url(self, behind: str) -> str:
        """The URL of the database `behind` the pooler, a URL of the server's."""
        return make_url(behind).set(port=self.port).render_as_string(hide_password=False)
