"""Serve all targets on schedule, each by itself, beside whatever else the process does. Shell."""

import logging
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.ledger.database import Engine
from monitor.paging.planning import Planner
from monitor.paging.sender import Sender
from monitor.paging.target import Target

log = logging.getLogger(__name__)
_EVERY: Final = timedelta(seconds=1)
"""How often a target is looked after; a message waits longer only because it is told to (its pace)."""


@contextmanager
def telling(engine: Engine, planner: Planner, targets: Sequence[Target]) -> Iterator[None]:
    """Tell the targets until the block is left; a message that is on its way is finished, or the next process repeats it."""
    if not targets:
        yield
        return
    sender = Sender(engine, planner, _process_name())
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(len(targets))}, timezone=UTC)
    for target in targets:
        log.info("target %s: %s", target.name, target.kind)
        scheduler.add_job(sender.serve, "interval", args=[target], seconds=_EVERY.total_seconds(), max_instances=1, coalesce=True)
    scheduler.start()
    try:
        yield
    finally:
        sender.stop()
        scheduler.shutdown(wait=True)


def _process_name() -> str:
    """A name for this process among all that serve the ledger."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
