"""The web process, wired: settings in, page, metrics, webhook and messages out. Shell."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple

import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler
from fastapi import FastAPI

from monitor.app.spared import spared
from monitor.board.connections import LimitedConnection
from monitor.board.dashboard_writer import DashboardWriter
from monitor.board.pages.notices import register_notices, targets_notices
from monitor.board.site import build_site
from monitor.board.snapshot_keeper import SnapshotKeeper
from monitor.file_watch import watching
from monitor.judgement.finding_keeper import FindingKeeper
from monitor.judgement.judge import Judge, Snapshot
from monitor.ledger.database import Engine, closing_engine, open_database
from monitor.ledger.disk_space import ledger_disk
from monitor.ledger.month import MonthFacts, read_running_month
from monitor.ledger.outbox_counts import read_paging_counts
from monitor.paging.canary_metrics import CanaryCollector, CanaryWatch
from monitor.paging.daily_message import DailyMessages
from monitor.paging.deadman import Deadman
from monitor.paging.disk_metrics import DiskCollector
from monitor.paging.exposition import Exposition
from monitor.paging.finding_metrics import FindingCollector
from monitor.paging.ledger_truth import ask_snapshot
from monitor.paging.live_targets import LiveTargets
from monitor.paging.metrics import SnapshotCollector
from monitor.paging.month_metrics import MonthCollector
from monitor.paging.outbox_metrics import OutboxCollector
from monitor.paging.planning import Planner
from monitor.paging.receive import follow_ledger, silence_end
from monitor.paging.register_metrics import RegisterCollector
from monitor.paging.targets_metrics import TargetsCollector
from monitor.paging.telling import telling
from monitor.process import listen_on
from monitor.settings import ServeSettings
from schemas.errors import HipwatchError
from schemas.register.folder import SHIPPED
from schemas.register.live import LiveRegister

log = logging.getLogger(__name__)
_PAGING_EVERY: Final = 5
_MONTH_EVERY: Final = 60
"""Refreshes of the snapshot from one reading of the outbox, or of the month, to the next: they change slowly."""
_SERVER: Final[Mapping[str, Any]] = {
    "http": LimitedConnection,
    "log_level": "error",  # a warning for each malformed request would let anybody fill the log
    "access_log": False,
    "lifespan": "off",
    "server_header": False,
    "timeout_graceful_shutdown": 3,
}
_FINDINGS_SECONDS: Final = 5.0
"""Wall time between two looks whether findings are to be judged again: in time-lapse every platform hour would be too often."""


def run_web(settings: ServeSettings) -> None:
    """Serve page, metrics and webhook until SIGTERM or SIGINT. Raises HipwatchError on a port in use or a bad database."""
    listener = listen_on(settings.host, settings.port)
    with build_web(settings) as web:
        config = uvicorn.Config(web.site, **_SERVER)
        log.info("serving http://%s:%d/", settings.host, settings.port)
        uvicorn.Server(config).run(sockets=[listener])


class Web(NamedTuple):
    """The wired parts of the web process."""

    site: FastAPI
    keeper: SnapshotKeeper[Snapshot]
    month: SnapshotKeeper[MonthFacts | None]
    dashboards: SnapshotKeeper[None]
    deadman: Deadman
    findings: FindingKeeper


@contextmanager
def build_web(settings: ServeSettings, *, live: LiveRegister | None = None) -> Iterator[Web]:
    """The site, with what is scheduled beside it: the snapshot is taken once now, then on schedule."""
    live = live or LiveRegister(settings.register_folder or SHIPPED)
    targets = LiveTargets(settings.targets_file)
    with closing_engine(open_database(settings.database, create=True)) as engine, watching(live, targets):
        canary = CanaryWatch()
        keeper = SnapshotKeeper(_judging(engine, live, settings, canary))
        deadman = Deadman(engine, settings.watchdog_after)
        daily = DailyMessages(engine, lambda: live.register)
        planner = Planner(engine, lambda: live.register, lambda: keeper.latest, daily)
        findings = FindingKeeper(engine, lambda: live.register, settings.rhythms.calendar)
        paging = SnapshotKeeper(lambda: read_paging_counts(engine))
        month = SnapshotKeeper(lambda: read_running_month(engine))
        keeper.refresh()
        month.refresh()
        dashboards = SnapshotKeeper(DashboardWriter(engine, lambda: keeper.latest, lambda: month.latest).write)
        dashboards.refresh()
        findings.refresh(None)  # what is open already; judged on schedule
        of_month, of_paging = MonthCollector(lambda: month.latest, lambda: live.register), OutboxCollector(lambda: paging.latest)
        of_disk, of_register = DiskCollector(lambda: ledger_disk(engine)), RegisterCollector(lambda: live.state)
        of_targets = TargetsCollector(lambda: targets.state)
        of_canary = CanaryCollector(canary, datetime.now(UTC) if settings.canary else None)
        of_snapshot = SnapshotCollector(lambda: keeper.latest, settings.stall_after, settings.stale_after)
        collectors = of_snapshot, of_month, FindingCollector(findings), of_register, of_targets, of_paging, of_disk, of_canary
        exposition = Exposition(*collectors)

        def notices() -> Sequence[str]:
            return [*register_notices(live.state), *targets_notices(targets.state.problem)]

        site = build_site(engine, keeper, findings, settings, exposition, notices=notices)
        web = Web(site, keeper, month, dashboards, deadman, findings)
        refreshed = {spared(lambda: follow(engine, keeper, exposition.prepare)): 1, paging.refresh: _PAGING_EVERY}
        with _scheduled(web, settings, refreshed), telling(engine, planner, lambda: targets.targets):
            yield web


def _judging(engine: Engine, live: LiveRegister, settings: ServeSettings, canary: CanaryWatch) -> Callable[[], Snapshot]:
    """The judge of the register in use. With another register another judge begins: it goes on from what is stored."""
    register = live.register
    judge = Judge(engine, register, settings.rhythms, until=settings.until)

    def take() -> Snapshot:
        nonlocal register, judge
        if register is not live.register:
            register = live.register
            judge = Judge(engine, register, settings.rhythms, until=settings.until)
        snapshot = judge.take_snapshot()
        canary.look(snapshot.facts.canaries, snapshot.facts.read_at)
        return snapshot

    return take


def check_paging(keeper: SnapshotKeeper[Snapshot], deadman: Deadman, now: datetime | None = None) -> None:
    """Look whether the Watchdog still arrives. While the ledger cannot be read, deliveries are not seen either."""
    if keeper.problem is None and keeper.latest is not None:
        deadman.check(keeper.latest.facts.watchdog_at, now)


def show_month(web: Web) -> None:
    """Read the running month for the metrics, and write what dashboards read from the database."""
    web.month.refresh()
    web.dashboards.refresh()


def judge_findings(keeper: SnapshotKeeper[Snapshot], findings: FindingKeeper) -> None:
    """Judge by the snapshot of the moment, when it is time. The two never disagree on who is silent."""
    findings.refresh(None if keeper.latest is None else keeper.latest.status)


def follow(engine: Engine, keeper: SnapshotKeeper[Snapshot], prepare: Callable[[], None] = lambda: None) -> None:
    """Read the ledger, `prepare` what shows it, and let the incident log follow: a recovered unit has no open incident."""
    keeper.refresh()
    prepare()
    snapshot = keeper.latest
    if keeper.problem is None and snapshot is not None:
        try:
            follow_ledger(engine, ask_snapshot(snapshot, partial(silence_end, engine)), snapshot.facts.read_at)
        except HipwatchError as error:
            log.error("%s", error)


@contextmanager
def _scheduled(web: Web, settings: ServeSettings, refreshed: Mapping[Callable[[], None], int]) -> Iterator[None]:
    """Have `refreshed` done each so many refreshes, and what has intervals of its own."""
    scheduler = BackgroundScheduler(timezone=UTC)
    refresh = settings.refresh.total_seconds()
    jobs: list[tuple[Callable[[], None], float]] = [
        *((job, every * refresh) for job, every in refreshed.items()),
        (lambda: show_month(web), _MONTH_EVERY * refresh),
        (lambda: judge_findings(web.keeper, web.findings), max(refresh, _FINDINGS_SECONDS)),
        (lambda: check_paging(web.keeper, web.deadman), max(1.0, settings.watchdog_after.total_seconds() / 10)),
    ]
    for job, seconds in jobs:
        scheduler.add_job(job, "interval", seconds=seconds, max_instances=1, coalesce=True)
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
