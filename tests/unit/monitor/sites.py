"""A site over a ledger of its own, without a scheduler: the test says when it reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from monitor.database import open_database
from monitor.deadlines import Rhythms
from monitor.ledger import Ledger, Position
from monitor.settings import ServeSettings
from monitor.watch import Watch
from monitor.web.site import build_site
from schemas.register import load_register
from tests.conftest import prepare

TOKEN: Final = "a token for tests"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
HOOK: Final = "/webhooks/alertmanager"


@dataclass
class Site:
    """What a test needs of it."""

    path: Path
    engine: Engine
    ledger: Ledger
    watch: Watch
    client: TestClient

    def page(self) -> str:
        """The fleet page after a fresh reading."""
        self.watch.refresh()
        answer = self.client.get("/")
        assert answer.status_code == 200
        return str(answer.text)

    def deliver(self, message: Any) -> None:
        assert self.client.post(HOOK, json=message, headers=BEARER).status_code == 200

    def advance(self) -> None:
        """All partitions are read to their end."""
        greatest = self.ledger.greatest_event_at()
        assert greatest is not None
        offsets = self.ledger.next_offsets().items()
        self.ledger.mark_complete([Position(topic_id, number, at) for (topic_id, number), at in offsets], greatest)

    def break_ledger(self) -> bytes:
        """Put something else in the place of the file; returns what was there."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.engine.dispose()
        whole = self.path.read_bytes()
        self.path.write_bytes(b"no database at all " * 1000)
        return whole


@contextmanager
def running(folder: Path, token: str | None = TOKEN, **settings: Any) -> Iterator[Site]:
    path = folder / "ledger.db"
    values = ServeSettings(f"sqlite:///{path}", webhook_token=token, **settings)
    engine = open_database(values.database, create=True)
    watch = Watch(engine, load_register(), Rhythms(), timedelta(seconds=5), values.watchdog_after)
    watch.refresh()
    with TestClient(build_site(engine, watch, values), raise_server_exceptions=False) as client:
        yield Site(path, engine, prepare(Ledger(engine)), watch, client)
    engine.dispose()
