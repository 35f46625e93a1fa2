"""Serve all targets on schedule, each by itself, beside whatever else the process does. Shell."""

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.ledger.database import Engine
from monitor.paging.planning import Planner
from monitor.paging.sender import Sender
from monitor.paging.target import Target
from schemas.errors import HipwatchError

log = logging.getLogger(__name__)
_EVERY: Final = timedelta(seconds=1)
"""How often a target is looked after; a message waits longer only because it is told to (its pace)."""
_MOST_AT_ONCE: Final = 64
"""Targets that are served at the same moment; a thread begins only when it is needed."""


@contextmanager
def telling(engine: Engine, planner: Planner, targets: Callable[[], Sequence[Target]]) -> Iterator[None]:
    """Tell the `targets` of the moment until the block is left.

    A message that is on its way is finished, or the next process repeats it.
    """
    sender = Sender(engine, planner, _process_name())
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(_MOST_AT_ONCE)}, timezone=UTC)
    served = _Served(scheduler, sender)
    served.follow(targets())
    _every_second(scheduler, lambda: served.follow(targets()), "follow")
    scheduler.start()
    try:
        yield
    finally:
        sender.stop()
        scheduler.shutdown(wait=True)


class _Served:
    """The targets that are served, each by a job of its own: never two at once for one name."""

    def __init__(self, scheduler: BackgroundScheduler, sender: Sender) -> None:
        self._scheduler = scheduler
        self._sender = sender
        self._targets: dict[str, Target] = {}

    def follow(self, targets: Sequence[Target]) -> None:
        """Serve these from now on. Who is no more among them is told nothing more; what waits for him stays in the outbox."""
        wanted = {target.name: target for target in targets}
        for name in self._targets.keys() - wanted.keys():
            self._leave(self._targets[name])
        for name, target in wanted.items():
            if name not in self._targets:
                log.info("target %s: %s", target.name, target.kind)
                _every_second(self._scheduler, self._sender.serve, _job(name), target)
            elif target != self._targets[name]:
                self._scheduler.modify_job(_job(name), args=[target])
            self._targets[name] = target

    def _leave(self, target: Target) -> None:
        try:
            self._sender.leave(target)
        except HipwatchError as error:  # and is tried again
            log.error("target %s: %s", target.name, error)
            return
        self._scheduler.remove_job(_job(target.name))
        del self._targets[target.name]


def _every_second(scheduler: BackgroundScheduler, work: Callable[..., None], job: str, *args: object) -> None:
    scheduler.add_job(work, "interval", args=args, id=job, seconds=_EVERY.total_seconds(), max_instances=1, coalesce=True)


def _job(name: str) -> str:
    return f"target {name}"


def _process_name() -> str:
    """A name for this process among all that serve the ledger."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
