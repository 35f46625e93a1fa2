"""The targets in use, while their file may change. Shell: reads files.

Invariant: what is in use was whole; a file that is broken or half written never takes its place.
"""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from monitor.paging.target import Target
from monitor.paging.targets_file import read_targets
from schemas.errors import HipwatchError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TargetsState:
    """The targets in use, since when (wall time), and why a newer file is not taken, if one is there that is broken."""

    targets: tuple[Target, ...]
    loaded_at: datetime
    problem: str | None = None


class LiveTargets:
    """The targets of a file, which `refresh` takes again when they have changed. Safe to read from any thread.

    Compared is what was read, not the file: so a secret that changed in a file of its own is taken, too.
    """

    def __init__(self, path: Path | None) -> None:
        """Without a file there are no targets. Raises HipwatchError when it is broken: there are no last good ones yet."""
        self._path = path
        self._seen = () if path is None else read_targets(path)
        self.state = TargetsState(self._seen, datetime.now(UTC))

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets in use now."""
        return self.state.targets

    def refresh(self, *, at_once: bool = False) -> None:
        """Look at the files and take what has changed, when two looks in a row have found it the same, or at once."""
        if self._path is None:
            return
        try:
            found = read_targets(self._path)
        except HipwatchError as error:
            self._tell(str(error))
            return
        settled = at_once or found == self._seen
        self._seen = found
        if not settled:
            return
        if found == self.targets:
            self._tell(None)
            return
        log.info("the targets have changed: %s", _difference(self.targets, found))
        self.state = TargetsState(found, datetime.now(UTC))

    def _tell(self, problem: str | None) -> None:
        if problem is not None and problem != self.state.problem:
            log.error("the changed targets are not taken, the last good ones stay in use: %s", problem)
        elif problem is None and self.state.problem is not None:
            log.info("the targets are again those in use")
        self.state = replace(self.state, problem=problem)


def _difference(old: tuple[Target, ...], new: tuple[Target, ...]) -> str:
    """Which came, went and are other than before, by name."""
    before, after = ({target.name: target for target in targets} for targets in (old, new))
    signs = [f"+ {name}" for name in after if name not in before]
    signs += [f"- {name}" for name in before if name not in after]
    signs += [f"~ {name}" for name in after if name in before and after[name] != before[name]]
    return ", ".join(signs) or "their order"
