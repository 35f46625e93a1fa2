"""What the services of the tests have in common: a directory of their own, one process, and the verbs on it."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services.process import ServiceProcess


class Service:
    """A context manager: starts on entry; on exit stops, and removes its directory.

    A subclass sets `_process` up and says in `start` when it is ready. Logs go to `logs`, or to the directory.
    """

    name = "service"
    _process: ServiceProcess

    def __init__(self, logs: Path | None = None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=f"hipwatch-{self.name}-"))
        self.log = (logs or self.directory) / f"{self.name}.log"

    @property
    def running(self) -> bool:
        return self._process.running

    def start(self) -> None:
        """Start it and wait until it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """In order; waits for the end. Does nothing when it does not run."""
        self._process.stop()

    def kill(self) -> None:
        """As a power cut would end it."""
        self._process.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        """End a pause."""
        self._process.resume()

    def restart(self) -> None:
        """Stop it if it runs, and start it again on the same port and, where it has one, the same data directory."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._process.kill()  # nobody will read what it would still write
        finally:
            self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
