"""Read the targets file (TOML): who is told what, where and when. Shell.

Whatever is wrong is one sentence that names file and key.
Secrets come from files or the environment; in clear they may stand only in a file that nobody else can read (0600).
"""

import os
import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from monitor.paging.secret_source import SecretSource
from monitor.paging.target import NO_SECRET, PAGES_ONLY, Kind, Mail, Mention, QuietHours, Secret, Target
from monitor.paging.target_entries import FileEntry, TargetEntry
from schemas.errors import HipwatchError
from schemas.toml_file import read_toml

_ROBOTS: Final = frozenset({Kind.DINGTALK, Kind.WECOM, Kind.FEISHU, Kind.WEBHOOK})


def read_targets(path: Path, environment: Mapping[str, str] = os.environ) -> tuple[Target, ...]:
    """The targets of a file, with their secrets. Raises HipwatchError naming file and key; it never quotes a secret."""
    try:
        content = read_toml(path, FileEntry)
    except FileNotFoundError:
        raise HipwatchError(f"there is no targets file {path}") from None
    names = [target.name for target in content.target]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise HipwatchError(f"{path}, key target.{double}: the name stands twice, and the ledger remembers a target by its name")
    return tuple(_target(path, content, target, environment) for target in content.target)


def _target(path: Path, content: FileEntry, target: TargetEntry, environment: Mapping[str, str]) -> Target:
    place = f"{path}, key target.{target.name}"
    secrets = SecretSource(path, place, environment)
    return Target(
        name=target.name,
        kind=target.kind,
        url=_url(target, secrets, place),
        secret=secrets.read(target, "secret"),
        token=secrets.read(target, "token"),
        mail=_mail(path, target, secrets, place),
        language=target.language or content.language,
        routes=tuple(route.value() for route in target.route) or PAGES_ONLY,
        mentions=tuple(Mention(tuple(mention.who), mention.value()) for mention in target.mention),
        quiet=QuietHours(_time(target.quiet.start), _time(target.quiet.end)) if target.quiet else None,
        pace=(target.pace or content.pace).value(),
        recoveries=target.recoveries,
        summary_at=_time(target.summary_at) if target.summary_at else None,
        per_minute=target.per_minute,
        allow_private=target.allow_private,
        proxy=target.proxy,
        ca_file=_readable(path, target.ca_file, f"{place}.ca_file"),
        page_url=content.page_url,
    )


def _url(target: TargetEntry, secrets: SecretSource, place: str) -> Secret:
    url = secrets.read(target, "url")
    if target.kind not in _ROBOTS:
        if url:
            raise HipwatchError(f"{place}.url: a mail target has no URL; its [target.smtp] says where it sends")
        return NO_SECRET
    if not url:
        raise HipwatchError(f"{place}: a {target.kind} target needs its robot's URL: url_file, url_env or url")
    _require_url(url, target, place)
    return url


def _require_url(url: str, target: TargetEntry, place: str) -> None:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, named = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not named or re.search(r"\s|[\x00-\x1f]", url):
        raise HipwatchError(f"{place}.url: it is no http or https address with a host")
    if parts.username or parts.password:
        raise HipwatchError(f"{place}.url: a user and password do not belong into a URL: use token_file")
    if parts.scheme == "http" and not target.allow_private:
        raise HipwatchError(f"{place}.url: it is not https, and its key could be read on the way (allow_private permits http)")


def _mail(path: Path, target: TargetEntry, secrets: SecretSource, place: str) -> Mail | None:
    smtp = target.smtp
    if target.kind is not Kind.MAIL:
        if smtp is not None:
            raise HipwatchError(f"{place}.smtp: only a mail target has it")
        return None
    if smtp is None:
        raise HipwatchError(f"{place}: a mail target needs [target.smtp]")
    password = secrets.read(smtp, "password")
    if not smtp.user.isascii():
        raise HipwatchError(f"{place}.smtp.user: mail servers take a name in ASCII only")
    if bool(password) != bool(smtp.user):
        raise HipwatchError(f"{place}.smtp: user and password go together")
    if smtp.security == "none" and (password or not target.allow_private):
        raise HipwatchError(
            f"{place}.smtp.security: without TLS only to a private address (allow_private) and without a password"
        )
    ca_file = _readable(path, smtp.ca_file, f"{place}.smtp.ca_file")
    return Mail(smtp.host, smtp.port, smtp.sender, tuple(smtp.to), smtp.security, smtp.user, password, ca_file)


def _readable(path: Path, file: str, place: str) -> str:
    """A file that stands beside the targets file, as those with secrets do."""
    if not file:
        return ""
    found = path.parent / file
    if not found.is_file() or not os.access(found, os.R_OK):
        raise HipwatchError(f"{place}: {found} cannot be read")
    return str(found)


def _time(text: str) -> time:
    return time.fromisoformat(text)
