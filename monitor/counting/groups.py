"""Rows of columns that have something in common, and what they come to. Core."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Final

import numpy as np

from schemas.codec.packed import Marks, Numbers

_16_BITS: Final = 2**16


class Groups:
    """Rows by their keys: numbers, alike in all rows of a group.

    `order` has the rows group by group, the least key first, in their own order within each. A group's rows begin at its place
    in `begins`; `first` has the first row of each.
    """

    def __init__(self, keys: Sequence[Numbers]) -> None:
        key = reduce(_joined, (found - found.min() for found in keys)) if len(keys[0]) else keys[0]
        small = not len(key) or int(key.max()) < _16_BITS
        self.order = np.argsort(key.astype(np.uint16) if small else key, kind="stable")  # numpy counts what is that small
        ordered = key[self.order]
        self.is_first: Marks = np.ones(len(key), bool)
        np.not_equal(ordered[1:], ordered[:-1], out=self.is_first[1:])
        self.begins: Numbers = np.flatnonzero(self.is_first)
        self.ends: Numbers = np.append(self.begins, len(key))[1:]
        self.first = self.order[self.begins]

    def counts(self) -> list[int]:
        """How many rows each group has."""
        return self._listed(self.ends - self.begins)

    def sums(self, values: Numbers | Marks) -> list[int]:
        """Of each group, its rows' values added up; of marks, how many there are."""
        return self._reduced(np.add, values)

    def least(self, values: Numbers) -> list[int]:
        """Of each group, the least of its rows' values."""
        return self._reduced(np.minimum, values)

    def greatest(self, values: Numbers) -> list[int]:
        """Of each group, the greatest of its rows' values."""
        return self._reduced(np.maximum, values)

    def _reduced(self, how: np.ufunc, values: Numbers | Marks) -> list[int]:
        return self._listed(how.reduceat(values[self.order], self.begins)) if len(self.begins) else []

    @staticmethod
    def _listed(values: Any) -> list[int]:
        found: list[int] = values.tolist()
        return found


def _joined(before: Numbers, after: Numbers) -> Numbers:
    """One number for both. Units by codes by days by days are fewer than 2^63."""
    joined: Numbers = before * (int(after.max()) + 1) + after
    return joined
