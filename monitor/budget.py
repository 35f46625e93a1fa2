"""How many dead letters are too many. Core.

A bad deployment (a register that lost units, a schema that was not shipped) would turn every message into a dead letter.
Whoever counts stops before that, with nothing passed over: the messages are still on the broker when it is mended.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

DEFAULT_LIMIT: Final = 0.5
_WINDOW: Final = 2_000
"""Messages looked back at: some minutes of a large platform."""
_LEAST: Final = 500
"""Fewer letters than this are never too many, whatever their share: one unit's bad afternoon must not stop the others."""


@dataclass
class LetterBudget:
    """Watches the share of dead letters among the latest messages. `limit` is that share, 0 to 1; 0 means no limit."""

    limit: float = DEFAULT_LIMIT
    _batches: deque[tuple[int, int]] = field(default_factory=deque)

    def allows(self, messages: int, letters: int) -> bool:
        """Whether a batch of `messages`, of which `letters` failed, may be passed; takes note of it."""
        self._batches.append((messages, letters))
        while len(self._batches) > 1 and sum(count for count, _ in self._batches) - self._batches[0][0] >= _WINDOW:
            self._batches.popleft()
        seen = sum(count for count, _ in self._batches)
        failed = sum(count for _, count in self._batches)
        return not self.limit or failed < _LEAST or failed <= seen * self.limit
