"""A site over a ledger of its own, without a scheduler: the test says when it reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from monitor.board.site import build_site
from monitor.board.snapshot_keeper import SnapshotKeeper
from monitor.counting.batch import Position
from monitor.judgement.finding_keeper import FindingKeeper
from monitor.judgement.judge import Snapshot, take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from monitor.paging.deadman import Deadman
from monitor.paging.exposition import Exposition
from monitor.paging.finding_metrics import FindingCollector
from monitor.paging.metrics import SnapshotCollector
from monitor.settings import ServeSettings
from schemas.register import load_register
from tests.conftest import prepare
from tests.factories import UNITS

TOKEN: Final = "a token for tests"
BEARER: Final = {"Authorization": f"Bearer {TOKEN}"}
HOOK: Final = "/webhooks/alertmanager"


@dataclass
class Site:
    """What a test needs of it."""

    path: Path
    engine: Engine
    ledger: Ledger
    keeper: SnapshotKeeper[Snapshot]
    deadman: Deadman
    client: TestClient
    findings: FindingKeeper

    def page(self) -> str:
        """The page of all units after a fresh reading."""
        self.keeper.refresh()
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
        self.ledger.raise_complete_until([Position(topic_id, number, at) for (topic_id, number), at in offsets], greatest)

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
    keeper = SnapshotKeeper(lambda: take_snapshot(engine, load_register(), Rhythms()))
    keeper.refresh()
    findings = FindingKeeper(engine, load_register)
    snapshots = SnapshotCollector(lambda: keeper.latest, values.stall_after, values.stale_after)
    exposition = Exposition(snapshots, FindingCollector(findings))
    with TestClient(build_site(engine, keeper, findings, values, exposition), raise_server_exceptions=False) as client:
        yield Site(path, engine, prepare(Ledger(engine, UNITS)), keeper, Deadman(engine, values.watchdog_after), client, findings)
    engine.dispose()
