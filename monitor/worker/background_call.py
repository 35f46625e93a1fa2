"""A thread beside the worker's loop, for calls that may hang. Shell.

A database that is frozen answers nobody, and no time limit of its own helps then: who waits for it in the loop misses the
polls that keep its membership, and the signal to end.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundCall:
    """Makes one call at a time. Its thread ends with the process and does not keep it."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        self._latest: Future[Any] | None = None
        threading.Thread(target=self._work, name="background-call", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether a call has not ended yet."""
        return self._latest is not None and not self._latest.done()

    def begin(self, action: Callable[[], T]) -> Future[T]:
        """Make a call; what it returns or raises is the future's."""
        future: Future[T] = Future()
        self._latest = future
        self._calls.put((action, future))
        return future

    def done_within(self, future: Future[Any], seconds: float) -> bool:
        """Wait for a call, not longer than that; whether it has ended."""
        return bool(wait([future], seconds).done)

    def _work(self) -> None:
        while True:
            action, future = self._calls.get()
            try:
                future.set_result(action())
            except BaseException as error:  # whoever waits for it gets it
                future.set_exception(error)
            del action, future  # they may hold a batch
