"""What every answer of the site tells a browser, and by which names the site may be called. Shell: an ASGI layer.

A page of somebody else's may bring a reader's browser to call us by a name of its own (DNS rebinding), and then read what we
answer: names that are not ours are refused.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.visible import one_line

_MISDIRECTED: Final = 421
_LONGEST_SHOWN: Final = 100


class SiteGuard:
    """Refuses a request that calls us by a strange name, and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], pages: Iterable[str]) -> None:
        """`hosts`: names that are ours. `pages`: the templates, whose styles are the only ones allowed."""
        self._app = app
        self._hosts = frozenset(name.lower() for name in hosts)
        self._headers = _security_headers(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers:
                    headers.setdefault(name, value)
            await send(message)

        name = Headers(scope=scope).get("host", "")
        if may_be_called(name, self._hosts):
            await self._app(scope, receive, send_with_headers)
            return
        refusal = PlainTextResponse(_refusal(name), _MISDIRECTED)
        await refusal(scope, receive, send_with_headers)


def may_be_called(host: str, ours: Collection[str]) -> bool:
    """Whether a Host header names us: no name of the internet does, but those that are listed as `ours` (lower case).

    Addresses, localhost and names without a dot do: no name that somebody registers is like that.
    """
    name = _without_port(host).lower().rstrip(".")
    if not name or "." not in name or name in ours:
        return True
    try:
        ip_address(name)
    except ValueError:
        return name.endswith(".localhost")
    return True


def _without_port(host: str) -> str:
    """`::1` of `[::1]:8080`, `a` of `a:80`."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](:\d*)?", host)
    return bracketed[1] if bracketed else host.rpartition(":")[0] if re.search(r":\d*$", host) else host


def _refusal(host: str) -> str:
    shown = one_line(_without_port(host))[:_LONGEST_SHOWN]
    return (
        f"本服务不以 {shown} 为名:如需使用,请以 --allowed-host {shown} 启动 serve(或设置 HIPWATCH_ALLOWED_HOSTS)。\n"
        f"This service is not called {shown}: start serve with --allowed-host {shown} (or HIPWATCH_ALLOWED_HOSTS).\n"
    )


def _security_headers(pages: Iterable[str]) -> Sequence[tuple[str, str]]:
    styles = sorted({_hash(style) for page in pages for style in re.findall(r"<style>(.*?)</style>", page, re.DOTALL)})
    policy = {
        "default-src": "'none'",
        "style-src": " ".join(styles) or "'none'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return (
        ("Content-Security-Policy", "; ".join(f"{what} {where}" for what, where in policy.items())),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    )


def _hash(style: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
