"""A mail server on the loopback that keeps what it is given: STARTTLS demanded, a login demanded, as real ones do."""

import socket
import ssl
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.services.certificates import Pair


class Mailbox:
    """Until it is left. `refuse` answers the next mails with these lines, for example `450 try later`.

    `taken_at` says when each mail was taken, on the monotonic clock.
    """

    def __init__(self, pair: Pair, user: str = "hipwatch", password: str = "geheim", *, tls_at_once: bool = False) -> None:
        self.mails: list[EmailMessage] = []
        self.taken_at: list[float] = []
        self.refuse: list[str] = []
        self._login = (user.encode(), password.encode())
        with socket.create_server(("127.0.0.1", 0)) as free:  # the controller cannot say which port it was given
            self.port: int = free.getsockname()[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if tls_at_once else None,
            tls_context=None if tls_at_once else context,
            require_starttls=not tls_at_once,
            auth_require_tls=not tls_at_once,
            auth_required=True,
            authenticator=self._authenticate,
        )

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return self.refuse.pop(0)
        content = envelope.content or b""
        mail = message_from_bytes(content if isinstance(content, bytes) else content.encode(), policy=default)
        assert isinstance(mail, EmailMessage)
        self.taken_at.append(time.monotonic())
        self.mails.append(mail)
        return "250 taken"

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == self._login
        return AuthResult(success=good, handled=good)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._controller.stop()
