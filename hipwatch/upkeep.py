"""Commands that keep a ledger in order: `db`, `dead-letters`, `gaps`, `recount`, `prune`. Shell."""

import base64
import json
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from hipwatch.home import DEFAULT_DATABASE, new_run
from hipwatch.options import Bootstrap, Database, KafkaConfig, TopicPrefix, kafka_connection
from hipwatch.processes import Processes
from hipwatch.recount import recount as run_recount
from hipwatch.replay import Stage, ledger_in
from monitor.database import open_database, upgrade_database
from monitor.gaps import find_holes, stream_facts
from monitor.letters import Filter, Kept, Letters
from monitor.pruning import prune as run_prune
from monitor.tables import LetterState
from schemas.clock import local_text, start_of_day
from schemas.codec import Reason
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.printed import format_cell
from schemas.register import Register, load_register
from schemas.topics import DEFAULT_PREFIX

db = typer.Typer(no_args_is_help=True, help="The ledger's tables.")
dead_letters = typer.Typer(
    no_args_is_help=True, help="Messages that could not be counted: list, show, replay after a fix, discard."
)

_MOST_SUMS = 100
"""Daily sums that are named when a recount finds more than a reader would read."""

ReasonOption = Annotated[Reason | None, typer.Option(help="Only those with this reason.")]
UnitOption = Annotated[str | None, typer.Option("--unit", help="Only those of this unit (unit id).")]
SinceOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Received on this day or later (Asia/Shanghai).")
]
UntilOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Received before this day (Asia/Shanghai).")]
Places = Annotated[
    list[str] | None, typer.Argument(metavar="[TOPIC-PARTITION@OFFSET]…", help="These letters, as `list` names them.")
]
AllOption = Annotated[
    bool, typer.Option("--all", help="All that wait; needed when neither a letter nor another option is given.")
]


@db.command("upgrade")
def db_upgrade(database: Database = DEFAULT_DATABASE) -> None:
    """Bring the ledger's tables to this release's version, in one transaction. Take a backup first; stop the workers."""
    before, after = upgrade_database(database)
    typer.echo(f"the ledger has version {after} already" if before == after else f"upgraded from {before} to {after}")


@dead_letters.command("list")
def list_letters(
    database: Database = DEFAULT_DATABASE,
    reason: ReasonOption = None,
    unit: UnitOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    settled: Annotated[bool, typer.Option("--settled", help="Those that were replayed or discarded too.")] = False,
    most: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000,
) -> None:
    """List the letters that wait for a decision, oldest first: place, time, reason, unit, detail."""
    found = Letters(open_database(database, create=False)).find(_filter(reason, unit, since, until, settled), most)
    register = load_register()
    for kept in found:
        when, who = local_text(kept.letter.received_at, "%Y-%m-%d %H:%M:%S"), _unit_of(kept, register) or "—"
        typer.echo(f"{kept.place}  {when}  {kept.letter.reason}  {who}  {kept.state}  {kept.letter.detail}")
    typer.echo(f"{len(found)} dead letter{'' if len(found) == 1 else 's'}", err=True)


@dead_letters.command("show")
def show_letter(
    place: Annotated[str, typer.Argument(metavar="TOPIC-PARTITION@OFFSET")], database: Database = DEFAULT_DATABASE
) -> None:
    """Print one letter as JSON, with its bytes in base64. They are what a sender wrote, whatever that is: handle with care."""
    kept = Letters(open_database(database, create=False)).at(place)
    letter = kept.letter
    shown = {
        "place": kept.place,
        "received_at": letter.received_at.isoformat(),
        "reason": letter.reason,
        "detail": letter.detail,
        "unit_id": _unit_of(kept, load_register()),
        "state": kept.state,
        "settled_at": kept.settled_at.isoformat() if kept.settled_at else None,
        "key_base64": _base64(letter.key),
        "value_base64": _base64(letter.value),
    }
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))


@dead_letters.command("replay")
def replay_letters(
    database: Database = DEFAULT_DATABASE,
    places: Places = None,
    reason: ReasonOption = None,
    unit: UnitOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    everything: AllOption = False,
) -> None:
    """Try to count letters again, after a fix. An event counts once, however often it is replayed or sent again."""
    letters = Letters(open_database(database, create=False))
    result = letters.replay(_chosen(letters, places, _filter(reason, unit, since, until), everything), load_register())
    for kept, why in result.failed:
        typer.echo(f"{kept.place} still fails: {why}", err=True)
    typer.echo(f"{result.counted} counted, {result.duplicates} counted before, {len(result.failed)} still fail")
    if result.failed:
        raise typer.Exit(1)


@dead_letters.command("discard")
def discard_letters(
    database: Database = DEFAULT_DATABASE,
    places: Places = None,
    reason: ReasonOption = None,
    unit: UnitOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    everything: AllOption = False,
) -> None:
    """Give letters up: their bytes are erased from the ledger; that they were here, and why, stays."""
    letters = Letters(open_database(database, create=False))
    gone = letters.discard(_chosen(letters, places, _filter(reason, unit, since, until), everything))
    typer.echo(f"{gone} discarded")


