"""`dead-letters`: list, show, replay after a fix, discard. Shell."""

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

from hipwatch.cli.options import AcceptSimulated, Database, RegisterFolder, register_in
from hipwatch.cli.printed import JsonOption, say, say_json
from hipwatch.cli.units import UnitOption, unit_in
from hipwatch.local.run_folder import DEFAULT_DATABASE
from monitor.ledger.database import open_database
from monitor.ledger.dead_letters import DeadLetterFilter, DeadLetters, StoredDeadLetter
from monitor.ledger.tables.dead_letters import LetterState
from schemas.clock import local_text, start_of_day
from schemas.codec.reasons import Reason
from schemas.errors import HipwatchError
from schemas.register import Register

dead_letters = typer.Typer(
    no_args_is_help=True, help="Messages that could not be counted: list, show, replay after a fix, discard."
)
ReasonOption = Annotated[Reason | None, typer.Option(help="Only those with this reason.")]
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


@dead_letters.command("list")
def list_letters(
    database: Database = DEFAULT_DATABASE,
    reason: ReasonOption = None,
    unit: UnitOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    settled: Annotated[bool, typer.Option("--settled", help="Those that were replayed or discarded too.")] = False,
    most: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000,
    register_folder: RegisterFolder = None,
    as_json: JsonOption = False,
) -> None:
    """List the letters that wait for a decision, oldest first: place, time, reason, unit, detail."""
    register = register_in(register_folder)
    found = DeadLetters(open_database(database, create=False)).find(_filter(register, reason, unit, since, until, settled), most)
    if as_json:
        say_json([_facts(kept, register) for kept in found])
        return
    for kept in found:
        when, who = local_text(kept.letter.received_at, "%Y-%m-%d %H:%M:%S"), _unit_of(kept, register) or "—"
        say(f"{kept.place}  {when}  {kept.letter.reason}  {who}  {kept.state}  {kept.letter.detail}")
    typer.echo(f"{len(found)} dead letter{'' if len(found) == 1 else 's'}", err=True)


@dead_letters.command("show")
def show_letter(
    place: Annotated[str, typer.Argument(metavar="TOPIC-PARTITION@OFFSET")],
    database: Database = DEFAULT_DATABASE,
    register_folder: RegisterFolder = None,
) -> None:
    """Print one letter as JSON, with its bytes in base64. They are what a sender wrote, whatever that is: handle with care."""
    kept = DeadLetters(open_database(database, create=False)).at(place)
    letter = kept.letter
    bytes_of_it = {"key_base64": _base64(letter.key), "value_base64": _base64(letter.value)}
    say_json(_facts(kept, register_in(register_folder)) | bytes_of_it)


@dead_letters.command("replay")
def replay_letters(
    database: Database = DEFAULT_DATABASE,
    places: Places = None,
    reason: ReasonOption = None,
    unit: UnitOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    everything: AllOption = False,
    register_folder: RegisterFolder = None,
    accept_simulated: AcceptSimulated = False,
    as_json: JsonOption = False,
) -> None:
    """Try to count letters again, after a fix. An event counts once, however often it is replayed or sent again."""
    letters = DeadLetters(open_database(database, create=False))
    register = register_in(register_folder)
    chosen = _chosen(letters, places, _filter(register, reason, unit, since, until), everything)

    def failing(kept: StoredDeadLetter, why: str) -> None:
        say(f"{kept.place} still fails: {why}", err=True)

    result = letters.replay(chosen, register, failing, simulated=accept_simulated)
    if as_json:
        say_json(result)
    else:
        say(f"{result.counted} counted, {result.duplicates} counted before, {result.failed} still fail")
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
    register_folder: RegisterFolder = None,
    as_json: JsonOption = False,
) -> None:
    """Give letters up: their bytes are erased from the ledger; that they were here, and why, stays."""
    letters = DeadLetters(open_database(database, create=False))
    gone = letters.discard(
        _chosen(letters, places, _filter(register_in(register_folder), reason, unit, since, until), everything)
    )
    if as_json:
        say_json({"discarded": gone})
    else:
        say(f"{gone} discarded")


def _filter(
    register: Register,
    reason: Reason | None,
    unit: str | None,
    since: datetime | None,
    until: datetime | None,
    settled: bool = False,
) -> DeadLetterFilter:
    return DeadLetterFilter(
        reason,
        unit_in(register, unit),
        start_of_day(since.date()) if since else None,
        start_of_day(until.date()) if until else None,
        None if settled else LetterState.KEPT,
    )


def _chosen(
    letters: DeadLetters, places: list[str] | None, wanted: DeadLetterFilter, everything: bool
) -> Iterable[StoredDeadLetter]:
    """The named letters, or all that the filter selects; a bare command does nothing to everything by accident."""
    if places and (everything or wanted != DeadLetterFilter()):
        raise HipwatchError("name letters, or select them with options, but not both")
    if places:
        return [letters.at(place) for place in places]
    if not everything and wanted == DeadLetterFilter():
        raise HipwatchError("name the letters, select them with an option, or say --all")
    if not letters.find(wanted, most=1):
        typer.echo("no dead letter that waits is like that", err=True)
    return letters.each(wanted)


def _facts(kept: StoredDeadLetter, register: Register) -> dict[str, object]:
    letter = kept.letter
    return {
        "place": kept.place,
        "received_at": letter.received_at,
        "reason": letter.reason,
        "detail": letter.detail,
        "unit_id": _unit_of(kept, register),
        "state": kept.state,
        "settled_at": kept.settled_at,
    }


def _unit_of(kept: StoredDeadLetter, register: Register) -> str | None:
    """Who sent it, by what the register knows now: it may not have known the unit when the letter came."""
    if kept.unit_id is None and kept.letter.key is not None:
        key = kept.letter.key.decode(errors="replace")
        return key if key in register.units else None
    return kept.unit_id


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
