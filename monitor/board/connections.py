"""How many connections the web process keeps, and how long each may keep us waiting. Shell.

Invariant: whoever sends a request is heard, however many connections stand idle: for a new one the oldest idle one goes.
"""

import asyncio
from enum import Enum
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS: Final = 256
"""Prometheus, Alertmanager and some dozens of screens; well below the 1,024 files that a process may commonly have open."""


class _Wait(Enum):
    """What we are waiting for, and how many seconds it may take from its beginning, however busily bytes drip in."""

    HEAD = 10.0
    BODY = 30.0
    ANSWER = 120.0
    """The ledger may take a minute for a statement; the rest is for a reader that is slow."""


class LimitedConnection(H11Protocol):
    """One connection: uvicorn's own protocol, which by itself waits for ever for the first request."""

    _opened_at = 0.0
    _waits_for: _Wait | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._opened_at = self.loop.time()
        self._watch(begin=True)
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch(begin=True)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_watching()

    @property
    def idle(self) -> bool:
        """Whether no whole request has come that is not answered yet."""
        return self._waits_for is _Wait.HEAD

    def _watch(self, *, begin: bool = False) -> None:
        """Give what we wait for its time; what is waited for already has its time from then."""
        cycle: Any = self.cycle
        wait = _Wait.HEAD
        if cycle is not None and not cycle.response_complete:
            wait = _Wait.BODY if cycle.more_body else _Wait.ANSWER
        if wait is self._waits_for and not begin:
            return
        self._stop_watching()
        if not self.transport.is_closing():
            self._waits_for = wait
            self._timer = self.loop.call_later(wait.value, self.transport.abort)

    def _stop_watching(self) -> None:
        self._waits_for = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> None:
        """Drop the connection that has been idle for longest; when all are busy, this one."""
        others = [
            other for other in self.connections if isinstance(other, LimitedConnection) and other is not self and other.idle
        ]
        dropped = min(others, key=lambda other: other._opened_at, default=self)
        dropped._stop_watching()
        self.connections.discard(dropped)
        dropped.transport.abort()
