"""Commands that play a month: replay, simulate. Shell."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from broker.strangers import require_no_strangers
from broker.topics import ensure_topics
from hipwatch import replay as replaying
from hipwatch.cli.options import (
    Bootstrap,
    DaySeconds,
    KafkaConfig,
    OwnBootstrap,
    PeriodOption,
    RecordsPerEvent,
    RegisterFolder,
    RunDatabase,
    Seed,
    TopicPrefix,
    kafka_connection,
    register_in,
)
from hipwatch.cli.printed import JsonOption, say, say_json
from hipwatch.local import stack
from hipwatch.local.processes import Processes
from hipwatch.local.run_folder import new_run
from ingest.scenario import Scenario, find_scenario, load_scenario
from monitor.bulletin.compare import Comparison
from monitor.ledger.database_url import shown_url
from schemas.bulletin.columns import format_cell
from schemas.bulletin.printed_month import PrintedMonth, read_printed_month
from schemas.bulletin.report_csv import read_report_csv
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import Register
from schemas.topics import DEFAULT_PREFIX

YesIntoThisBroker = Annotated[
    bool,
    typer.Option(
        "--yes-into-this-broker",
        envvar="HIPWATCH_YES_INTO_THIS_BROKER",
        help="Publish the made-up month into these topics, though they hold messages that were not simulated.",
    ),
]
ScenarioName = Annotated[
    str,
    typer.Argument(metavar="NAME|FOLDER", help="A shipped month (2020-01, 2024-09) or a folder with the two collection_*.csv."),
]
_stderr = Console(stderr=True)


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
        Path | None,
        typer.Option(
            envvar="HIPWATCH_EXPECT",
            help="Compare with this folder's print, or a report as CSV, and not with the replayed month.",
        ),
    ] = None,
    group: Annotated[
        str | None, typer.Option(envvar="HIPWATCH_REPLAY_GROUP", help="Kafka consumer group. Without it, one of this run.")
    ] = None,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
    register_folder: RegisterFolder = None,
    yes: YesIntoThisBroker = False,
    as_json: JsonOption = False,
) -> None:
    """Play a month through a real broker into the ledger and, with --verify, compare every printed cell with it."""
    if workers == 0 and (bootstrap is None or database is None):
        raise HipwatchError("with --workers 0 yours have to count: name their broker and ledger with --bootstrap and --database")
    register = register_in(register_folder)
    scenario = scenario_of(name, register, period, records_per_event, day_seconds, seed)
    printed = _expected(expect, register) if expect else scenario.month
    plan = replaying.plan_of(scenario, register)
    kafka = kafka_connection(bootstrap, topic_prefix, kafka_config)
    run = new_run("replay")
    with interruptible(), Processes(run / "logs") as processes:
        if kafka.bootstrap and not yes:
            require_no_strangers(kafka)
        place = stack.open_stack(
            processes,
            kafka,
            database or stack.ledger_in(run),
            kafka_config,
            register_folder,
        )
        done = replaying.replay(
            scenario, plan, place, processes, workers=workers, group=group or f"hipwatch-{run.name}", console=_stderr
        )
    comparison = replaying.verify(scenario, place.engine, register, printed) if verify or expect else None
    if as_json:
        say_json(_replay_facts(scenario, done, place.database, comparison))
    else:
        restarted = f", {done.restarts} worker restarts" if done.restarts else ""
        say(f"{scenario.period}: {done.played.sent} messages published and counted in {done.seconds:.1f} s{restarted}")
        say(f"ledger: {shown_url(place.database)}")
        for line in replaying.verdict(comparison, register) if comparison else ():
            say(line)
    if comparison and comparison.differences:
        raise typer.Exit(1)


def _replay_facts(
    scenario: Scenario, done: replaying.Replayed, database: str, comparison: Comparison | None
) -> dict[str, object]:
    facts = {
        "period": str(scenario.period),
        "messages": done.played.sent,
        "seconds": round(done.seconds, 1),
        "worker_restarts": done.restarts,
        "ledger": shown_url(database),
    }
    if comparison is None:
        return facts
    differences = [
        {
            "unit_id": one.unit_id,
            "column": one.column.name,
            "printed": format_cell(one.printed),
            "counted": None if one.counted is None else format_cell(one.counted),
        }
        for one in comparison.differences
    ]
    return facts | {"cells": comparison.cells, "cells_matched": comparison.matched, "differences": differences}


def simulate(
    name: ScenarioName,
    bootstrap: Bootstrap,
    period: PeriodOption = None,
    records_per_event: RecordsPerEvent = None,
    day_seconds: DaySeconds = None,
    seed: Seed = None,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
    register_folder: RegisterFolder = None,
    yes: YesIntoThisBroker = False,
    as_json: JsonOption = False,
) -> None:
    """Only publish: the units of a month send what they sent, to your broker. May be stopped and run again."""
    register = register_in(register_folder)
    scenario = scenario_of(name, register, period, records_per_event, day_seconds, seed)
    plan = replaying.plan_of(scenario, register)
    kafka = kafka_connection(bootstrap, topic_prefix, kafka_config)
    with interruptible():
        if not yes:
            require_no_strangers(kafka)
        ensure_topics(kafka)
        played, _ = replaying.play_month(scenario, plan, kafka, _stderr)
    if as_json:
        say_json({"period": str(scenario.period), "messages": played.sent, "seconds": round(played.seconds, 1)})
    else:
        say(f"{scenario.period}: {played.sent} messages published in {played.seconds:.1f} s")


def _expected(path: Path, register: Register) -> PrintedMonth:
    return read_report_csv(path, register) if path.is_file() else read_printed_month(path, register)


def scenario_of(
    name: str, register: Register, period: str | None, records_per_event: int | None, day_seconds: float | None, seed: int | None
) -> Scenario:
    """The scenario, with what the command line says in place of what its folder says."""
    scenario = load_scenario(find_scenario(name), register, Period.parse(period) if period else None)
    return replace(
        scenario,
        records_per_event=records_per_event or scenario.records_per_event,
        day_seconds=day_seconds or scenario.day_seconds,
        seed=scenario.seed if seed is None else seed,
    )


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends a command with a word and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(130) from None
