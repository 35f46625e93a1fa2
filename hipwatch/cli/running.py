"""Commands that run something: demo, serve. Shell."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hipwatch import demo as demo_run
from hipwatch.cli.log_lines import log_level_named, set_up_log
from hipwatch.cli.months import interruptible, scenario_of
from hipwatch.cli.options import (
    Database,
    LogLevel,
    RegisterFolder,
    RhythmsFile,
    TargetsFile,
    register_in,
)
from hipwatch.local.run_folder import DEFAULT_DATABASE, new_run
from monitor.app.web import run_web
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.rhythms_file import read_rhythms
from monitor.settings import (
    DEFAULT_PORT,
    ServeSettings,
)
from schemas.clock import start_of_day
from schemas.errors import HipwatchError
from schemas.register import Register

_FIRST_SCENARIO = "2024-09"
_DEMO_DAY_SECONDS = 2.0
_SHORTEST_CODE = 12
_stdout = Console()
_stderr = Console(stderr=True)


def demo(
    period: Annotated[
        str, typer.Option(envvar="HIPWATCH_DEMO_PERIOD", help="Which shipped month, or a scenario's folder.")
    ] = _FIRST_SCENARIO,
    day_seconds: Annotated[
        float, typer.Option(envvar="HIPWATCH_DAY_SECONDS", min=0.1, help="Seconds that a day takes.")
    ] = _DEMO_DAY_SECONDS,
    once: Annotated[
        bool, typer.Option("--once", envvar="HIPWATCH_ONCE", help="End when the month is over; exit 0 only if every check held.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(envvar="HIPWATCH_PORT", help="Port of the page. Without it 8080, or a free one.", min=1, max=65535),
    ] = None,
    register_folder: RegisterFolder = None,
) -> None:
    """The whole way of a month on this machine, in time-lapse: units, broker, ledger, Prometheus, alerts. No Docker."""
    register = register_in(register_folder)
    scenario = scenario_of(period, register, None, None, day_seconds, None)
    with interruptible():
        held = demo_run.run_demo(
            scenario, register, new_run("demo"), register_folder=register_folder, once=once, web_port=port, console=_stdout
        )
    if not held:
        raise typer.Exit(1)


def serve(
    database: Database = DEFAULT_DATABASE,
    host: Annotated[str, typer.Option(envvar="HIPWATCH_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="HIPWATCH_PORT", min=1, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    webhook_token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="HIPWATCH_WEBHOOK_TOKEN_FILE",
            help="File with the bearer token that Alertmanager sends (or HIPWATCH_WEBHOOK_TOKEN).",
        ),
    ] = None,
    duty_code_file: Annotated[
        Path | None,
        typer.Option(
            envvar="HIPWATCH_DUTY_CODE_FILE",
            help="File with the code that people on duty type to take care of an incident on its page (or HIPWATCH_DUTY_CODE).",
        ),
    ] = None,
    refresh: Annotated[
        float,
        typer.Option(
            envvar="HIPWATCH_REFRESH", min=0.1, help="Seconds between readings of the ledger; more where one takes long."
        ),
    ] = 1.0,
    stall_after: Annotated[
        float, typer.Option(envvar="HIPWATCH_STALL_AFTER", min=1, help="Seconds that the platform clock may stand still.")
    ] = 3600.0,
    stale_after: Annotated[
        float, typer.Option(envvar="HIPWATCH_STALE_AFTER", min=1, help="Seconds that the last reading of the ledger may be old.")
    ] = 120.0,
    watchdog_after: Annotated[
        float, typer.Option(envvar="HIPWATCH_WATCHDOG_AFTER", min=1, help="Seconds that the Watchdog alert may stay away.")
    ] = 300.0,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            envvar="HIPWATCH_ALLOWED_HOSTS",
            help="A full name by which the page may be called, as often as needed; addresses and names without a dot always may.",
        ),
    ] = None,
    rhythms: RhythmsFile = None,
    register_folder: RegisterFolder = None,
    targets: TargetsFile = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            envvar="HIPWATCH_UNTIL",
            formats=["%Y-%m-%d"],
            help="Day from whose beginning on nothing is judged: a month that is played ends there, and its units send no more.",
        ),
    ] = None,
    canary: Annotated[
        bool,
        typer.Option(
            "--canary/--no-canary",
            envvar="HIPWATCH_CANARY",
            help="`hipwatch canary` is sending: let CanaryLate fire when its events do not arrive.",
        ),
    ] = False,
    log_level: LogLevel = "info",
) -> None:
    """The web process: the page of all units at /, /metrics, Alertmanager's webhook, messages to the targets. Until Ctrl-C."""
    set_up_log(log_level_named(log_level))
    run_web(
        ServeSettings(
            database,
            host,
            port,
            webhook_token(webhook_token_file),
            timedelta(seconds=refresh),
            timedelta(seconds=stall_after),
            timedelta(seconds=stale_after),
            watchdog_after=timedelta(seconds=watchdog_after),
            allowed_hosts=allowed_host or (),
            rhythms=rhythms_in(rhythms, register_in(register_folder)),
            register_folder=register_folder,
            targets_file=targets,
            until=None if until is None else start_of_day(until.date()),
            duty_code=duty_code(duty_code_file),
            canary=canary,
        )
    )


def webhook_token(path: Path | None) -> str | None:
    """The token in `path` or in HIPWATCH_WEBHOOK_TOKEN. Raises HipwatchError if empty."""
    return _secret(path, "HIPWATCH_WEBHOOK_TOKEN", "webhook token")


def duty_code(path: Path | None) -> str | None:
    """The code in `path` or in HIPWATCH_DUTY_CODE. Raises HipwatchError if empty, or so short that it can be guessed."""
    code = _secret(path, "HIPWATCH_DUTY_CODE", "duty code")
    if code is not None and len(code) < _SHORTEST_CODE:
        raise HipwatchError(f"the duty code has {len(code)} characters; with fewer than {_SHORTEST_CODE} it can be guessed")
    return code


def _secret(path: Path | None, variable: str, what: str) -> str | None:
    """A secret from its file or from the environment; never from the command line. Raises HipwatchError if empty."""
    if path is None:
        return os.environ.get(variable) or None
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HipwatchError(f"the {what} file {path} cannot be read: {error}") from None
    if not secret:
        raise HipwatchError(f"the {what} file {path} is empty")
    return secret


def rhythms_in(path: Path | None, register: Register) -> Rhythms:
    """The rhythms that a file says; the defaults without one."""
    return read_rhythms(path, register) if path else Rhythms()
