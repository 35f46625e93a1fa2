"""A worker's own port: /metrics for Prometheus, /healthz for supervisors. Shell: a thread beside the loop."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from monitor.worker.worker_metrics import WorkerMetrics
from schemas.errors import HipwatchError

_TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff"))
_SECONDS: Final = 10.0
"""Whoever says nothing for so long is not waited for."""
Answer = Callable[[str, list[tuple[str, str]]], object]


@contextmanager
def serve_health(metrics: WorkerMetrics, host: str, port: int) -> Iterator[int]:
    """Serve until the block ends; yields the port (0 asks for a free one). Raises HipwatchError when it cannot be had."""
    try:
        server = make_server(host, port, _pages(metrics), ThreadingWSGIServer, _Quiet)
    except OSError as error:
        raise HipwatchError(f"cannot listen on {host}:{port} for --metrics-port: {error.strerror or error}") from None
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="health-page", daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _pages(metrics: WorkerMetrics) -> Callable[[dict[str, Any], Answer], Iterable[bytes]]:
    exposed = make_wsgi_app(metrics.registry)

    def answer(request: dict[str, Any], start: Answer) -> Iterable[bytes]:
        path = request.get("PATH_INFO", "/")
        if path == "/metrics":
            found: Iterable[bytes] = exposed(request, start)
            return found
        if path != "/healthz":
            start("404 Not Found", [*_TEXT])
            return [b"/metrics or /healthz\n"]
        problems = metrics.problems()
        start("503 Service Unavailable" if problems else "200 OK", [*_TEXT])
        return ["".join(f"{line}\n" for line in problems or ["ok"]).encode()]

    return answer


class _Quiet(WSGIRequestHandler):
    timeout = _SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is nothing to tell."""
