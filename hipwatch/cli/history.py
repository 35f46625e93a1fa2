"""`hipwatch history`: a month that is past, for Prometheus to take in. Shell."""

from pathlib import Path
from typing import Annotated

import typer

from hipwatch.cli.options import ReadDatabase, RegisterFolder, register_in
from hipwatch.cli.reports import month_with_events, read_from, write_out
from monitor.bulletin.build import listed_units
from monitor.ledger.database import open_database
from monitor.paging.month_history import month_history
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
    write_out(month_history(engine, register, month, units), to_file)
