"""The command `canary`. Shell."""

from typing import Annotated

import typer

from hipwatch.cli.log_lines import log_level_named, set_up_log
from hipwatch.cli.options import Bootstrap, KafkaConfig, LogLevel, TopicPrefix, kafka_connection
from ingest.canary import EVERY_SECONDS, send_canaries
from monitor.process import stop_on_signal
from schemas.topics import DEFAULT_PREFIX


def canary(
    bootstrap: Bootstrap,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
    every: Annotated[
        float,
        typer.Option(
            envvar="HIPWATCH_CANARY_EVERY",
            min=0.1,
            max=EVERY_SECONDS,
            help="Seconds from one event to the next; the alert counts on a minute, or less.",
        ),
    ] = EVERY_SECONDS,
    log_level: LogLevel = "info",
) -> None:
    """Send an event a minute into every partition, from a unit that does not exist, until SIGTERM or Ctrl-C."""
    set_up_log(log_level_named(log_level))
    stopping = stop_on_signal()
    send_canaries(kafka_connection(bootstrap, topic_prefix, kafka_config), stopping.is_set, stopping.wait, every)
