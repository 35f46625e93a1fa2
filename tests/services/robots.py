"""Group robots as their vendors keep them: real sockets, and every rule that a message can break is checked.

A message that breaks a rule is answered with the vendor's own code under HTTP 200, as the vendors do, and is not taken.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

HOUR: Final = 3600.0
MINUTE: Final = 60.0


@dataclass
class Post:
    """One request as it came in. `at`: when, on the monotonic clock."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@dataclass
class Robot:
    """The rules that all share: a rate, and whatever `check` finds. `taken` are the messages that a person would see."""

    secret: str = ""
    per_minute: int = 20
    clock: Callable[[], float] = time.time
    taken: list[Post] = field(default_factory=list)
    refused: list[tuple[int, Post]] = field(default_factory=list)
    faults: deque[int] = field(default_factory=deque)  # HTTP statuses to answer with next
    _times: deque[float] = field(default_factory=deque)

    def receive(self, post: Post) -> tuple[int, dict[str, Any]]:
        """The answer: HTTP status and body."""
        if self.faults and (status := self.faults.popleft()):
            return status, {"error": "made to fail"}
        now = self.clock()
        while self._times and self._times[0] <= now - MINUTE:
            self._times.popleft()
        code = self.too_fast if len(self._times) >= self.per_minute else self._checked(post)
        if code == 0:
            self._times.append(now)
            self.taken.append(post)
        else:
            self.refused.append((code, post))
        return 200, self.answer(code)

    too_fast: int = -1

    def answer(self, code: int) -> dict[str, Any]:
        return {"errcode": code, "errmsg": "ok" if code == 0 else "refused"}

    def check(self, post: Post) -> int:
        raise NotImplementedError

    def _checked(self, post: Post) -> int:
        try:
            return self.check(post)
        except (KeyError, ValueError, TypeError):
            return 40035

    def text(self, index: int = -1) -> str:
        """What a person reads of a message that was taken."""
        raise NotImplementedError


@dataclass
class DingTalkRobot(Robot):
    """Signature in the URL (milliseconds, within an hour), 20,000 bytes, 20 a minute."""

    too_fast: int = 130101

    def check(self, post: Post) -> int:
        if post.headers.get("content-type", "").split(";")[0] != "application/json":
            return 43004
        if not post.query["access_token"][0]:
            return 300001
        if self.secret and not self._signed(post):
            return 310000
        if len(post.body) > 20_000:
            return 460101
        content = post.content
        if content["msgtype"] != "markdown" or not content["markdown"]["title"] or not content["markdown"]["text"]:
            return 40035
        for mobile in content["at"]["atMobiles"]:
            if f"@{mobile}" not in content["markdown"]["text"]:
                return 40035
        return 0

    def _signed(self, post: Post) -> bool:
        timestamp = post.query["timestamp"][0]
        if abs(int(timestamp) / 1000 - self.clock()) > HOUR:
            return False
        digest = hmac.new(self.secret.encode(), f"{timestamp}\n{self.secret}".encode(), hashlib.sha256).digest()
        return post.query["sign"] == [base64.b64encode(digest).decode()]

    def text(self, index: int = -1) -> str:
        return str(self.taken[index].content["markdown"]["text"])


@dataclass
class WeComRobot(Robot):
    """No signature; content of 4,096 bytes, 20 a minute."""

    too_fast: int = 45009

    def check(self, post: Post) -> int:
        if not post.query["key"][0]:
            return 93000
        content = post.content
        if content["msgtype"] != "markdown":
            return 40008
        if not 0 < len(content["markdown"]["content"].encode()) <= 4096:
            return 40058
        return 0

    def text(self, index: int = -1) -> str:
        return str(self.taken[index].content["markdown"]["content"])


@dataclass
class FeishuRobot(Robot):
    """Signature in the body (seconds, within an hour), 20 KB, 100 a minute and 5 a second."""

    per_minute: int = 100
    too_fast: int = 11232
    _last: deque[float] = field(default_factory=lambda: deque(maxlen=5))

    def answer(self, code: int) -> dict[str, Any]:
        return {"code": code, "msg": "success" if code == 0 else "refused", "StatusCode": code, "StatusMessage": ""}

    def check(self, post: Post) -> int:
        content = post.content
        if self.secret and not self._signed(content):
            return 19021
        if len(post.body) > 20 << 10:
            return 9499
        if (
            content["msg_type"] != "interactive"
            or not content["card"]["header"]["title"]["content"]
            or not content["card"]["elements"]
        ):
            return 9499
        now = self.clock()
        if len(self._last) == 5 and now - self._last[0] < 1:
            return self.too_fast
        self._last.append(now)
        return 0

    def _signed(self, content: dict[str, Any]) -> bool:
        timestamp = content["timestamp"]
        if not isinstance(timestamp, str) or abs(int(timestamp) - self.clock()) > HOUR:
            return False
        digest = hmac.new(f"{timestamp}\n{self.secret}".encode(), b"", hashlib.sha256).digest()
        return bool(content["sign"] == base64.b64encode(digest).decode())

    def text(self, index: int = -1) -> str:
        card = self.taken[index].content["card"]
        return "\n".join([card["header"]["title"]["content"], *(element["content"] for element in card["elements"])])


@dataclass
class OwnWebhook(Robot):
    """A receiver of one's own: bearer token, signature of the body, each Idempotency-Key once."""

    token: str = ""
    per_minute: int = 10_000
    keys: list[str] = field(default_factory=list)

    def check(self, post: Post) -> int:
        if self.token and post.headers.get("authorization") != f"Bearer {self.token}":
            return 401
        wanted = f"sha256={hmac.new(self.secret.encode(), post.body, hashlib.sha256).hexdigest()}"
        if self.secret and post.headers.get("x-hipwatch-signature-256") != wanted:
            return 403
        self.keys.append(post.headers["idempotency-key"])
        return 0

    def receive(self, post: Post) -> tuple[int, dict[str, Any]]:
        status, answer = super().receive(post)
        return (answer["errcode"], answer) if status == 200 and answer.get("errcode") else (status, answer)

    def text(self, index: int = -1) -> str:
        content = self.taken[index].content
        return f"{content['title']}\n{content['text']}"


class RobotServer:
    """Serves robots by path, on the loopback, until it is left. `stop` and `start` keep the port: the robot's outage."""

    def __init__(self, robots: dict[str, Robot]) -> None:
        self.robots = robots
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    def url(self, path: str, query: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}{f'?{query}' if query else ''}"

    @property
    def runs(self) -> bool:
        return self._server is not None

    def start(self) -> None:
        server = _Server(("127.0.0.1", self.port), _handler(self.robots))
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._server = server

    def stop(self) -> None:
        """End it: whoever comes now is not let in. What was let in before is answered."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def _handler(robots: dict[str, Robot]) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            post = Post(parts.path, parse_qs(parts.query, keep_blank_values=True), headers, body)
            with lock:
                robot = robots.get(parts.path)
                status, answer = robot.receive(post) if robot else (404, {"error": "no such robot"})
            said = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
