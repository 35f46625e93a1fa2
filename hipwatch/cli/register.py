"""`register`: check a folder, show what is in it, say what it changes. Shell."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from hipwatch.cli.options import RegisterFolder, register_in
from schemas.clock import local_date
from schemas.register import Life, Register, Unit
from schemas.register.difference import difference, shown
from schemas.register.folder import SHIPPED, accepted, check_register

register_commands = typer.Typer(
    no_args_is_help=True, help="Who has to upload what, and since when: your own units, tables, forms."
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with units.csv, tables.csv and forms.csv.")]


@register_commands.command("check")
def check(folder: Folder) -> None:
    """Say everything that is wrong with a register, with file, line and column; exit 1 if anything is."""
    parsed = check_register(folder)
    for problem in parsed.problems:
        typer.echo(str(problem))
    if parsed.problems:
        typer.echo(f"{len(parsed.problems)} problem{'' if len(parsed.problems) == 1 else 's'}", err=True)
        raise typer.Exit(1)
    typer.echo(f"ok: {summary(parsed.register)}")


@register_commands.command("show")
def show(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="Folder with units.csv, tables.csv and forms.csv.")
    ] = None,
    register_folder: RegisterFolder = None,
) -> None:
    """Print a register: each unit with what is expected of it today."""
    where = folder or register_folder or SHIPPED
    found = accepted(check_register(where), where)
    typer.echo(f"{where}: {summary(found)}")
    for unit in found.units.values():
        typer.echo("  ".join(_unit_line(unit, found)))


@register_commands.command("diff")
def diff(folder: Folder, register_folder: RegisterFolder = None) -> None:
    """Say what FOLDER changes against the register in use: + added, - taken away, ~ changed. Exit 0 also when it does."""
    lines = difference(register_in(register_folder), accepted(check_register(folder), folder))
    for line in lines:
        typer.echo(line)
    if not lines:
        typer.echo("no difference")


def summary(found: Register) -> str:
    """How much a register holds today."""
    day = _today()
    units = found.units.values()
    active = sum(unit.life_on(day) is Life.ACTIVE for unit in units)
    kinds = ", ".join(
        f"{sum(unit.kind is kind for unit in units)} {kind}s with {len(found.required_tables(kind, day))} tables each"
        for kind in found.kinds
    )
    return f"{len(units)} units, {active} of them active ({kinds}), {len(found.tables)} tables, {len(found.forms)} realtime forms"


def _today() -> date:
    return local_date(datetime.now(UTC))


def _unit_line(unit: Unit, found: Register) -> list[str]:
    day = _today()
    dates = f"{shown(unit.active_from)} to {shown(unit.active_until)}" if unit.active_from or unit.active_until else ""
    feeds = ";".join(feed for feed in unit.feeds if unit.expects(feed, day)) or "nothing expected"
    forms = f"{len(found.expected_forms(unit, day))}/{len(found.forms)} forms"
    cells = [unit.unit_id, unit.kind, unit.name_zh, unit.life_on(day), dates, unit.district or "", unit.vendor, feeds, forms]
    contact = " ".join(filter(None, (unit.contact_role, unit.contact_number)))
    return [cell for cell in (*cells, contact) if cell]
