"""The `hipwatch` command: options in, one call into a room, text out. Shell."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hipwatch import demo as demo_run
from hipwatch import replay as stage_play
from hipwatch import upkeep
from hipwatch.check import check_config
from hipwatch.home import DEFAULT_DATABASE, latest_ledger, new_run
from hipwatch.incident_list import incident_lines
from hipwatch.options import (
    Bootstrap,
    Database,
    DaySeconds,
    DeadLetterLimit,
    DeadLetterTopic,
    Group,
    KafkaConfig,
    LogLevel,
    OwnBootstrap,
    PeriodOption,
    ReadDatabase,
    RecordsPerEvent,
    RhythmsFile,
    RunDatabase,
    Seed,
    SessionTimeout,
    TopicPrefix,
    kafka_connection,
)
from hipwatch.processes import Processes
from hipwatch.topics import ensure_topics
from ingest.scenario import Scenario, find_scenario, load_scenario
from monitor.app import run_web, run_worker
from monitor.budget import DEFAULT_LIMIT
from monitor.bulletin.build import Bulletin, build_bulletin
from monitor.bulletin.render import Format, Language, render
from monitor.database import open_database
from monitor.deadlines import Rhythms
from monitor.incidents import list_incidents
from monitor.rhythms_file import read_rhythms
from monitor.settings import DEFAULT_GROUP, DEFAULT_PORT, DEFAULT_SESSION_TIMEOUT_MS, ServeSettings, WorkerSettings
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.printed import Form, read_printed_month
from schemas.register import load_register
from schemas.topics import DEFAULT_PREFIX

app = typer.Typer(
    name="hipwatch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Ingestion monitor for a regional health-information platform: who uploaded what, who fell silent, "
    "proven from the events.",
)
_FIRST_SCENARIO = "2024-09"
_DEMO_DAY_SECONDS = 2.0
_stdout = Console()
_stderr = Console(stderr=True)

ScenarioName = Annotated[
    str,
    typer.Argument(metavar="NAME|FOLDER", help="A shipped month (2020-01, 2024-09) or a folder with the two collection_*.csv."),
]


@app.command()
def demo(
    period: Annotated[
        str, typer.Option(envvar="HIPWATCH_DEMO_PERIOD", help="Which shipped month, or a scenario's folder.")
    ] = _FIRST_SCENARIO,
    day_seconds: Annotated[
        float, typer.Option(envvar="HIPWATCH_DAY_SECONDS", min=0.1, help="Seconds that a day takes.")
    ] = _DEMO_DAY_SECONDS,
    once: Annotated[
        bool, typer.Option("--once", envvar="HIPWATCH_ONCE", help="End when the month is over; exit 0 only if every check held.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(envvar="HIPWATCH_PORT", help="Port of the page. Without it 8080, or a free one.", min=1, max=65535),
    ] = None,
) -> None:
    """The whole way of a month on this machine, in time-lapse: units, broker, ledger, Prometheus, alerts. No Docker."""
    scenario = _scenario(period, None, None, day_seconds, None)
    with _interruptible():
        held = demo_run.run_demo(scenario, new_run("demo"), once=once, web_port=port, console=_stdout)
    if not held:
        raise typer.Exit(1)


@app.command()
def replay(
    name: ScenarioName,
    period: PeriodOption = None,
    bootstrap: OwnBootstrap = None,
    database: RunDatabase = None,
    workers: Annotated[
        int, typer.Option(envvar="HIPWATCH_WORKERS", min=0, max=64, help="Workers to start; 0 when yours are running.")
    ] = 1,
    records_per_event: RecordsPerEvent = None,
    day_seconds: DaySeconds = None,
    seed: Seed = None,
    verify: Annotated[
        bool, typer.Option("--verify", envvar="HIPWATCH_VERIFY", help="Compare every printed cell; exit 1 if one differs.")
    ] = False,
    expect: Annotated[
        Path | None, typer.Option(envvar="HIPWATCH_EXPECT", help="Compare with this folder's print instead of the replayed one.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(envvar="HIPWATCH_REPLAY_GROUP", help="Kafka consumer group. Without it, one of this run.")
    ] = None,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
) -> None:
    """Play a month through a real broker into the ledger and, with --verify, compare every printed cell with it."""
    if workers == 0 and (bootstrap is None or database is None):
        raise HipwatchError("with --workers 0 yours have to count: name their broker and ledger with --bootstrap and --database")
    register = load_register()
    scenario = _scenario(name, period, records_per_event, day_seconds, seed)
    printed = read_printed_month(expect, register) if expect else scenario.month
    plan = stage_play.plan_of(scenario, register)
    run = new_run("replay")
    with _interruptible(), Processes(run / "logs") as processes:
        stage = stage_play.set_stage(
            processes,
            kafka_connection(bootstrap, topic_prefix, kafka_config),
            database or stage_play.ledger_in(run),
            kafka_config,
        )
        done = stage_play.replay(
            scenario, plan, stage, processes, workers=workers, group=group or f"hipwatch-{run.name}", console=_stderr
        )
    restarted = f", {done.restarts} worker restarts" if done.restarts else ""
    typer.echo(f"{scenario.period}: {done.played.sent} messages published and counted in {done.seconds:.1f} s{restarted}")
    typer.echo(f"ledger: {stage.database}")
    if verify or expect:
        comparison = stage_play.verify(scenario, stage.engine, register, printed)
        for line in stage_play.verdict(comparison, register):
            typer.echo(line)
        if comparison.differences:
            raise typer.Exit(1)


@app.command()
def simulate(
    name: ScenarioName,
    bootstrap: Bootstrap,
    period: PeriodOption = None,
    records_per_event: RecordsPerEvent = None,
    day_seconds: DaySeconds = None,
    seed: Seed = None,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
) -> None:
    """Only publish: the units of a month send what they sent, to your broker. May be stopped and run again."""
    register = load_register()
    scenario = _scenario(name, period, records_per_event, day_seconds, seed)
    plan = stage_play.plan_of(scenario, register)
    kafka = kafka_connection(bootstrap, topic_prefix, kafka_config)
    with _interruptible():
        ensure_topics(kafka)
        played, _ = stage_play.play_month(scenario, plan, kafka, _stderr)
    typer.echo(f"{scenario.period}: {played.sent} messages published in {played.seconds:.1f} s")


@app.command()
def worker(
    bootstrap: Bootstrap,
    database: Database = DEFAULT_DATABASE,
    group: Group = DEFAULT_GROUP,
    session_timeout: SessionTimeout = DEFAULT_SESSION_TIMEOUT_MS / 1000,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
    dead_letter_limit: DeadLetterLimit = DEFAULT_LIMIT,
    dead_letter_topic: DeadLetterTopic = True,
    log_level: LogLevel = "info",
) -> None:
    """Count events into the ledger, until SIGTERM or Ctrl-C. Start as many as you like."""
    kafka = kafka_connection(bootstrap, topic_prefix, kafka_config)
    level = _log_level(log_level)
    ensure_topics(kafka)  # before the log begins: one sentence says why no broker answers, the Kafka client needs thirty
    _log(level)
    run_worker(WorkerSettings(kafka, database, group, int(session_timeout * 1000), dead_letter_limit, dead_letter_topic))


@app.command()
def serve(
    database: Database = DEFAULT_DATABASE,
    host: Annotated[str, typer.Option(envvar="HIPWATCH_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="HIPWATCH_PORT", min=1, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    webhook_token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="HIPWATCH_WEBHOOK_TOKEN_FILE",
            help="File with the bearer token that Alertmanager sends (or HIPWATCH_WEBHOOK_TOKEN).",
        ),
    ] = None,
    refresh: Annotated[
        float, typer.Option(envvar="HIPWATCH_REFRESH", min=0.1, help="Seconds between readings of the ledger.")
    ] = 5.0,
    stall_after: Annotated[
        float, typer.Option(envvar="HIPWATCH_STALL_AFTER", min=1, help="Seconds that the platform clock may stand still.")
    ] = 3600.0,
    stale_after: Annotated[
        float, typer.Option(envvar="HIPWATCH_STALE_AFTER", min=1, help="Seconds that the last reading of the ledger may be old.")
    ] = 120.0,
    watchdog_after: Annotated[
        float, typer.Option(envvar="HIPWATCH_WATCHDOG_AFTER", min=1, help="Seconds that the Watchdog alert may stay away.")
    ] = 600.0,
    rhythms: RhythmsFile = None,
    log_level: LogLevel = "info",
) -> None:
    """The web process: the fleet page at /, metrics at /metrics, Alertmanager's webhook. Until SIGTERM or Ctrl-C."""
    _log(_log_level(log_level))
    run_web(
        ServeSettings(
            database,
            host,
            port,
            webhook_token(webhook_token_file),
            timedelta(seconds=refresh),
            timedelta(seconds=stall_after),
            timedelta(seconds=stale_after),
            watchdog_after=timedelta(seconds=watchdog_after),
            rhythms=_rhythms(rhythms),
        )
    )


