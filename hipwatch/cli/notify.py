"""`hipwatch notify`: check a targets file, and send a test message, or show its very bytes. Shell."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from monitor.paging.channels.all import CHANNELS
from monitor.paging.channels.channel import HttpRequest, MailRequest, Request, Verdict
from monitor.paging.message import Item, Message, MessageKind, Now, Severity
from monitor.paging.sender import per_minute
from monitor.paging.target import PAGES_ONLY, Target
from monitor.paging.targets_file import read_targets
from monitor.paging.transport import send
from schemas.errors import HipwatchError

notify = typer.Typer(no_args_is_help=True, help="Robots, webhooks and mailboxes: check the targets file, send a test message.")
TargetsFile = Annotated[
    Path | None, typer.Option("--targets", envvar="HIPWATCH_TARGETS", help="TOML file with the targets, as serve reads it.")
]
_HIDDEN: Final = "***"


@notify.command()
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="The targets file.")]) -> None:
    """Read a targets file with all its secrets, and say what each target would be told. Sends nothing."""
    targets = read_targets(file)
    for target in targets:
        routes = "pages" if target.routes == PAGES_ONLY else f"{len(target.routes)} routes"
        routes += f", a summary at {target.summary_at:%H:%M}" if target.summary_at else ""
        quiet = f", quiet {target.quiet.start:%H:%M}–{target.quiet.end:%H:%M} but for pages" if target.quiet else ""
        typer.echo(f"ok  {target.name}: {target.kind}, {_host(target)}, {routes}, {per_minute(target)} a minute{quiet}")
    if not any(target.summary_at for target in targets) and not any(map(_takes_tickets, targets)):
        typer.echo('nobody is told of tickets: give a target `summary_at`, or a route with severity = ["page", "ticket"]')


@notify.command(name="test")
def send_test(
    name: Annotated[str, typer.Argument(metavar="TARGET", help="The target's name in the file.")],
    targets: TargetsFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the very bytes, send nothing.")] = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show the URL's key and signature too.")] = False,
    like: Annotated[str, typer.Option("--like", help="test, alert, storm or recovery: what the message looks like.")] = "test",
) -> None:
    """Send a test message to one target, and say what it answered. Exit 1 if it was not delivered."""
    target = _named(name, targets)
    now = Now(datetime.now(UTC), datetime.now(UTC))
    request = CHANNELS[target.kind].render(sample(like, now), target, now)
    if dry_run:
        for line in shown(request, secrets=show_secrets):
            typer.echo(line)
        return
    answer = send(request, target)
    typer.echo(f"{target.name}: {answer.verdict.value}{f' ({answer.reason})' if answer.reason else ''}")
    if answer.verdict is not Verdict.DELIVERED:
        raise typer.Exit(1)


def sample(like: str, now: Now) -> Message:
    """A message as it would be sent; every one says that it is a test. Raises HipwatchError."""
    if like == "test":
        said_zh, said_en = "这是一条测试消息：收到即说明通道可用。", "This is a test: who reads it can be reached."
        return Message(
            kind=MessageKind.TEST,
            title_zh="【测试】hipwatch 通知通道",
            title_en="[TEST] hipwatch",
            lines_zh=(said_zh,),
            lines_en=(said_en,),
            created_at=now.wall,
        )
    counts = {"alert": 1, "storm": 72, "recovery": 1}
    if like not in counts:
        raise HipwatchError(f"'{like}' is not test, alert, storm or recovery")
    items = tuple(_sample_item(number, now, over=like == "recovery") for number in range(1, counts[like] + 1))
    return Message(
        kind=MessageKind.RECOVERED if like == "recovery" else MessageKind.OPENED,
        alertname="UnitFeedSilent",
        severity=Severity.PAGE,
        scope="unit",
        feed="realtime",
        items=items,
        created_at=now.wall,
    )


def shown(request: Request, *, secrets: bool) -> list[str]:
    """The request as it goes out. Without `secrets`, the URL's query and the last part of its path are hidden."""
    if isinstance(request, MailRequest):
        return [request.mail.as_string()]
    head = [f"POST {request.url if secrets else _masked(request)}"]
    hidden = ("Authorization",)
    head += [f"{name}: {value if secrets or name not in hidden else _HIDDEN}" for name, value in request.headers.items()]
    return [*head, "", request.body.decode()]


def _sample_item(number: int, now: Now, *, over: bool) -> Item:
    return Item(
        unit_id=f"test-{number}",
        name_zh=f"测试单位{number}（演练）",
        name_en=f"Test unit {number} (drill)",
        feed="realtime",
        since=now.wall,
        until=now.wall if over else None,
    )


def _masked(request: HttpRequest) -> str:
    parts = urlsplit(request.url)
    path = parts.path.rpartition("/")[0]
    return f"{parts.scheme}://{parts.netloc}{path}/{_HIDDEN}{f'?{_HIDDEN}' if parts.query else ''}"


def _takes_tickets(target: Target) -> bool:
    """Whether a route of it lets tickets through, of whatever else."""
    return any(not route.severity or Severity.TICKET in route.severity for route in target.routes)


def _named(name: str, file: Path | None) -> Target:
    if file is None:
        raise HipwatchError("name the targets file: --targets FILE or HIPWATCH_TARGETS")
    targets = read_targets(file)
    found = next((target for target in targets if target.name == name), None)
    if found is None:
        raise HipwatchError(f"{file} has no target '{name}'; it has {', '.join(target.name for target in targets)}")
    return found


def _host(target: Target) -> str:
    return urlsplit(target.url).netloc if target.mail is None else f"{target.mail.host}:{target.mail.port}"
