"""Commands that say what is true of the units and why: `explain`, `rhythms`, `flips`. Shell."""

import json
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer

from hipwatch.cli.options import ReadDatabase, RegisterFolder, RhythmsFile, register_in
from hipwatch.cli.reports import read_from
from hipwatch.cli.running import rhythms_in
from monitor.counting.feeds import Feed
from monitor.judgement.explain import Tongue
from monitor.judgement.explain import explain as explained
from monitor.judgement.judge import Judge
from monitor.judgement.rhythms_export import rhythms_toml
from monitor.ledger.database import open_database
from monitor.ledger.flips import read_flips
from schemas.clock import local_text
from schemas.errors import HipwatchError
from schemas.register import Register, Unit

_HOUR: Final = timedelta(hours=1)


def explain(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="Unit id, or any name of the unit.")],
    feed: Annotated[Feed | None, typer.Argument(help="One feed; both without it.")] = None,
    lang: Annotated[Tongue, typer.Option(envvar="HIPWATCH_LANG", help="Language.")] = Tongue.ZH,
    database: ReadDatabase = None,
    rhythms: RhythmsFile = None,
    register_folder: RegisterFolder = None,
) -> None:
    """What is expected of a unit, since when it is overdue, and why: in plain words."""
    register = register_in(register_folder)
    chosen = _unit(register, unit)
    judge = Judge(open_database(read_from(database), create=False), register, rhythms_in(rhythms, register), stores=False)
    snapshot = judge.take_snapshot()
    status = next(status for status in snapshot.status.units if status.unit.unit_id == chosen.unit_id)
    found = [one for one in status.feeds if feed in (None, one.feed)]
    for number, one in enumerate(found):
        if number:
            typer.echo()
        for line in explained(chosen, one, judge.city, judge.row_of(chosen.unit_id, one.feed), lang):
            typer.echo(line)


class RhythmsFormat(StrEnum):
    """How `hipwatch rhythms` prints them."""

    TOML = "toml"


def rhythms(
    form: Annotated[RhythmsFormat, typer.Option("--format", help="How to print them.")] = RhythmsFormat.TOML,
    database: ReadDatabase = None,
    rhythms: RhythmsFile = None,
    register_folder: RegisterFolder = None,
) -> None:
    """What is expected of every unit, set or learned, as the file that --rhythms takes: kept so, it is frozen."""
    del form  # there is one
    register = register_in(register_folder)
    known = rhythms_in(rhythms, register)
    judge = Judge(open_database(read_from(database), create=False), register, known, stores=False)
    judge.take_snapshot()
    typer.echo(rhythms_toml(known, judge.weeks()), nl=False)


def flips(
    unit: Annotated[str | None, typer.Argument(metavar="UNIT", help="Only of this unit: its id, or any name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """Every silence of a unit's feed: overdue since, until, last upload before."""
    register = register_in(register_folder)
    unit_id = None if unit is None else _unit(register, unit).unit_id
    found = read_flips(open_database(read_from(database), create=False), unit_id)
    if as_json:
        typer.echo(json.dumps([flip.model_dump(mode="json") for flip in found], ensure_ascii=False, indent=2))
        return
    if not found:
        typer.echo("no silence")
    for flip in found:
        hours = "" if flip.ended_at is None else f", {(flip.ended_at - flip.started_at) / _HOUR:.1f} h"
        until = "still silent" if flip.ended_at is None else f"until {local_text(flip.ended_at)}{hours}"
        before = f"last upload before: {local_text(flip.quiet_since)}"
        typer.echo(f"{local_text(flip.started_at)}  {flip.unit_id} {flip.feed}  {until}; {before}")


def _unit(register: Register, name: str) -> Unit:
    found = next((unit for unit in register.units.values() if unit.unit_id == name), None) or register.unit_named(name)
    if found is None:
        raise HipwatchError(f"the register has no unit '{name}'")
    return found
