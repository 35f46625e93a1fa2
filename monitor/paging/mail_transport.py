"""Hand one mail to its server. Shell.

What became of a mail is settled by the server's answer to its end: what is said after that changes nothing. A greeting, a
login or an address that is refused is of the server or of the settings, and never costs a message.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Final

from monitor.paging.channels.channel import DELIVERED, Answer, MailRequest, Verdict
from monitor.paging.target import Mail

STEP_SECONDS: Final = 10.0
"""For connecting, and for each answer but the last."""
WHOLE_SECONDS: Final = 80.0
"""For all of it: less than a message is ours (`LEASE`), however many recipients a slow server lets us wait for.

The answer to the end of a mail may take what is left: a server may look at the content before it answers (RFC 5321, 4.5.3.2.6,
asks for ten minutes), and who hangs up before gets the same mail again.
"""
_GO_ON: Final = 354
_READY: Final = 220


def hand_over(request: MailRequest, settings: Mail, address: str) -> Answer:
    """Send it to the server at `address`, which was checked. Raises OSError when that cannot be reached."""
    trust = ssl.create_default_context(cafile=settings.ca_file or None)
    smtp = _SmtpTls(address, trust) if settings.security == "tls" else _Smtp(address)
    with _no_longer_than(WHOLE_SECONDS, smtp):
        try:
            _greet(smtp, settings, trust)
            refused = smtp.send_message(request.mail)
        except smtplib.SMTPException as error:
            return _meaning(error, content_sent=smtp.content_sent)
    if refused:  # the others have it: sent again, they would get it twice
        return Answer(Verdict.DELIVERED, f"recipients refused: {', '.join(sorted(refused))}")
    return DELIVERED


def _greet(smtp: "_Smtp", settings: Mail, trust: ssl.SSLContext) -> None:
    code, said = smtp.connect(settings.host, settings.port)
    if code != _READY:
        raise smtplib.SMTPConnectError(code, said)
    smtp._host = settings.host  # type: ignore[attr-defined]  # the name that STARTTLS checks; connect() does not keep it
    if settings.security == "starttls":
        smtp.starttls(context=trust)
    if settings.password:
        smtp.login(settings.user, settings.password)


def _meaning(error: smtplib.SMTPException, *, content_sent: bool) -> Answer:
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _ in error.recipients.values()]
            later = all(400 <= code < 500 for code in codes)
            return Answer(Verdict.LATER if later else Verdict.BROKEN, f"recipients refused: {codes}")
        case smtplib.SMTPResponseException() if error.smtp_code < 500:
            return Answer(Verdict.LATER, _said(error))
        case smtplib.SMTPDataError() if content_sent:
            return Answer(Verdict.REFUSED, _said(error))
        case smtplib.SMTPResponseException():
            return Answer(Verdict.BROKEN, _said(error))
        case smtplib.SMTPNotSupportedError():
            return Answer(Verdict.BROKEN, str(error))
    return Answer(Verdict.LATER, f"{type(error).__name__}: {error}", doubtful=content_sent)


def _said(error: smtplib.SMTPResponseException) -> str:
    text: object = error.smtp_error
    return f"SMTP {error.smtp_code}: {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


@contextmanager
def _no_longer_than(seconds: float, smtp: "_Smtp") -> Iterator[None]:
    """Take leave at the end, and hang up when it takes too long: each byte that comes begins the time of a step anew."""
    timer = Timer(seconds, smtp.hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
        timer.cancel()
        smtp.close()


class _Smtp(smtplib.SMTP):
    """`content_sent`: the server has said that it takes the mail; what became of it, its next answer says."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._code = 0
        self.content_sent = False
        super().__init__(timeout=STEP_SECONDS)

    def hang_up(self) -> None:
        """Whoever waits for an answer is told that there is none. Safe from another thread."""
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None:
            self.sock.settimeout(WHOLE_SECONDS if self._code == _GO_ON else STEP_SECONDS)
        self._code, said = super().getreply()
        self.content_sent = self.content_sent or self._code == _GO_ON
        return self._code, said

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self._address, port), timeout)


class _SmtpTls(_Smtp):
    """TLS from the first byte, for a certificate of the host's name."""

    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(address)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._context.wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)