@app.command()
def report(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The month, YYYY-MM.")],
    output: Annotated[Format, typer.Option("--format", envvar="HIPWATCH_FORMAT", help="How to write it.")] = Format.TABLE,
    lang: Annotated[Language, typer.Option(envvar="HIPWATCH_LANG", help="Language of headings and names.")] = Language.ZH,
    form: Annotated[
        str, typer.Option(envvar="HIPWATCH_FORM", help="Printed form: 2020, 2024, or auto (what fits the month's events).")
    ] = "auto",
    database: ReadDatabase = None,
) -> None:
    """Print the month's district and hospital tables, from the ledger. Amounts are thousand yuan."""
    register = load_register()
    month = Period.parse(period)
    bulletin = build_bulletin(open_database(_read_from(database), create=False), register, month)
    if form not in ("auto", *(known.value for known in Form)):
        raise typer.BadParameter(f"'{form}' is not 2020, 2024 or auto", param_hint="--form")
    if not _has_uploads(bulletin):
        typer.echo(f"note: this ledger holds no upload of {month}", err=True)
    chosen = bulletin.form if form == "auto" else Form(form)
    typer.echo(render(bulletin, chosen, output, lang, register), nl=False)


@app.command()
def incidents(
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are still open.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    database: ReadDatabase = None,
) -> None:
    """List the incidents: every alert that Alertmanager delivered, opened and closed."""
    found = list_incidents(open_database(_read_from(database), create=False), open_only=open_only)
    if as_json:
        typer.echo(json.dumps([incident.model_dump(mode="json") for incident in found], ensure_ascii=False, indent=2))
        return
    if not found:
        typer.echo("no open incident" if open_only else "no incident")
        return
    for line in incident_lines(found):
        typer.echo(line)


