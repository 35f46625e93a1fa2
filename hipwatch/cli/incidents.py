"""`hipwatch incidents`: list them, show one's life, and take part in it: acknowledge, note, mute, close. Shell."""

import getpass
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from hipwatch.cli.incident_list import incident_lines, life_lines
from hipwatch.cli.options import ReadDatabase
from hipwatch.cli.printed import say_json
from hipwatch.cli.reports import read_from
from monitor.ledger.database import open_database
from monitor.ledger.incident_book import IncidentBook, incident_book
from monitor.ledger.incidents import find_incident, list_incidents
from monitor.ledger.tables.paging import Incident
from schemas.errors import HipwatchError

incidents = typer.Typer(
    invoke_without_command=True, help="The incidents: every alert that was delivered, opened, acknowledged and closed."
)
_SPANS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST: Final = timedelta(days=31)

Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=2**31 - 1, help="The incident's number, as listed.")]
By = Annotated[
    str | None,
    typer.Option("--by", envvar="HIPWATCH_BY", help="Who you are, for the log. Without it, your login."),
]
Note = Annotated[str, typer.Option("--note", help="A sentence for the log; nothing about patients.")]
Open = Annotated[bool, typer.Option("--open", help="Only those that are still open.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@incidents.callback()
def list_by_default(
    context: typer.Context, open_only: Open = False, as_json: AsJson = False, database: ReadDatabase = None
) -> None:
    """List the incidents, if nothing else is asked for."""
    if context.invoked_subcommand is None:
        list_all(open_only, as_json, database)


@incidents.command(name="list")
def list_all(open_only: Open = False, as_json: AsJson = False, database: ReadDatabase = None) -> None:
    """List the incidents, oldest first."""
    found = list_incidents(open_database(read_from(database), create=False), open_only=open_only)
    if as_json:
        say_json([_facts(incident) for incident in found])
        return
    if not found:
        typer.echo("no open incident" if open_only else "no incident")
        return
    for line in incident_lines(found):
        typer.echo(line)


@incidents.command()
def show(number: Number, as_json: AsJson = False, database: ReadDatabase = None) -> None:
    """Show one incident and its life."""
    found = find_incident(open_database(read_from(database), create=False), number)
    if found is None:
        raise HipwatchError(f"there is no incident {number}")
    incident, life = found
    if as_json:
        events = [event.model_dump(mode="json", exclude={"incident_id"}) for event in life]
        say_json(_facts(incident) | {"life": events})
        return
    for line in life_lines(incident, life):
        typer.echo(line)


@incidents.command()
def ack(number: Number, by: By = None, note: Note = "", database: ReadDatabase = None) -> None:
    """Say that you take care of it: it is not named again."""
    _do(database, number, "acknowledged", lambda book: book.acknowledge(number, _who(by), note))


@incidents.command(name="note")
def note_down(
    number: Number,
    text: Annotated[str, typer.Argument(help="What to write down; nothing about patients.")],
    by: By = None,
    database: ReadDatabase = None,
) -> None:
    """Write a sentence into its life."""
    if not text.strip():
        raise HipwatchError("the note is empty")
    _do(database, number, "noted", lambda book: book.note(number, _who(by), text))


@incidents.command()
def mute(
    number: Number,
    span: Annotated[str, typer.Option("--for", help="For how long: 30m, 4h or 2d.")],
    by: By = None,
    note: Note = "",
    database: ReadDatabase = None,
) -> None:
    """Tell nobody of it for a while; if it is still open then, it is told."""
    until = datetime.now(UTC) + span_of(span)
    _do(database, number, f"muted for {span}", lambda book: book.mute(number, _who(by), until, note))


@incidents.command()
def close(number: Number, by: By = None, note: Note = "", database: ReadDatabase = None) -> None:
    """Say that it is over, though nothing else has said so. It opens again when its alert ends and fires anew."""
    _do(database, number, "closed", lambda book: book.close(number, _who(by), note))


def span_of(text: str) -> timedelta:
    """30m, 4h or 2d. Raises HipwatchError."""
    match = re.fullmatch(r"(\d{1,5})([mhd])", text)
    span = int(match[1]) * _SPANS[match[2]] if match else timedelta()
    if not timedelta() < span <= _LONGEST:
        raise HipwatchError(f"'{text}' is not a time of up to {_LONGEST.days} days: write 30m, 4h or 2d")
    return span


def _do(database: str | None, number: int, done: str, change: Callable[[IncidentBook], bool]) -> None:
    engine = open_database(read_from(database), create=False)
    with incident_book(engine, datetime.now(UTC)) as book:
        changed = change(book)
    if not changed:
        state = "is over already" if find_incident(engine, number) else "does not exist"
        raise HipwatchError(f"the incident {number} {state}")
    typer.echo(f"incident {number}: {done}")


def _who(by: str | None) -> str:
    try:
        who = (by or getpass.getuser()).strip()
    except (OSError, KeyError):  # no such login, as in a container with a number for its user
        who = ""
    if not who:
        raise HipwatchError("say who you are: --by NAME or HIPWATCH_BY")
    return who[:100]


def _facts(incident: Incident) -> dict[str, object]:
    return incident.model_dump(mode="json") | {"reopened": incident.reopened}
