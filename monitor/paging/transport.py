"""The one place that speaks to robots and mail servers. Shell.

A host's addresses are looked up once, each is checked, and the connection goes to the one that was checked: a name that
changes its mind in between reaches no private address. Redirects are not followed; answers are read up to a limit.
"""

import smtplib
import socket
import ssl
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from monitor.paging.channels.all import CHANNELS
from monitor.paging.channels.channel import DELIVERED, Answer, HttpRequest, MailRequest, Request, Verdict
from monitor.paging.target import Target

TIMEOUT_SECONDS: Final = 10.0
"""For connecting, and for each read; a robot answers within one."""
_MOST_ANSWER: Final = 64 << 10
"""Bytes of an answer that are read."""


class ForbiddenAddress(Exception):
    """The host has an address that the target may not reach."""


def send(request: Request, target: Target) -> Answer:
    """Send it once. What went wrong on the way is an answer as well; nothing is raised, and no secret is named."""
    try:
        if isinstance(request, HttpRequest):
            return _post(request, target)
        return _mail(request, target)
    except ForbiddenAddress as error:
        return Answer(Verdict.BROKEN, str(error))
    except (ssl.SSLCertVerificationError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        return Answer(Verdict.BROKEN, f"{type(error).__name__}: {error}")
    except (OSError, httpx.HTTPError) as error:
        return Answer(Verdict.LATER, f"{type(error).__name__}: {error}")


def _post(request: HttpRequest, target: Target) -> Answer:
    parts = urlsplit(request.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    url, extensions = httpx.URL(request.url), {}
    if not target.proxy:  # a proxy looks the name up itself
        address = checked_address(host, port, allow_private=target.allow_private)
        url = url.copy_with(host=address)
        extensions = {"sni_hostname": host}
    headers = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "hipwatch", **request.headers}
    trust = ssl.create_default_context(cafile=target.ca_file or None) if parts.scheme == "https" else False
    with (
        httpx.Client(verify=trust, timeout=TIMEOUT_SECONDS, trust_env=False, proxy=target.proxy or None) as client,
        client.stream("POST", url, content=request.body, headers=headers, extensions=extensions) as response,
    ):
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > _MOST_ANSWER:
                break
    return CHANNELS[target.kind].read_answer(response.status_code, bytes(body[:_MOST_ANSWER]))


def checked_address(host: str, port: int, *, allow_private: bool) -> str:
    """An address of `host` that may be reached. Raises ForbiddenAddress if any of its addresses is not public."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    private = [address for address in found if not _is_public(address)]
    if private and not allow_private:
        raise ForbiddenAddress(f"{host} is the private address {private[0]}: allow_private permits it for this target")
    return found[0]


def _is_public(address: str) -> bool:
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not parsed.is_multicast


def _mail(request: MailRequest, target: Target) -> Answer:
    settings = target.mail
    if settings is None:
        return Answer(Verdict.BROKEN, "the target has no mail settings")
    address = checked_address(settings.host, settings.port, allow_private=target.allow_private)
    trust = ssl.create_default_context(cafile=settings.ca_file or None)
    try:
        with _connect(settings.host, address, settings.port, trust if settings.security == "tls" else None) as smtp:
            if settings.security == "starttls":
                smtp.starttls(context=trust)
            if settings.password:
                smtp.login(settings.user, settings.password)
            refused = smtp.send_message(request.mail)
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, smtplib.SMTPSenderRefused) as error:
        return Answer(Verdict.BROKEN, _said(error))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Answer(
            Verdict.LATER if all(400 <= code < 500 for code in codes) else Verdict.BROKEN, f"recipients refused: {codes}"
        )
    except smtplib.SMTPResponseException as error:
        return Answer(Verdict.LATER if error.smtp_code < 500 else Verdict.REFUSED, _said(error))
    except smtplib.SMTPException as error:
        return Answer(Verdict.LATER, f"{type(error).__name__}: {error}")
    if refused:  # the others have it: sent again, they would get it twice
        return Answer(Verdict.DELIVERED, f"{len(refused)} of the recipients were refused")
    return DELIVERED


def _connect(host: str, address: str, port: int, tls: ssl.SSLContext | None) -> smtplib.SMTP:
    """A connection to the checked address whose certificate is held against the host's name."""
    smtp = _SmtpTls(address, tls) if tls else _Smtp(address)
    smtp.timeout = TIMEOUT_SECONDS
    smtp.connect(host, port)
    smtp._host = host  # type: ignore[attr-defined]  # the name that STARTTLS checks; connect() does not keep it
    return smtp


class _Smtp(smtplib.SMTP):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(timeout=TIMEOUT_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection((self._address, port), timeout)


class _SmtpTls(_Smtp):
    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(address)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._context.wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)


def _said(error: Exception) -> str:
    code, text = getattr(error, "smtp_code", 0), getattr(error, "smtp_error", b"")
    return f"SMTP {code}: {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
