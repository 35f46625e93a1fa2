"""Commands that print what the ledger knows. Shell."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hipwatch.cli.options import ReadDatabase, RegisterFolder, register_in
from hipwatch.cli.printed import JsonOption
from hipwatch.local.run_folder import DEFAULT_DATABASE, latest_ledger
from monitor.board.pages.notices import strange_ledger
from monitor.bulletin.build import build_bulletin
from monitor.bulletin.render import Format, Language, render
from monitor.ledger.database import Engine, open_database
from monitor.ledger.month import MonthFacts, read_month
from schemas.bulletin.columns import Form
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import Register

_stderr = Console(stderr=True)


def report(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The month, YYYY-MM.")],
    output: Annotated[Format, typer.Option("--format", envvar="HIPWATCH_FORMAT", help="How to write it.")] = Format.TABLE,
    lang: Annotated[Language, typer.Option(envvar="HIPWATCH_LANG", help="Language of headings and names.")] = Language.ZH,
    form: Annotated[
        str, typer.Option(envvar="HIPWATCH_FORM", help="Printed form: 2020, 2024, or auto (what fits the month's events).")
    ] = "auto",
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
    to_file: Annotated[
        Path | None, typer.Option("--output", "-o", envvar="HIPWATCH_OUTPUT", help="Write it to this file.", dir_okay=False)
    ] = None,
    bom: Annotated[
        bool | None,
        typer.Option(
            "--bom/--no-bom", help="Begin CSV with the mark by which Excel knows UTF-8. Without either: in files, not in pipes."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the month's district and hospital tables, from the ledger. Amounts are thousand yuan."""
    register = register_in(register_folder)
    month = Period.parse(period)
    output = Format.JSON if as_json else output
    if form not in ("auto", *(known.value for known in Form)):
        raise typer.BadParameter(f"'{form}' is not 2020, 2024 or auto", param_hint="--form")
    facts = month_with_events(open_database(read_from(database), create=False), month)
    for note in _notes(facts, register):
        typer.echo(f"note: {note}", err=True)
    bulletin = build_bulletin(facts, register)
    chosen = bulletin.form if form == "auto" else Form(form)
    text = render(bulletin, chosen, output, lang, register)
    if output is Format.CSV and (_goes_into_a_file(to_file) if bom is None else bom):
        text = "\ufeff" + text
    write_out([text], to_file)


def month_with_events(engine: Engine, month: Period) -> MonthFacts:
    """The facts of a month. Raises HipwatchError where nobody sent anything for it."""
    facts = read_month(engine, month)
    if not facts.senders:
        raise HipwatchError(f"this ledger holds no event of {month}: its tables would be zeros that nobody sent")
    return facts


def _notes(facts: MonthFacts, register: Register) -> Iterator[str]:
    """Who sent for the month without being one of its units."""
    senders = facts.senders
    yield from strange_ledger(senders, register)
    listed = {unit.unit_id for unit in register.units_of(facts.period)}
    for unit in register.units.values():
        if unit.unit_id in senders - listed:
            life = unit.life_on(facts.period.last)
            yield f"{unit.name_zh} ({unit.unit_id}) has sent, and is no unit of {facts.period} by the register: {life}"


def _goes_into_a_file(named: Path | None) -> bool:
    """Whether the output is a file, named or by the shell's `>`, and begins it."""
    if named is not None:
        return True
    try:
        number = sys.stdout.fileno()
        return stat.S_ISREG(os.fstat(number).st_mode) and os.lseek(number, 0, os.SEEK_CUR) == 0
    except (OSError, ValueError):
        return False


def write_out(pieces: Iterable[str], path: Path | None) -> None:
    """Write a text to a file, or to stdout, piece by piece. Raises HipwatchError where the file cannot be written."""
    if path is None:
        for piece in pieces:
            typer.echo(piece, nl=False)
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
    except OSError as error:
        raise HipwatchError(f"{path} cannot be written: {error.strerror}") from None


def read_from(database: str | None) -> str:
    """The ledger to read: the given one, ./hipwatch.db, or that of the latest run."""
    if database:
        return database
    latest = latest_ledger()
    if latest is None or Path("hipwatch.db").exists():
        return DEFAULT_DATABASE
    _stderr.print(f"reading the ledger of the latest run, {latest}", highlight=False, soft_wrap=True)
    return latest
