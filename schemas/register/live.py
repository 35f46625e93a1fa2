"""The register in use, while its files may change. Shell: reads files.

Invariant: what is in use was whole and without a problem; a register that is broken or half written never takes its place.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from schemas.errors import HipwatchError
from schemas.register.difference import difference
from schemas.register.entries import parse_register
from schemas.register.folder import accepted, digest_of, read_files
from schemas.register.model import Register

log = logging.getLogger(__name__)
_MOST_LINES: Final = 20
"""Differences that are worth a line in the log each."""


@dataclass(frozen=True)
class RegisterState:
    """The register in use, since when (wall time), and why a newer one is not taken, if one is there that is broken.

    `digest` stands for the contents of its files.
    """

    register: Register
    digest: str
    loaded_at: datetime
    problem: str | None = None


class LiveRegister(Collection[str]):
    """The register of a folder, which `refresh` takes again when it has changed. Safe to read from any thread.

    It can stand where a collection of unit ids is wanted: it is always that of the register in use.
    """

    def __init__(self, folder: Path) -> None:
        """Raises HipwatchError when the register is broken: at the start there is no last good one."""
        self._folder = folder
        found = read_files(folder)
        self._seen = digest_of(found)
        register = accepted(parse_register(found, lambda name: str(folder / name)), folder)
        self.state = RegisterState(register, self._seen, datetime.now(UTC))

    @property
    def register(self) -> Register:
        """The register in use now."""
        return self.state.register

    def __contains__(self, unit_id: object) -> bool:
        """Whether the register in use has a unit of that id."""
        return unit_id in self.state.register.units

    def __iter__(self) -> Iterator[str]:
        """The unit ids of the register in use."""
        return iter(self.state.register.units)

    def __len__(self) -> int:
        """How many units the register in use has."""
        return len(self.state.register.units)

    def refresh(self, *, at_once: bool = False) -> None:
        """Look at the files and take what has changed. Raises nothing.

        A change is taken when two looks in a row have found it the same, for files may be copied one after the other; one
        that was asked for is taken at once.
        """
        try:
            found = read_files(self._folder)
            digest = digest_of(found)
            settled = at_once or digest == self._seen
            self._seen = digest
            if not settled:
                return
            if digest == self.state.digest:
                self._tell(None)
                return
            register = accepted(parse_register(found, lambda name: str(self._folder / name)), self._folder)
        except (HipwatchError, OSError) as error:
            self._tell(str(error))
            return
        _log_changes(self.state.register, register, digest)
        self.state = RegisterState(register, digest, datetime.now(UTC))

    def _tell(self, problem: str | None) -> None:
        if problem is not None and problem != self.state.problem:
            log.error("the changed register is not taken, the last good one stays in use: %s", problem)
        elif problem is None and self.state.problem is not None:
            log.info("the register is again the one in use")
        self.state = replace(self.state, problem=problem)


def _log_changes(old: Register, new: Register, digest: str) -> None:
    lines = difference(old, new)
    log.info("the register has changed: %d differences, now %s", len(lines), digest)
    for line in lines[:_MOST_LINES]:
        log.info("register: %s", line)
