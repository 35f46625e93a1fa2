"""What `/metrics` answers, made once for what it shows and handed out as often as it is asked for. Shell: a lock.

Most of it shows what is read from the ledger at intervals, with many units megabytes: its text is kept, and packed, until
something newer has been read. The rest is small, and made at each scrape.
"""

import threading
import zlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_QUICKLY: Final = 1
"""zlib's level: ten times smaller for a few milliseconds a megabyte; the best one takes ten times as long for a fifth less."""
_GZIP: Final = 31
"""zlib's word for a gzip stream with the largest window."""


class SteadyCollector(Collector):
    """A collector whose families change only when it shows other objects."""

    @abstractmethod
    def shown(self) -> Sequence[object]:
        """The objects that it shows now."""


class Exposition:
    """The metrics of some collectors in the text format. Safe to be asked by several threads."""

    def __init__(self, *collectors: Collector) -> None:
        self._steady = [_Text(one) for one in collectors if isinstance(one, SteadyCollector)]
        self._moving = [one for one in collectors if not isinstance(one, SteadyCollector)]
        self._lock = threading.Lock()
        self._kept: _Answer | None = None
        self._asked = False

    def plain(self) -> bytes:
        """The text."""
        return self._now().text + exposition(*self._moving)

    def packed(self) -> bytes:
        """The text as a gzip stream: what is kept was packed before, and the rest is packed behind it."""
        kept = self._now()
        packer = kept.packer.copy()
        return kept.packed + packer.compress(exposition(*self._moving)) + packer.flush()

    def prepare(self) -> None:
        """Make what the next scrape is answered with, if there was one since the last time: it has not to wait for it then."""
        if self._asked:
            with self._lock:
                if self._renew():
                    self._asked = False

    def _now(self) -> "_Answer":
        """What is kept; while somebody else makes it anew, what was kept before."""
        self._asked = True
        if self._lock.acquire(blocking=self._kept is None):
            try:
                self._renew()
            finally:
                self._lock.release()
        assert self._kept is not None
        return self._kept

    def _renew(self) -> bool:
        """Make anew what shows something else than before; whether anything did."""
        renewed = [text.renew() for text in self._steady]
        if self._kept is None or any(renewed):
            self._kept = _Answer(b"".join(text.text for text in self._steady))
        return any(renewed)


class _Answer:
    """The text of all that is steady, and the beginning of a gzip stream that holds it; `packer` goes on behind it."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.packer = zlib.compressobj(_QUICKLY, wbits=_GZIP)
        self.packed = self.packer.compress(text)


class _Text:
    """The text of one collector."""

    def __init__(self, collector: SteadyCollector) -> None:
        self.text = b""
        self._collector = collector
        self._shown: Sequence[object] | None = None

    def renew(self) -> bool:
        """Make it anew if it shows other objects; whether it does."""
        shown = self._collector.shown()
        if self._shown is not None and all(now is before for now, before in zip(shown, self._shown, strict=True)):
            return False
        self.text, self._shown = exposition(self._collector), shown
        return True


def exposition(*collectors: Collector) -> bytes:
    """The metrics in the text format, from a registry of their own."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    text: Any = generate_latest(registry)
    return bytes(text)
