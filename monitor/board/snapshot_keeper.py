"""Keep the latest reading of the ledger. Shell: page and metrics only ever see a whole one."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from schemas.errors import HipwatchError

T = TypeVar("T")
log = logging.getLogger(__name__)


class SnapshotKeeper(Generic[T]):
    """What was read last, a snapshot or the running month; read again at each `refresh`. Before the first, `latest` is None."""

    def __init__(self, take: Callable[[], T]) -> None:
        self._take = take
        self.latest: T | None = None
        self.problem: str | None = None

    def refresh(self) -> None:
        """Read the ledger. When it cannot be read the old snapshot stays, and its age tells."""
        try:
            self.latest = self._take()
            self.problem = None
        except HipwatchError as error:
            if self.problem is None:
                log.error("%s", error)
            self.problem = str(error)
