"""How a long run is told: a bar on a terminal, a line now and then anywhere else. Shell."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_LINE_EVERY_SECONDS: Final = 10.0
"""A log of a long run shows that it moves; a short run says nothing."""


class ProgressDisplay(Protocol):
    """What a run says of itself."""

    def add_task(self, description: str, *, total: float | None = None) -> TaskID:
        """Begin something of so many steps."""

    def update(self, task_id: TaskID, *, completed: float | None = None, description: str | None = None) -> None:
        """Say how far it is."""


class ProgressLines:
    """A line every ten seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._description = ""
        self._total: float | None = None
        self._next_line = time.monotonic() + _LINE_EVERY_SECONDS

    def add_task(self, description: str, *, total: float | None = None) -> TaskID:
        """See ProgressDisplay."""
        self._description, self._total = description, total
        return TaskID(0)

    def update(self, _task_id: TaskID, *, completed: float | None = None, description: str | None = None) -> None:
        """See ProgressDisplay."""
        self._description = description or self._description
        if completed is None or time.monotonic() < self._next_line:
            return
        self._next_line = time.monotonic() + _LINE_EVERY_SECONDS
        of_all = "" if self._total is None else f" of {self._total:,.0f}"
        self._console.print(f"{self._description}: {completed:,.0f}{of_all} messages", highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(console: Console) -> Iterator[ProgressDisplay]:
    """A bar with count and time on a terminal; lines elsewhere."""
    if not console.is_terminal:
        yield ProgressLines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        yield bar
