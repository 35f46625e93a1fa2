"""`unknown-senders`: who sends without being registered. Shell."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from hipwatch.cli.options import Database, RegisterFolder, register_in
from hipwatch.local.run_folder import DEFAULT_DATABASE
from monitor.ledger.database import open_database
from monitor.ledger.unknown_senders import OTHERS, UnknownSender
from monitor.ledger.unknown_senders import unknown_senders as read_senders
from schemas.clock import local_text
from schemas.register import Register


def unknown_senders(
    database: Database = DEFAULT_DATABASE,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    register_folder: RegisterFolder = None,
) -> None:
    """List who sent under an id that the register did not have: id, messages, first and last time of receipt."""
    register = register_in(register_folder)
    found = read_senders(open_database(database, create=False))
    if as_json:
        typer.echo(json.dumps([{**asdict(sender), "registered": _registered(sender, register)} for sender in found], default=str))
        return
    for sender in found:
        when = f"{local_text(sender.first_at)} to {local_text(sender.last_at)}"
        state = "  registered now" if _registered(sender, register) else ""
        typer.echo(f"{sender.claimed_unit_id}  {sender.messages} messages  {when}{state}")
    if not found:
        typer.echo("no unknown sender")
    elif any(_registered(sender, register) for sender in found):
        typer.echo("what they sent waits: hipwatch dead-letters replay --reason unknown_unit", err=True)


def _registered(sender: UnknownSender, register: Register) -> bool:
    return sender.claimed_unit_id != OTHERS and sender.claimed_unit_id in register.units
