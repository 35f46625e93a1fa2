"""A process of ours: how it is told to stop, ends in time, and takes its port. Shell."""

import logging
import os
import signal
import socket
import threading
import time
from types import FrameType
from typing import Final

from schemas.errors import HipwatchError

log = logging.getLogger(__name__)
_STOP_SECONDS: Final = 8.0
"""How long an orderly stop may take; supervisors commonly kill after ten."""


def stop_on_signal() -> threading.Event:
    """An event that is set by SIGTERM or SIGINT; the process ends then within seconds, in order or not."""
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


def listen_on(host: str, port: int) -> socket.socket:
    """Take the port before anything else, so that 'in use' is one clear sentence."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise HipwatchError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    return listener
