"""A mail server that answers as it is told, without TLS or login: what real ones say on a bad day."""

import socket
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

_GOOD: Final = {
    "": "220 here",
    "EHLO": "250 here",
    "HELO": "250 here",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "RSET": "250 ok",
    "DATA": "354 go on",
    ".": "250 taken",
    "QUIT": "221 bye",
}


class ScriptedMail:
    """Until it is left. `answers` replaces the answer to a command, to `.` (the end of a mail) or to `` (the greeting).

    `RCPT` may be given for one recipient: `RCPT duty@example.cn`. `waits` are seconds before an answer; `taken` counts mails.
    """

    def __init__(self, answers: Mapping[str, str] | None = None, waits: Mapping[str, float] | None = None) -> None:
        self.taken = 0
        self._answers = {**_GOOD, **(answers or {})}
        self._waits = dict(waits or {})
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:

            def say(key: str) -> str:
                time.sleep(self._waits.get(key, 0.0))
                stream.write(self._answers[key].encode() + b"\r\n")
                stream.flush()
                return self._answers[key]

            try:
                say("")
                for line in stream:
                    command, _, rest = line.decode().strip().partition(" ")
                    recipient = f"RCPT {rest.partition('<')[2].partition('>')[0]}"
                    said = say(recipient if recipient in self._answers else command.upper())
                    if said.startswith("354"):
                        while stream.readline().rstrip(b"\r\n") != b".":
                            pass
                        self.taken += say(".").startswith("250")
            except (OSError, KeyError):  # the other end has gone, or says what nobody knows
                return
