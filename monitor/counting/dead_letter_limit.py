"""How many dead letters are too many. Core.

A bad deployment (a register that lost units, a schema that was not shipped) would turn everybody's messages into dead
letters. Whoever counts stops before that, with nothing passed over: the messages are still on the broker when it is
mended. One unit that sends nonsense, however much, is that unit's affair: its messages are set aside, and the others go on.
"""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

DEFAULT_LIMIT: Final = 0.5
_WINDOW: Final = 2_000
"""Messages looked back at: some minutes of a large platform."""
_LEAST: Final = 500
"""Fewer dead letters than this are never too many, whoever sent them."""
_LEAST_UNITS: Final = 3
"""So many units have to fail before it is our fault rather than theirs."""
_MEMORY: Final = 100
"""Messages of a unit after which the earlier ones count half: whether it fails is judged by its latest."""


@dataclass
class _Sender:
    messages: float = 0
    failed: float = 0

    def note(self, messages: int, failed: int) -> None:
        if self.messages > _MEMORY:
            self.messages, self.failed = self.messages / 2, self.failed / 2
        self.messages += messages
        self.failed += failed


@dataclass
class DeadLetterLimit:
    """Watches how many of the units fail. `limit` is their share, 0 to 1; 0 means no limit.

    `units` are those that the register knows. A unit fails while more than that share of its latest messages does.
    """

    limit: float
    units: Collection[str]
    _known: dict[str, _Sender] = field(default_factory=dict)
    _latest: deque[tuple[int, int]] = field(default_factory=deque)
    _strangers: set[str] = field(default_factory=set)

    def allows(self, taken: Mapping[str, int], failed: Mapping[str | None, int]) -> bool:
        """Whether a batch with so many messages taken and failed, by sender, may be passed; takes note of it."""
        if not self.limit:
            return True
        for sender in {*taken, *failed}:
            if sender is not None and sender in self.units:
                count = taken.get(sender, 0) + failed.get(sender, 0)
                self._known.setdefault(sender, _Sender()).note(count, failed.get(sender, 0))
        self._latest.append((sum(taken.values()), sum(failed.values())))
        self._forget()
        self._note_strangers(taken, failed)
        letters = sum(count for _, count in self._latest)
        return letters < _LEAST or not (self._most_units_fail() or self._only_strangers())

    def _forget(self) -> None:
        seen = sum(taken + failed for taken, failed in self._latest)
        while len(self._latest) > 1 and seen - sum(self._latest[0]) >= _WINDOW:
            seen -= sum(self._latest.popleft())

    def _note_strangers(self, taken: Mapping[str, int], failed: Mapping[str | None, int]) -> None:
        """Who is unknown, since a message was last taken; no more of them than are too many. A batch may hold any number."""
        if any(taken.values()):
            self._strangers.clear()
        for sender in failed:
            if sender is not None and sender not in self.units and len(self._strangers) < self._too_many():
                self._strangers.add(sender)

    def _most_units_fail(self) -> bool:
        failing = sum(sender.failed > self.limit * sender.messages for sender in self._known.values())
        return failing >= _LEAST_UNITS and failing > self.limit * len(self._known)

    def _only_strangers(self) -> bool:
        """So many unknown senders, and nobody else of late, mean that it is the register that lost them."""
        return len(self._strangers) >= self._too_many() and not any(taken for taken, _ in self._latest)

    def _too_many(self) -> int:
        return max(len(self.units) // 2, _LEAST_UNITS)
