"""Commands that keep a ledger in order: `db`, `gaps`, `recount`, `prune`. Shell."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from hipwatch.cli.options import (
    AcceptSimulated,
    Bootstrap,
    Database,
    KafkaConfig,
    RegisterFolder,
    TopicPrefix,
    kafka_connection,
    register_in,
)
from hipwatch.cli.printed import JsonOption, facts_of, say, say_json, unit_and_id
from hipwatch.cli.units import UnitOption, unit_in
from hipwatch.local.processes import Processes
from hipwatch.local.run_folder import DEFAULT_DATABASE, new_run
from hipwatch.local.stack import LocalStack, ledger_in
from hipwatch.recount import Disagreement, Recounted
from hipwatch.recount import recount as run_recount
from monitor.ledger.database import init_database, open_database, upgrade_database
from monitor.ledger.database_url import shown_url
from monitor.ledger.gaps import find_gaps, stream_facts
from monitor.ledger.pruning import prune as run_prune
from schemas.bulletin.columns import Cell, format_cell
from schemas.period import Period
from schemas.register import Register
from schemas.topics import DEFAULT_PREFIX

db = typer.Typer(no_args_is_help=True, help="The ledger's tables.")
_MOST_SUMS = 100
"""Daily sums that are named when a recount finds more than a reader would read."""


@db.command("upgrade")
def db_upgrade(database: Database = DEFAULT_DATABASE, as_json: JsonOption = False) -> None:
    """Bring the ledger's tables to this release's version, in one transaction. Take a backup first; stop the workers."""
    before, after = upgrade_database(database)
    if as_json:
        say_json({"before": before, "after": after})
        return
    say(f"the ledger has version {after} already" if before == after else f"upgraded from {before} to {after}")


@db.command("init")
def db_init(database: Database = DEFAULT_DATABASE, as_json: JsonOption = False) -> None:
    """Make the ledger's tables, in a database that holds tables of others too. In an empty one every worker makes them."""
    init_database(database)
    if as_json:
        say_json({"database": shown_url(database)})
        return
    say(f"the ledger's tables are in {shown_url(database)}")


def gaps(
    database: Database = DEFAULT_DATABASE,
    unit: UnitOption = None,
    counts: Annotated[bool, typer.Option("--counts", help="Also each stream's counts: accepted, duplicates, missing.")] = False,
    register_folder: RegisterFolder = None,
    as_json: JsonOption = False,
) -> None:
    """What to ask the units to send again: missing sequence numbers by unit and topic. Exit 0 also when there are some."""
    register = register_in(register_folder)
    wanted = unit_in(register, unit)
    engine = open_database(database, create=False)
    streams = stream_facts(engine, wanted) if counts else []
    found = find_gaps(engine, wanted)
    if as_json:
        requests = [facts | {"request": gap.request()} for facts, gap in zip(facts_of(found), found, strict=True)]
        say_json({"streams": facts_of(streams), "gaps": requests} if counts else {"gaps": requests})
        return
    for facts in streams:
        say(
            f"{unit_and_id(register, facts.unit_id)}  {facts.topic}  series {facts.series or '—'}: {facts.accepted} accepted, "
            f"{facts.duplicates} duplicates, {facts.missing} missing, "
            f"{facts.ahead} with a clock ahead, {facts.behind} with a clock behind"
        )
    for gap in found:
        say(f"{unit_and_id(register, gap.unit_id)}  {gap.topic}  series {gap.series or '—'}: {gap.request()}")
    if not found:
        say("no sequence number is missing")


def recount(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The month, YYYY-MM.")],
    bootstrap: Bootstrap,
    database: Database = DEFAULT_DATABASE,
    workers: Annotated[int, typer.Option(envvar="HIPWATCH_WORKERS", min=1, max=64, help="Workers to count with.")] = 1,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
    register_folder: RegisterFolder = None,
    accept_simulated: AcceptSimulated = False,
    as_json: JsonOption = False,
) -> None:
    """Count the month again from Kafka into a scratch ledger, and compare every sum with the live one; exit 1 if one differs."""
    month, register = Period.parse(period), register_in(register_folder)
    kafka = kafka_connection(bootstrap, topic_prefix, kafka_config)
    open_database(database, create=False).dispose()
    run = new_run("recount")
    with Processes(run / "logs") as processes:
        scratch = ledger_in(run)
        stack = LocalStack(kafka, scratch, open_database(scratch, create=True), False, kafka_config, register_folder)
        result = run_recount(
            month,
            database,
            stack,
            processes,
            register,
            workers=workers,
            group=f"hipwatch-{run.name}",
            console=Console(stderr=True),
            accept_simulated=accept_simulated,
        )
    if as_json:
        say_json(_recount_facts(result, scratch))
    else:
        _tell_recount(result, register, scratch)
    if not result.equal:
        raise typer.Exit(1)


def _recount_facts(result: Recounted, scratch: str) -> dict[str, object]:
    def differing(found: Sequence[Disagreement]) -> list[dict[str, object]]:
        return [
            {"unit_id": one.unit_id, "column": one.column, "live": _shown(one.live), "recounted": _shown(one.recounted)}
            for one in found
        ]

    return {
        "equal": result.equal,
        "cells": result.cells,
        "differing_cells": differing(result.disagreements),
        "daily_sums": result.sums,
        "differing_daily_sums": differing(result.differing_sums),
        "scratch_ledger": scratch,
    }


def _tell_recount(result: Recounted, register: Register, scratch: str) -> None:
    for differs in [*result.disagreements, *result.differing_sums[:_MOST_SUMS]]:
        live, again = (_shown(value) for value in (differs.live, differs.recounted))
        say(f"{unit_and_id(register, differs.unit_id)}, {differs.column}: live {live!r}, recounted {again!r}")
    if len(result.differing_sums) > _MOST_SUMS:
        say(f"… and {len(result.differing_sums) - _MOST_SUMS} more daily sums")
    say(f"scratch ledger: {scratch}")
    say(f"daily sums equal {result.sums - len(result.differing_sums)}/{result.sums}")
    say(f"cells equal {result.cells - len(result.disagreements)}/{result.cells}")


def _shown(value: Cell | None) -> str:
    return "—" if value is None else format_cell(value)


def prune(
    before: Annotated[str, typer.Argument(metavar="PERIOD", help="Keep the details of this month and later ones, YYYY-MM.")],
    database: Database = DEFAULT_DATABASE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete old details: receipts, hours of activity, settled dead letters, closed incidents. The sums stay."""
    gone = run_prune(open_database(database, create=False), Period.parse(before), dry_run=dry_run)
    if as_json:
        say_json(gone)
        return
    say(
        f"{'would prune' if dry_run else 'pruned'} before {before}: {gone.receipts} receipts, {gone.hours} hours of activity, "
        f"{gone.dead_letters} settled dead letters, {gone.incidents} closed incidents"
    )