@app.command(name="check-config")
def check_config_command(
    bootstrap: OwnBootstrap = None,
    database: Database = DEFAULT_DATABASE,
    webhook_token_file: Annotated[
        Path | None, typer.Option(envvar="HIPWATCH_WEBHOOK_TOKEN_FILE", help="File with the webhook's bearer token.")
    ] = None,
    rhythms: RhythmsFile = None,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
) -> None:
    """Try every setting: files, database, broker, programs. Changes nothing; exit 1 if something is wrong."""
    kafka = None if bootstrap is None else lambda: kafka_connection(bootstrap, topic_prefix, kafka_config)
    results = check_config(kafka, database, lambda: webhook_token(webhook_token_file), lambda: _rhythms(rhythms))
    for result in results:
        typer.echo(f"{result.verdict:<8} {result.what}: {result.detail}")
    if any(result.verdict == "wrong" for result in results):
        raise typer.Exit(1)


def webhook_token(path: Path | None) -> str | None:
    """The token in `path` or in HIPWATCH_WEBHOOK_TOKEN; never from the command line. Raises HipwatchError if empty."""
    if path is None:
        return os.environ.get("HIPWATCH_WEBHOOK_TOKEN") or None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HipwatchError(f"the webhook token file {path} cannot be read: {error}") from None
    if not token:
        raise HipwatchError(f"the webhook token file {path} is empty")
    return token


def _scenario(
    name: str, period: str | None, records_per_event: int | None, day_seconds: float | None, seed: int | None
) -> Scenario:
    """The scenario, with what the command line says in place of what its folder says."""
    month = Period.parse(period) if period else None
    scenario = load_scenario(find_scenario(name), load_register(), month)
    return replace(
        scenario,
        records_per_event=records_per_event or scenario.records_per_event,
        day_seconds=day_seconds or scenario.day_seconds,
        seed=scenario.seed if seed is None else seed,
    )


def _read_from(database: str | None) -> str:
    """The ledger to read: the given one, ./hipwatch.db, or that of the latest run."""
    if database:
        return database
    latest = latest_ledger()
    if latest is None or Path("hipwatch.db").exists():
        return DEFAULT_DATABASE
    _stderr.print(f"reading the ledger of the latest run, {latest}", highlight=False, soft_wrap=True)
    return latest


def _has_uploads(bulletin: Bulletin) -> bool:
    """Whether anything of the month was counted: tables full of zeros look alike for a silent month and a mistyped one."""
    counts = ("scheduled_records", "outpatient_visits", "discharges", "realtime_days")
    amounts = ("outpatient_revenue_kcny", "inpatient_revenue_kcny")
    rows = [row.cells for of_kind in bulletin.rows.values() for row in of_kind]
    return any(any(cells[name] for name in counts) or any(isinstance(cells[name], Decimal) for name in amounts) for cells in rows)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends a command with a word and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(130) from None


def _rhythms(path: Path | None) -> Rhythms:
    return read_rhythms(path, load_register()) if path else Rhythms()


def _log_level(name: str) -> int:
    number = logging.getLevelNamesMapping().get(name.upper())
    if number is None:
        raise typer.BadParameter(f"'{name}' is not debug, info, warning or error", param_hint="--log-level")
    return number


def _log(level: int) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("alembic", "apscheduler", "kafka"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    if level > logging.DEBUG:
        for handler in logging.getLogger().handlers:
            handler.addFilter(_without_kafkas_tracebacks)


def _without_kafkas_tracebacks(record: logging.LogRecord) -> bool:
    """The client logs a broken connection, which it mends, with its traceback: one line tells the night shift more."""
    if record.name.startswith("kafka.") and record.exc_info:
        record.msg, record.args = f"{record.getMessage()} ({record.exc_info[1]})", ()
        record.exc_info = None
    return True


app.add_typer(upkeep.dead_letters, name="dead-letters", rich_help_panel="Upkeep")
for upkeep_command in (upkeep.gaps, upkeep.recount, upkeep.prune):
    app.command(rich_help_panel="Upkeep")(upkeep_command)
app.add_typer(upkeep.db, name="db", rich_help_panel="Upkeep")