def gaps(
    database: Database = DEFAULT_DATABASE,
    unit: UnitOption = None,
    counts: Annotated[bool, typer.Option("--counts", help="Also each stream's counts: accepted, duplicates, missing.")] = False,
) -> None:
    """What to ask the units to send again: missing sequence numbers per unit and feed. Exit 0 also when there are some."""
    register = load_register()
    _require_unit(unit, register)
    engine = open_database(database, create=False)
    if counts:
        for facts in stream_facts(engine, unit):
            name = register.units[facts.unit_id].name_zh if facts.unit_id in register.units else facts.unit_id
            typer.echo(
                f"{name} ({facts.unit_id})  {facts.topic}  series {facts.series or '—'}: {facts.accepted} accepted, "
                f"{facts.duplicates} duplicates, {facts.missing} missing, "
                f"{facts.ahead} with a clock ahead, {facts.behind} with a clock behind"
            )
    holes = find_holes(engine, unit)
    for hole in holes:
        name = register.units[hole.unit_id].name_zh if hole.unit_id in register.units else hole.unit_id
        typer.echo(f"{name} ({hole.unit_id})  {hole.topic}  series {hole.series or '—'}: {hole.request()}")
    if not holes:
        typer.echo("no sequence number is missing")


def recount(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The month, YYYY-MM.")],
    bootstrap: Bootstrap,
    database: Database = DEFAULT_DATABASE,
    workers: Annotated[int, typer.Option(envvar="HIPWATCH_WORKERS", min=1, max=64, help="Workers to count with.")] = 1,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
) -> None:
    """Count the month again from Kafka into a scratch ledger, and compare every sum with the live one; exit 1 if one differs."""
    month, register = Period.parse(period), load_register()
    kafka = kafka_connection(bootstrap, topic_prefix, kafka_config)
    open_database(database, create=False).dispose()
    run = new_run("recount")
    with Processes(run / "logs") as processes:
        scratch = ledger_in(run)
        stage = Stage(kafka, scratch, open_database(scratch, create=True), False, kafka_config)
        result = run_recount(
            month,
            database,
            stage,
            processes,
            register,
            workers=workers,
            group=f"hipwatch-{run.name}",
            console=Console(stderr=True),
        )
    for differs in [*result.disagreements, *result.differing_sums[:_MOST_SUMS]]:
        live = "—" if differs.live is None else format_cell(differs.live)
        again = "—" if differs.recounted is None else format_cell(differs.recounted)
        name = register.units[differs.unit_id].name_zh if differs.unit_id in register.units else differs.unit_id
        typer.echo(f"{name} ({differs.unit_id}), {differs.column}: live {live!r}, recounted {again!r}")
    if len(result.differing_sums) > _MOST_SUMS:
        typer.echo(f"… and {len(result.differing_sums) - _MOST_SUMS} more daily sums")
    typer.echo(f"scratch ledger: {scratch}")
    typer.echo(f"daily sums equal {result.sums - len(result.differing_sums)}/{result.sums}")
    typer.echo(f"cells equal {result.cells - len(result.disagreements)}/{result.cells}")
    if not result.equal:
        raise typer.Exit(1)


def prune(
    before: Annotated[str, typer.Argument(metavar="PERIOD", help="Keep the details of this month and later ones, YYYY-MM.")],
    database: Database = DEFAULT_DATABASE,
) -> None:
    """Delete old details: receipts, hours of activity, settled dead letters, closed incidents. The sums stay."""
    gone = run_prune(open_database(database, create=False), Period.parse(before))
    typer.echo(
        f"pruned before {before}: {gone.receipts} receipts, {gone.hours} hours of activity, "
        f"{gone.letters} settled dead letters, {gone.incidents} closed incidents"
    )


def _filter(
    reason: Reason | None, unit: str | None, since: datetime | None, until: datetime | None, settled: bool = False
) -> Filter:
    _require_unit(unit, load_register())
    return Filter(
        reason,
        unit,
        start_of_day(since.date()) if since else None,
        start_of_day(until.date()) if until else None,
        None if settled else LetterState.KEPT,
    )


def _chosen(letters: Letters, places: list[str] | None, wanted: Filter, everything: bool) -> list[Kept]:
    """The named letters, or all that the filter selects; a bare command does nothing to everything by accident."""
    if places and (everything or wanted != Filter()):
        raise HipwatchError("name letters, or select them with options, but not both")
    if places:
        return [letters.at(place) for place in places]
    if not everything and wanted == Filter():
        raise HipwatchError("name the letters, select them with an option, or say --all")
    found = letters.find(wanted, most=1_000_000)
    if not found:
        typer.echo("no dead letter that waits is like that", err=True)
    return found


def _unit_of(kept: Kept, register: Register) -> str | None:
    """Who sent it, by what the register knows now: it may not have known the unit when the letter came."""
    if kept.unit_id is None and kept.letter.key is not None:
        key = kept.letter.key.decode(errors="replace")
        return key if key in register.units else None
    return kept.unit_id


def _require_unit(unit: str | None, register: Register) -> None:
    if unit is not None and unit not in register.units:
        raise HipwatchError(f"the register has no unit '{unit}'")


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
