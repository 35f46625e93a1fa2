"""Speak to robots, and through `mail_transport` to mail servers. Shell.

A host's addresses are looked up once, each is checked, and the connection goes to the one that was checked: a name that
changes its mind in between reaches no private address. Redirects are not followed; answers are read up to a limit.
"""

import socket
import ssl
import time
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from monitor.paging.channels.all import CHANNELS
from monitor.paging.channels.channel import Answer, HttpRequest, MailRequest, Request, Verdict
from monitor.paging.mail_transport import hand_over
from monitor.paging.target import Target

TIMEOUT_SECONDS: Final = 10.0
"""For connecting, and for each read; a robot answers within one."""
_WHOLE_ANSWER_SECONDS: Final = 60.0
"""For all reads of an answer together: less than a message is ours (`LEASE`)."""
_MOST_ANSWER: Final = 64 << 10
"""Bytes of an answer that are read."""

_UNANSWERED: Final = (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)
"""The request had gone out, and what became of it nobody said."""


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
        return Answer(Verdict.LATER, f"{type(error).__name__}: {error}", doubtful=isinstance(error, _UNANSWERED))
    except Exception as error:  # its own words might quote a secret
        return Answer(Verdict.BROKEN, f"it cannot be sent with these settings: {type(error).__name__}")


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
        body, begun = bytearray(), time.monotonic()
        for part in response.iter_bytes():
            body += part
            if len(body) > _MOST_ANSWER:
                break
            if time.monotonic() - begun > _WHOLE_ANSWER_SECONDS:
                raise httpx.ReadTimeout("the answer does not end")
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
    return hand_over(request, settings, checked_address(settings.host, settings.port, allow_private=target.allow_private))
