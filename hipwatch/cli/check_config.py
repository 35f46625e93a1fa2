"""`check-config`: try every setting without changing anything. Shell."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from broker.connection import KafkaConnection
from broker.topic_faults import topic_faults
from hipwatch.cli.options import (
    Database,
    KafkaConfig,
    OwnBootstrap,
    RegisterFolder,
    RhythmsFile,
    TargetsFile,
    TopicPrefix,
    kafka_connection,
    register_in,
)
from hipwatch.cli.printed import JsonOption, facts_of, say, say_json
from hipwatch.cli.running import duty_code, rhythms_in, webhook_token
from hipwatch.local.prometheus import find_paging
from hipwatch.local.run_folder import DEFAULT_DATABASE
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.database import open_database
from monitor.ledger.database_url import lacks_file, shown_url
from monitor.ledger.versions import NotALedger
from monitor.paging.targets_file import read_targets
from monitor.worker.bounded_records import codec_names
from monitor.worker.broker_topics import TopicMissing, describe_topics
from schemas.errors import HipwatchError
from schemas.register import Register
from schemas.topics import DEFAULT_PREFIX


def check_config_command(
    bootstrap: OwnBootstrap = None,
    database: Database = DEFAULT_DATABASE,
    webhook_token_file: Annotated[
        Path | None, typer.Option(envvar="HIPWATCH_WEBHOOK_TOKEN_FILE", help="File with the webhook's bearer token.")
    ] = None,
    duty_code_file: Annotated[
        Path | None, typer.Option(envvar="HIPWATCH_DUTY_CODE_FILE", help="File with the code of the people on duty.")
    ] = None,
    rhythms: RhythmsFile = None,
    register_folder: RegisterFolder = None,
    targets: TargetsFile = None,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
    as_json: JsonOption = False,
) -> None:
    """Try every setting: files, database, broker, programs. Changes nothing; exit 1 if something is wrong."""
    kafka = None if bootstrap is None else lambda: kafka_connection(bootstrap, topic_prefix, kafka_config)
    results = check_config(
        kafka,
        database,
        lambda: webhook_token(webhook_token_file),
        lambda: duty_code(duty_code_file),
        lambda: rhythms_in(rhythms, register_in(register_folder)),
        lambda: register_in(register_folder),
        targets,
    )
    if as_json:
        say_json(facts_of(results))
    else:
        for result in results:
            say(f"{result.verdict:<8} {result.what}: {result.detail}")
    if any(result.verdict == "wrong" for result in results):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Result:
    """One thing tried. `notice`: it works, but not all of it."""

    verdict: Literal["ok", "notice", "wrong"]
    what: str
    detail: str


def check_config(
    kafka: Callable[[], KafkaConnection] | None,
    database: str,
    token: Callable[[], str | None],
    code: Callable[[], str | None],
    rhythms: Callable[[], Rhythms],
    register: Callable[[], Register],
    targets: Path | None,
) -> list[Result]:
    """Try all settings, each by itself: one that is wrong does not hide the next."""
    broker = _try("broker", lambda: _broker(kafka))
    topics = [] if kafka is None or broker.verdict == "wrong" else [_try("topics", partial(_topics, kafka))]
    return [
        _try("register", lambda: _register(register())),
        _try("rhythms", lambda: _rhythms(rhythms())),
        _try("database", lambda: _database(database)),
        broker,
        *topics,
        _try("codecs", _codecs),
        _try("webhook token", lambda: _secret(token(), "serve refuses Alertmanager's deliveries")),
        _try("duty code", lambda: _secret(code(), "incidents are acknowledged by command only")),
        _try("paging", _paging),
        _try("targets", lambda: _targets(targets)),
    ]


def _try(what: str, action: Callable[[], tuple[Literal["ok", "notice"], str]]) -> Result:
    try:
        verdict, detail = action()
    except HipwatchError as error:
        return Result("wrong", what, str(error))
    return Result(verdict, what, detail)


def _register(register: Register) -> tuple[Literal["ok"], str]:
    tables = ", ".join(f"{len(register.required_tables(kind))} tables for {kind}s" for kind in register.kinds)
    return "ok", f"{len(register.units)} units, {tables}, {len(register.forms)} realtime forms"


def _rhythms(rhythms: Rhythms) -> tuple[Literal["ok"], str]:
    own = len(rhythms.units)
    hours = ", ".join(f"{item.name} {getattr(rhythms.default, item.name):g}" for item in fields(rhythms.default))
    return "ok", f"{hours} (hours), {own} unit{'' if own == 1 else 's'} with a rhythm of their own"


def _database(url: str) -> tuple[Literal["ok", "notice"], str]:
    shown = shown_url(url)
    if lacks_file(url):
        return "notice", f"{shown} does not exist yet; a worker makes it"
    try:
        open_database(url, create=False).dispose()
    except NotALedger as error:
        if error.others:
            raise
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


def _topics(connection: Callable[[], KafkaConnection]) -> tuple[Literal["ok", "notice"], str]:
    faults = topic_faults(connection())
    if faults:
        return "notice", "; ".join(found.sentence for found in faults)
    return "ok", "as hipwatch makes them"


def _codecs() -> tuple[Literal["ok"], str]:
    return "ok", f"messages are read that come packed in {', '.join(codec_names())}"


def _secret(secret: str | None, without: str) -> tuple[Literal["ok", "notice"], str]:
    return ("notice", f"none is set: {without}") if secret is None else ("ok", "set")


def _paging() -> tuple[Literal["ok", "notice"], str]:
    programs = find_paging()
    if programs is None:
        return "notice", "prometheus or alertmanager is not on PATH: the demo runs without alerts"
    return "ok", " and ".join(programs)


def _targets(file: Path | None) -> tuple[Literal["ok", "notice"], str]:
    if file is None:
        return "notice", "no targets file: robots and mailboxes are told nothing"
    return "ok", ", ".join(f"{target.name} ({target.kind})" for target in read_targets(file))
