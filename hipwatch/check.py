"""`check-config`: try every setting without changing anything. Shell."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from hipwatch.paging import find_paging
from monitor.database import open_database
from monitor.deadlines import Rhythms
from monitor.source import TopicMissing, describe_topics
from monitor.table_versions import NotALedger
from schemas.connection import KafkaConnection
from schemas.errors import HipwatchError
from schemas.register import UnitKind, load_register


@dataclass(frozen=True)
class Result:
    """One thing tried. `notice`: it works, but not all of it."""

    verdict: Literal["ok", "notice", "wrong"]
    what: str
    detail: str


def check_config(
    kafka: Callable[[], KafkaConnection] | None, database: str, token: Callable[[], str | None], rhythms: Callable[[], Rhythms]
) -> list[Result]:
    """Try all settings, each by itself: one that is wrong does not hide the next."""
    return [
        _try("register", _register),
        _try("rhythms", lambda: _rhythms(rhythms())),
        _try("database", lambda: _database(database)),
        _try("broker", lambda: _broker(kafka)),
        _try("webhook token", lambda: _token(token())),
        _try("paging", _paging),
    ]


def _try(what: str, action: Callable[[], tuple[Literal["ok", "notice"], str]]) -> Result:
    try:
        verdict, detail = action()
    except HipwatchError as error:
        return Result("wrong", what, str(error))
    return Result(verdict, what, detail)


def _register() -> tuple[Literal["ok"], str]:
    register = load_register()
    tables = ", ".join(f"{len(register.required_tables(kind))} tables for {kind}s" for kind in UnitKind)
    return "ok", f"{len(register.units)} units, {tables}, {len(register.forms)} realtime forms"


def _rhythms(rhythms: Rhythms) -> tuple[Literal["ok"], str]:
    own = len(rhythms.units)
    hours = ", ".join(f"{item.name} {getattr(rhythms.default, item.name):g}" for item in fields(rhythms.default))
    return "ok", f"{hours} (hours), {own} unit{'' if own == 1 else 's'} with a rhythm of their own"


def _database(url: str) -> tuple[Literal["ok", "notice"], str]:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise HipwatchError(f"'{url}' is not a database URL") from None
    shown = parsed.render_as_string(hide_password=True)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
        return "notice", f"{shown} does not exist yet; a worker makes it"
    try:
        open_database(url, create=False).dispose()
    except NotALedger:
        return "notice", f"{shown} has no tables yet; a worker makes them"
    return "ok", shown


def _broker(connection: Callable[[], KafkaConnection] | None) -> tuple[Literal["ok", "notice"], str]:
    if connection is None:
        return "notice", "none is set: demo and replay start an embedded one, worker and simulate need --bootstrap"
    kafka = connection()
    try:
        topics = describe_topics(kafka)
    except TopicMissing as missing:
        return "notice", str(missing)
    return "ok", f"{kafka.bootstrap} answers and has the topics, {sum(len(t.partitions) for t in topics)} partitions"


def _token(token: str | None) -> tuple[Literal["ok", "notice"], str]:
    if token is None:
        return "notice", "none is set: serve refuses Alertmanager's deliveries"
    return "ok", "set"


def _paging() -> tuple[Literal["ok", "notice"], str]:
    programs = find_paging()
    if programs is None:
        return "notice", "prometheus or alertmanager is not on PATH: the demo runs without alerts"
    return "ok", " and ".join(programs)
