"""`hipwatch history`: a month that is past, for Prometheus to take in. Shell."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hipwatch.cli.options import ReadDatabase, RegisterFolder, register_in
from hipwatch.cli.reports import month_with_events, read_from
from monitor.bulletin.build import listed_units
from monitor.ledger.database import open_database
from monitor.paging.month_history import month_history
from schemas.errors import HipwatchError
from schemas.period import Period


def history(
    period: Annotated[str, typer.Option(envvar="HIPWATCH_PERIOD", help="The month, YYYY-MM.")],
    to_file: Annotated[
        Path | None,
        typer.Option("--out", "--output", "-o", envvar="HIPWATCH_OUTPUT", help="Write it to this file.", dir_okay=False),
    ] = None,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """Write a past month as OpenMetrics, one sample a day, for promtool: dashboards then show it at its own dates."""
    register = register_in(register_folder)
    month = Period.parse(period)
    engine = open_database(read_from(database), create=False)
    units = listed_units(month_with_events(engine, month), register)
    pieces = month_history(engine, register, month, units)
    if to_file is None:
        sys.stdout.writelines(pieces)
        return
    try:
        with to_file.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
    except OSError as error:
        raise HipwatchError(f"{to_file} cannot be written: {error.strerror}") from None
