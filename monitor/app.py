"""The monitor's composition root: settings in, running worker or web process out. Shell; nothing is wired elsewhere."""

import logging
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Final

import uvicorn
from kafka.errors import KafkaError

from monitor.budget import LetterBudget
from monitor.consumer import Worker
from monitor.database import open_database
from monitor.ledger import Ledger
from monitor.letter_publisher import DeadLetterPublisher
from monitor.letters import Letters
from monitor.settings import ServeSettings, WorkerSettings
from monitor.source import KafkaSource, describe_topics
from monitor.watch import Watch
from monitor.web.site import build_site
from schemas.errors import HipwatchError
from schemas.register import load_register

log = logging.getLogger(__name__)
_STOP_SECONDS: Final = 8.0
"""How long an orderly stop may take; supervisors commonly kill after ten."""


def run_worker(settings: WorkerSettings) -> None:
    """Count until SIGTERM or SIGINT.

    Raises HipwatchError when broker, topics or database cannot be used at the start, and when the broker refuses us later.
    """
    engine = open_database(settings.database, create=True)
    ledger = Ledger(engine)
    topics = describe_topics(settings.kafka)
    for info in topics:
        ledger.register_partitions(info.topic, info.topic_id, info.partitions)
    stopping = _stop_on_signal()
    source = KafkaSource(settings.kafka, topics, group=settings.group, session_timeout_ms=settings.session_timeout_ms)
    try:
        with DeadLetterPublisher(settings.kafka, Letters(engine)) as publisher:
            log.info("counting from %s into %s", settings.kafka.bootstrap, engine.url.render_as_string(hide_password=True))
            budget = LetterBudget(settings.dead_letter_limit)
            publish = publisher.publish if settings.publish_letters else _publish_nothing
            Worker(source, ledger, publish, load_register(), budget, stopping.is_set).run()
    except KafkaError as error:  # one that is away is waited for: this one answers, and does not let us read
        raise HipwatchError(f"the broker {settings.kafka.bootstrap} refuses: {error}") from error
    finally:
        source.close()
        engine.dispose()


def _publish_nothing() -> None:
    """For a worker whose dead letters stay in its ledger."""


def run_web(settings: ServeSettings) -> None:
    """Serve page, metrics and webhook until SIGTERM or SIGINT. Raises HipwatchError on a port in use or a bad database."""
    listener = _listen(settings.host, settings.port)
    engine = open_database(settings.database, create=True)
    watch = Watch(engine, load_register(), settings.rhythms, settings.refresh, settings.watchdog_after)
    watch.start()
    try:
        site = build_site(engine, watch, settings)
        config = uvicorn.Config(site, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=3)
        log.info("serving http://%s:%d/", settings.host, settings.port)
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        watch.stop()
        engine.dispose()


def _stop_on_signal() -> threading.Event:
    stopping = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if not stopping.is_set():
            threading.Thread(target=_leave_in_time, name="leave-in-time", daemon=True).start()
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def _leave_in_time() -> None:
    """A database or broker that hangs must not keep us: what is not committed by then is as if it had not been begun."""
    time.sleep(_STOP_SECONDS)
    log.error("not done after %.0f s: leaving without waiting for database or broker", _STOP_SECONDS)
    logging.shutdown()
    os._exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else, so that 'in use' is one clear sentence."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise HipwatchError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return listener
