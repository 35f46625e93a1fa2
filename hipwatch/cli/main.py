"""The `hipwatch` command: options in, one call into a room, text out. Shell.

A command's module is imported when the command is called: most of them import half the packages that are installed, and
`--help` needs none of these.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

from hipwatch.interrupt import dying_quietly

_NAME: Final = "hipwatch"
_UPKEEP: Final = "Upkeep"
_FINDINGS: Final = "Findings"


class _Command(NamedTuple):
    """Where a command is (`module:name`, in this folder), and its help as the list of commands shows it."""

    place: str
    help: str
    panel: str | None = None


COMMANDS: Final = {
    "demo": _Command(
        "running:demo",
        "The whole way of a month on this machine, in time-lapse: units, broker, ledger, Prometheus, alerts. No Docker.",
    ),
    "replay": _Command(
        "months:replay",
        "Play a month through a real broker into the ledger and, with --verify, compare every printed cell with it.",
    ),
    "simulate": _Command(
        "months:simulate",
        "Only publish: the units of a month send what they sent, to your broker. May be stopped and run again.",
    ),
    "worker": _Command("worker:worker", "Count events into the ledger, until SIGTERM or Ctrl-C. Start as many as you like."),
    "serve": _Command(
        "running:serve",
        "The web process: the page of all units at /, /metrics, Alertmanager's webhook, messages to the targets. Until Ctrl-C.",
    ),
    "canary": _Command(
        "canary:canary",
        "Send an event a minute into every partition, from a unit that does not exist, until SIGTERM or Ctrl-C.",
    ),
    "report": _Command(
        "reports:report", "Print the month's district and hospital tables, from the ledger. Amounts are thousand yuan."
    ),
    "history": _Command(
        "history:history",
        "Write a past month as OpenMetrics, one sample a day, for promtool: dashboards then show it at its own dates.",
    ),
    "incidents": _Command(
        "incidents:incidents", "The incidents: every alert that was delivered, opened, acknowledged and closed."
    ),
    "explain": _Command("judged:explain", "What is expected of a unit, since when it is overdue, and why: in plain words."),
    "rhythms": _Command(
        "judged:rhythms",
        "What is expected of every unit, set or learned, as the file that --rhythms takes: kept so, it is frozen.",
    ),
    "flips": _Command("judged:flips", "Every silence of a unit's feed: overdue since, until, last upload before."),
    "notify": _Command("notify:notify", "Robots, webhooks and mailboxes: check the targets file, send a test message."),
    "check-config": _Command(
        "check_config:check_config_command",
        "Try every setting: files, database, broker, programs. Changes nothing; exit 1 if something is wrong.",
    ),
    "register": _Command("register:register_commands", "Who has to upload what, and since when: your own units, tables, forms."),
    "findings": _Command(
        "findings:findings", "What is wrong with whom since when: every finding of the rules, opened and closed.", _FINDINGS
    ),
    "calls": _Command("findings:calls", "Whom to call, most urgent first: one line a unit, and what to say.", _FINDINGS),
    "summary": _Command(
        "findings:summary",
        "The day in words: what changed in 24 hours, what is open, who is new, how we are ourselves.",
        _FINDINGS,
    ),
    "owed": _Command(
        "findings:owed", "Which tables and forms a unit owes for which dates, by its own habits and no others.", _FINDINGS
    ),
    "score": _Command(
        "findings:score",
        "Every unit's month in one number: timeliness, completeness, consistency; the formula beside it.",
        _FINDINGS,
    ),
    "forecast": _Command(
        "findings:forecast",
        "What the running month will come to, if every unit goes on as it does: days, forms, records.",
        _FINDINGS,
    ),
    "dead-letters": _Command(
        "dead_letters:dead_letters", "Messages that could not be counted: list, show, replay after a fix, discard.", _UPKEEP
    ),
    "unknown-senders": _Command(
        "unknown_senders:unknown_senders",
        "List who sent under an id that the register did not have: id, messages, first and last time of receipt.",
        _UPKEEP,
    ),
    "gaps": _Command(
        "upkeep:gaps",
        "What to ask the units to send again: missing sequence numbers by unit and topic. Exit 0 also when there are some.",
        _UPKEEP,
    ),
    "recount": _Command(
        "upkeep:recount",
        "Count the month again from Kafka into a scratch ledger, and compare every sum with the live one; exit 1 if one differs.",
        _UPKEEP,
    ),
    "prune": _Command(
        "upkeep:prune",
        "Delete old details: receipts, hours of activity, settled dead letters, closed incidents. The sums stay.",
        _UPKEEP,
    ),
    "db": _Command("upkeep:db", "The ledger's tables.", _UPKEEP),
}
"""In the order in which they are listed."""


class _Imported(TyperGroup):
    """Commands of which only name and help are known until one is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name in COMMANDS else command, rest


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{_NAME} {version(_NAME)}")
        raise typer.Exit


app = typer.Typer(
    name=_NAME,
    cls=_Imported,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Ingestion monitor for a regional health-information platform: who uploaded what, who fell silent, "
    "proven from the events.",
)


@app.callback()
def _whole(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


for _name, _command in COMMANDS.items():
    app.command(_name, help=_command.help, rich_help_panel=_command.panel)(lambda: None)


def load_command(name: str) -> Any:
    """A command with all its options: what `typer.main.get_command` makes of it."""
    module, attribute = COMMANDS[name].place.split(":")
    with dying_quietly():
        found = getattr(import_module(f"hipwatch.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(pretty_exceptions_enable=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


def load_all() -> Any:
    """The whole command, every part with its options."""
    whole: Any = typer.main.get_command(app)
    whole.commands = {name: load_command(name) for name in COMMANDS}
    return whole
