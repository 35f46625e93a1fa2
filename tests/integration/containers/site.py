"""Where a month is played: Kafka, PostgreSQL, Prometheus and Alertmanager, and hipwatch's commands beside them."""

from types import TracebackType
from typing import Protocol, Self


class Site(Protocol):
    """A context manager: on entry the services and `hipwatch serve` come up, at the end everything is gone.

    Every command gets the site's broker and ledger by its settings.
    """

    @property
    def page(self) -> str:
        """Where `hipwatch serve` answers: http://HOST:PORT."""

    def start(self, name: str, *arguments: str) -> None:
        """Start `hipwatch` with these arguments, under a name by which it is found again."""

    def kill(self, name: str) -> None:
        """kill -9."""

    def exit_code(self, name: str) -> int | None:
        """How it ended (137 after a kill), or None while it runs."""

    def run(self, *arguments: str) -> str:
        """Run `hipwatch` with these arguments to its end, which must be a good one, and return its standard output."""

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
