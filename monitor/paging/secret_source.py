"""Secrets of the targets file: from a file or the environment, in clear only where nobody else can read. Shell."""

import stat
from collections.abc import Mapping
from pathlib import Path

from monitor.paging.target import NO_SECRET, Secret
from schemas.errors import HipwatchError
from schemas.toml_file import Section


class SecretSource:
    """Reads `NAME`, `NAME_file` or `NAME_env` of a part of the file; at most one of them may be given.

    What it reads goes into headers, logins and addresses, which take printable ASCII.
    """

    def __init__(self, path: Path, place: str, environment: Mapping[str, str]) -> None:
        self._path = path
        self._place = place
        self._environment = environment

    def read(self, part: Section, name: str) -> Secret:
        value = self._read(part, name)
        if not value.isascii() or not value.isprintable():
            raise HipwatchError(f"{self._place}.{name}: it has a character that cannot be sent: only printable ASCII goes there")
        return value

    def _read(self, part: Section, name: str) -> Secret:
        clear, file, variable = (getattr(part, f"{name}{ending}") for ending in ("", "_file", "_env"))
        if sum(map(bool, (clear, file, variable))) > 1:
            raise HipwatchError(f"{self._place}: give one of {name}_file, {name}_env and {name}, not several")
        if clear:
            return self._in_clear(clear, name)
        if file:
            return self._from_file(Path(file), f"{name}_file")
        if variable:
            return self._from_environment(variable, f"{name}_env")
        return NO_SECRET

    def _in_clear(self, value: str, name: str) -> Secret:
        if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            raise HipwatchError(
                f"{self._place}.{name}: it stands here in clear, and others can read the file: use {name}_file, or chmod 600"
            )
        return Secret(value)

    def _from_file(self, file: Path, name: str) -> Secret:
        try:
            value = (self._path.parent / file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise HipwatchError(f"{self._place}.{name}: {error}") from None
        if not value:
            raise HipwatchError(f"{self._place}.{name}: {file} is empty")
        return Secret(value)

    def _from_environment(self, variable: str, name: str) -> Secret:
        value = self._environment.get(variable, "").strip()
        if not value:
            raise HipwatchError(f"{self._place}.{name}: the environment has no {variable}")
        return Secret(value)
