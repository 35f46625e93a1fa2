"""A worker, wired: settings in, a running worker out. Shell; imports nothing of what serves pages."""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from kafka.errors import KafkaError

from broker.topic_faults import topic_faults
from monitor.counting.dead_letter_limit import DeadLetterLimit
from monitor.file_watch import watching
from monitor.ledger.append import Ledger
from monitor.ledger.database import Engine, closing_engine, open_database
from monitor.ledger.database_url import shown_url
from monitor.ledger.dead_letters import DeadLetters
from monitor.process import stop_on_signal
from monitor.settings import WorkerSettings
from monitor.worker.broker_topics import describe_topics
from monitor.worker.columnar_decoding import ColumnarDecoding
from monitor.worker.dead_letter_publisher import DeadLetterPublisher
from monitor.worker.decoding import decode_batch
from monitor.worker.health_page import serve_health
from monitor.worker.kafka_source import KafkaSource
from monitor.worker.kept_memory import keep_memory
from monitor.worker.loop import Worker
from monitor.worker.record_batches import difference
from monitor.worker.source import Source
from monitor.worker.worker_metrics import WorkerMetrics
from schemas.errors import HipwatchError
from schemas.register.folder import SHIPPED
from schemas.register.live import LiveRegister

log = logging.getLogger(__name__)
_HEARTBEATS: Final = 5
"""Kafka hears of a worker while it polls, and has to several times in a session's length."""


def run_worker(settings: WorkerSettings) -> None:
    """Count until SIGTERM or SIGINT.

    Raises HipwatchError when broker, topics or database cannot be used at the start, and when the broker refuses us later.
    """
    keep_memory()
    stopping = stop_on_signal()
    with build_worker(settings, stopping=stopping.is_set, rest=stopping.wait) as worker:
        log.info("counting from %s into %s", settings.kafka.bootstrap, shown_url(settings.database))
        gc.freeze()  # what is there now stays: whenever a batch makes many rows, the garbage collector would look through it
        try:
            worker.run()
        except KafkaError as error:  # one that is away is waited for: this one answers, and does not let us read
            raise HipwatchError(f"the broker {settings.kafka.bootstrap} refuses: {error}") from error


@contextmanager
def build_worker(
    settings: WorkerSettings,
    *,
    stopping: Callable[[], bool],
    rest: Callable[[float], object] = time.sleep,
    source: Source | None = None,
    publish: Callable[[], None] | None = None,
    live: LiveRegister | None = None,
) -> Iterator[Worker]:
    """A worker, wired. Tests hand in what they want to replace; whatever is made here is closed in the end."""
    live = live or LiveRegister(settings.register_folder or SHIPPED)
    with closing_engine(open_database(settings.database, create=True)) as engine, ExitStack() as stack:
        stack.enter_context(watching(live))
        ledger = Ledger(engine, live)
        columnar = settings.columnar and _can_be_columnar()
        source = source or stack.enter_context(_kafka_source(settings, ledger, columnar))
        if publish is None:
            publish = stack.enter_context(_publisher(settings, engine))
        metrics = WorkerMetrics()
        metrics.columnar.set(columnar)
        if settings.metrics_port is not None:
            port = stack.enter_context(serve_health(metrics, settings.metrics_host, settings.metrics_port))
            log.info("metrics and health at http://%s:%d/metrics and /healthz", settings.metrics_host, port)
        limit = DeadLetterLimit(settings.dead_letter_limit, live)
        linger = min(settings.linger_seconds, settings.session_timeout_ms / 1000 / _HEARTBEATS)
        _note_topic_faults(settings, metrics)
        yield Worker(
            source,
            ledger,
            publish,
            lambda: live.register,
            limit,
            stopping,
            null_keys=settings.null_keys,
            simulated=settings.accept_simulated,
            decode=ColumnarDecoding() if columnar else decode_batch,
            linger=linger,
            rest=rest,
            metrics=metrics,
        )


def _note_topic_faults(settings: WorkerSettings, metrics: WorkerMetrics) -> None:
    """Say what is wrong with the topics, and count on: a topic that is set up otherwise is better than none."""
    for found in topic_faults(settings.kafka) if settings.kafka.bootstrap else []:
        log.warning("%s", found.sentence)
        metrics.topic_faults.labels(found.name, str(found.fault)).set(1)


def _can_be_columnar() -> bool:
    """Whether the inside of this kafka-python is one that we know; else messages are read one by one."""
    found = difference()
    if found is not None:
        log.warning("counting message by message: this kafka-python hands out whole batches otherwise (%s)", found)
    return found is None


@contextmanager
def _kafka_source(settings: WorkerSettings, ledger: Ledger, whole_batches: bool) -> Iterator[KafkaSource]:
    topics = describe_topics(settings.kafka)
    for info in topics:
        ledger.register_partitions(info.topic, info.topic_id, info.partitions)
    source = KafkaSource(
        settings.kafka,
        topics,
        group=settings.group,
        session_timeout_ms=settings.session_timeout_ms,
        whole_batches=whole_batches,
    )
    try:
        yield source
    finally:
        source.close()


@contextmanager
def _publisher(settings: WorkerSettings, engine: Engine) -> Iterator[Callable[[], None]]:
    if not settings.publish_dead_letters:
        yield lambda: None  # they stay in the ledger
        return
    with DeadLetterPublisher(settings.kafka, DeadLetters(engine)) as publisher:
        yield publisher.publish
