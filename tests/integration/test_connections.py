"""The web process under connections that ask for nothing, or ask slowly."""

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

import pytest

from tests.integration.stack import Home, fetch, free_port, running, wait_until
from tests.stopwatch import stopwatch


class Served(NamedTuple):
    port: int
    url: str


@pytest.fixture
def served(home: Home) -> Iterator[Served]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/healthz"
    with running(home, "serve", "--port", str(port), "--database", home.database):
        wait_until(lambda: fetch(url)[0] == 200, "the page answers")
        yield Served(port, url)


def ends(connection: socket.socket, seconds: float) -> bool:
    """Whether the other side drops it within so many seconds."""
    connection.settimeout(seconds)
    try:
        return connection.recv(65_536) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_whoever_asks_is_answered_beside_1200_connections_that_do_not_and_those_are_dropped(served: Served) -> None:
    with ExitStack() as open_ones:
        idle = [open_ones.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=10)) for _ in range(1_200)]
        with stopwatch() as watch:
            assert fetch(served.url)[0] == 200
            assert watch.seconds < 8, "before the first of the others is given up for its silence"
        assert ends(idle[0], 60), "the oldest made room"
        assert ends(idle[-1], 60), "and nobody may be silent for ever"
        assert fetch(served.url)[0] == 200


def test_a_request_that_drips_in_is_given_up(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as slow, stopwatch() as watch:
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        while not ends(slow, 0.5) and watch.seconds < 60:
            with contextlib.suppress(OSError):
                slow.sendall(b"X-A: b\r\n")
        assert watch.seconds < 30


def test_a_connection_that_is_used_is_kept(served: Served) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)) as used:
        used.connect()
        place = used.sock.getsockname()
        for _ in range(6):
            used.request("GET", "/healthz")
            assert used.getresponse().read()
            assert used.sock.getsockname() == place
            time.sleep(2)
