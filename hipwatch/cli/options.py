"""Command-line options that several commands share; each has an environment variable."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from broker.connection import KafkaConnection
from schemas.errors import HipwatchError
from schemas.register import Register, load_register, read_register
from schemas.visible import visible

_LARGEST_PORT: Final = 65_535
_LONGEST_PREFIX: Final = 200
"""Characters; with the rest of its name a topic may have 249."""

Bootstrap = Annotated[str, typer.Option(envvar="HIPWATCH_BOOTSTRAP", help="Kafka broker(s), HOST:PORT[,HOST:PORT…].")]
OwnBootstrap = Annotated[
    str | None,
    typer.Option(envvar="HIPWATCH_BOOTSTRAP", help="Your Kafka broker(s), HOST:PORT[,…]. Without it an embedded one is started."),
]
TopicPrefix = Annotated[str, typer.Option(envvar="HIPWATCH_TOPIC_PREFIX", help="First part of every topic's name.")]
Database = Annotated[
    str,
    typer.Option(envvar="HIPWATCH_DATABASE", help="The ledger: sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."),
]
RunDatabase = Annotated[
    str | None,
    typer.Option(envvar="HIPWATCH_DATABASE", help="The ledger, as a database URL. Without it the run gets a new one of its own."),
]
ReadDatabase = Annotated[
    str | None,
    typer.Option(
        envvar="HIPWATCH_DATABASE",
        help="The ledger, as a database URL. Without it ./hipwatch.db, or else that of the latest replay or demo.",
    ),
]
Group = Annotated[str, typer.Option(envvar="HIPWATCH_GROUP", help="Kafka consumer group; workers of one ledger share it.")]
SessionTimeout = Annotated[
    float,
    typer.Option(envvar="HIPWATCH_SESSION_TIMEOUT", min=0.5, help="Seconds without a heartbeat until others take over."),
]
PeriodOption = Annotated[
    str | None, typer.Option(envvar="HIPWATCH_PERIOD", help="The month, YYYY-MM, instead of the one that the folder says.")
]
RecordsPerEvent = Annotated[
    int | None,
    typer.Option(envvar="HIPWATCH_RECORDS_PER_EVENT", min=1, help="Most documents in one event; 1 is one event per document."),
]
DaySeconds = Annotated[
    float | None,
    typer.Option(envvar="HIPWATCH_DAY_SECONDS", min=0.001, help="Time-lapse: seconds that a day takes. Without it, full speed."),
]
Seed = Annotated[int | None, typer.Option(envvar="HIPWATCH_SEED", min=0, help="Seed of the simulator.")]
RhythmsFile = Annotated[
    Path | None,
    typer.Option("--rhythms", envvar="HIPWATCH_RHYTHMS", help="TOML file with what is expected of the units, and when."),
]
TargetsFile = Annotated[
    Path | None,
    typer.Option("--targets", envvar="HIPWATCH_TARGETS", help="TOML file with who is told: robots, webhooks, mailboxes."),
]
LogLevel = Annotated[str, typer.Option(envvar="HIPWATCH_LOG_LEVEL", help="debug, info, warning or error.")]
Columnar = Annotated[
    bool,
    typer.Option(
        "--columnar/--plain",
        envvar="HIPWATCH_COLUMNAR",
        help="Count whole batches at once, or message by message: the same ledger, for much more of the processor.",
    ),
]
Linger = Annotated[
    float,
    typer.Option(
        envvar="HIPWATCH_LINGER",
        min=0,
        max=5,
        help="Seconds to let events come before they are counted, while few come: a transaction costs as much for ten.",
    ),
]
DeadLetterLimit = Annotated[
    float,
    typer.Option(
        envvar="HIPWATCH_DEAD_LETTER_LIMIT",
        min=0,
        max=1,
        help="Stop when more than this share of the units (at least 3, and 500 letters) send dead letters; 0 never stops.",
    ),
]
DeadLetterTopic = Annotated[
    bool,
    typer.Option(
        "--dead-letter-topic/--no-dead-letter-topic",
        envvar="HIPWATCH_DEAD_LETTER_TOPIC",
        help="Publish dead letters to their topic, or keep them in the ledger only.",
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(envvar="HIPWATCH_METRICS_PORT", min=0, max=65535, help="Serve /metrics and /healthz of this worker there."),
]
MetricsHost = Annotated[str, typer.Option(envvar="HIPWATCH_METRICS_HOST", help="Address that --metrics-port listens on.")]
NullKeys = Annotated[
    bool,
    typer.Option(
        "--null-keys/--no-null-keys",
        envvar="HIPWATCH_NULL_KEYS",
        help="Count messages without a key, or set them aside. One whose key is another unit's id is always set aside.",
    ),
]
AcceptSimulated = Annotated[
    bool,
    typer.Option(
        "--accept-simulated/--refuse-simulated",
        envvar="HIPWATCH_ACCEPT_SIMULATED",
        help="Count what `hipwatch simulate` and `replay` have made up, or set it aside.",
    ),
]
KafkaConfig = Annotated[
    Path | None,
    typer.Option(envvar="HIPWATCH_KAFKA_CONFIG", help="TOML file with how to reach Kafka by TLS and SASL."),
]


RegisterFolder = Annotated[
    Path | None,
    typer.Option(
        "--register",
        envvar="HIPWATCH_REGISTER",
        help="Folder with your register: units.csv, tables.csv, forms.csv. Without it the one that ships.",
    ),
]


def register_in(folder: Path | None) -> Register:
    """The register in `folder`, or the one that ships. Raises HipwatchError naming file, line and column."""
    return load_register() if folder is None else read_register(folder)


def kafka_connection(bootstrap: str | None, topic_prefix: str, config: Path | None) -> KafkaConnection:
    """The connection that these options describe; without `bootstrap` it names no broker yet.

    Raises HipwatchError naming what is wrong with an address, the prefix or the file.
    """
    if bootstrap is None:
        bootstrap = ""
    else:
        _require_addresses(bootstrap)
    if not re.fullmatch(rf"[A-Za-z0-9._-]{{1,{_LONGEST_PREFIX}}}", topic_prefix):
        raise HipwatchError(f"'{topic_prefix}' cannot begin a topic's name: use letters, digits, '.', '_' and '-'")
    if config is None:
        return KafkaConnection(bootstrap, topic_prefix)
    from broker.config_file import read_kafka_config

    return KafkaConnection(bootstrap, topic_prefix, read_kafka_config(config))


def _require_addresses(bootstrap: str) -> None:
    """Kafka clients try for seconds to reach what cannot be an address, and some die of it."""
    servers = [server.strip() for server in bootstrap.split(",")]
    if not any(servers):
        raise HipwatchError("--bootstrap names no broker: write HOST:PORT[,HOST:PORT…]")
    for server in filter(None, servers):
        match = re.fullmatch(r"(?:\w+://)?(\[[0-9A-Fa-f:.%]+\]|[^\[\]:\s]+)(?::(\d{1,5}))?", server)
        if match is None or not 0 < int(match[2] or 1) <= _LARGEST_PORT:
            quoted = "what --bootstrap says" if "@" in server else f"'{visible(server)}'"  # a URL with a password, by mistake
            raise HipwatchError(f"{quoted} is not a broker's address: write HOST:PORT, for example localhost:9092")
