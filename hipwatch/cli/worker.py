"""The command `worker`. Shell."""

from broker.topics import ensure_topics
from hipwatch.cli.log_lines import log_level_named, set_up_log
from hipwatch.cli.options import (
    AcceptSimulated,
    Bootstrap,
    Columnar,
    Database,
    DeadLetterLimit,
    DeadLetterTopic,
    Group,
    KafkaConfig,
    Linger,
    LogLevel,
    MetricsHost,
    MetricsPort,
    NullKeys,
    RegisterFolder,
    SessionTimeout,
    TopicPrefix,
    kafka_connection,
    register_in,
)
from hipwatch.local.run_folder import DEFAULT_DATABASE
from monitor.app.worker import run_worker
from monitor.counting.dead_letter_limit import DEFAULT_LIMIT
from monitor.settings import DEFAULT_GROUP, DEFAULT_LINGER_SECONDS, DEFAULT_SESSION_TIMEOUT_MS, WorkerSettings
from schemas.topics import DEFAULT_PREFIX


def worker(
    bootstrap: Bootstrap,
    database: Database = DEFAULT_DATABASE,
    group: Group = DEFAULT_GROUP,
    session_timeout: SessionTimeout = DEFAULT_SESSION_TIMEOUT_MS / 1000,
    topic_prefix: TopicPrefix = DEFAULT_PREFIX,
    kafka_config: KafkaConfig = None,
    dead_letter_limit: DeadLetterLimit = DEFAULT_LIMIT,
    dead_letter_topic: DeadLetterTopic = True,
    linger: Linger = DEFAULT_LINGER_SECONDS,
    register_folder: RegisterFolder = None,
    null_keys: NullKeys = True,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    columnar: Columnar = True,
    accept_simulated: AcceptSimulated = False,
    log_level: LogLevel = "info",
) -> None:
    """Count events into the ledger, until SIGTERM or Ctrl-C. Start as many as you like."""
    kafka = kafka_connection(bootstrap, topic_prefix, kafka_config)
    register_in(register_folder)  # a broken one is told before anything else is tried
    level = log_level_named(log_level)
    ensure_topics(kafka)  # before the log begins: one sentence says why no broker answers, the Kafka client needs thirty
    set_up_log(level)
    session_ms = int(session_timeout * 1000)
    run_worker(
        WorkerSettings(
            kafka,
            database,
            group,
            session_ms,
            dead_letter_limit,
            linger,
            dead_letter_topic,
            register_folder=register_folder,
            null_keys=null_keys,
            metrics_host=metrics_host,
            metrics_port=metrics_port,
            columnar=columnar,
            accept_simulated=accept_simulated,
        )
    )
