"""Rows by their keys, and what the rows of each come to."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from monitor.counting.groups import Groups

KEYS: Sequence[list[list[int]]] = (
    [[3, 1, 3, 1, 2]],
    [[7]],
    [[]],
    [[], []],
    [[1, 0, 1, 0, 1], [0, 1, 1, 0, 0]],
    [[5, 5, -4], [9, 8, 9], [2, 2, 2]],
    [[0, 65_535, 0, 65_536, 65_535]],
    [[-1, -65_537, -1]],
    [[10**12, 10**12 + 65_536, 10**12]],
    [[0, 1, 0, 1], [0, 40_000, 40_000, 0], [0, 9, 40_000, 0]],
    [[row % 7 for row in range(500)]],
    [[row % 7 for row in range(500)], [row * 31 % 70_000 for row in range(500)]],
)


def groups_of(*keys: Sequence[int]) -> Groups:
    return Groups([np.array(key, np.int64) for key in keys])


@pytest.mark.parametrize("keys", KEYS, ids=str)
def test_the_rows_of_a_group_have_the_same_keys_and_stand_in_their_own_order(keys: list[list[int]]) -> None:
    rows = defaultdict(list)
    for row, key in enumerate(zip(*keys, strict=True)):
        rows[key].append(row)
    expected = [rows[key] for key in sorted(rows)]
    groups = groups_of(*keys)
    spans = zip(groups.begins.tolist(), groups.ends.tolist(), strict=True)
    assert [groups.order[begin:end].tolist() for begin, end in spans] == expected
    assert groups.first.tolist() == [found[0] for found in expected]
    assert groups.counts() == list(map(len, expected))
    assert np.flatnonzero(groups.is_first).tolist() == groups.begins.tolist()


def test_what_the_rows_of_each_group_come_to() -> None:
    groups = groups_of([2, 1, 2, 2])
    values = np.array([5, 2**60 + 1, -3, 2**60])
    assert groups.sums(values) == [2**60 + 1, 2**60 + 2]
    assert groups.least(values) == [2**60 + 1, -3]
    assert groups.greatest(values) == [2**60 + 1, 2**60]
    assert groups.sums(np.array([True, False, True, True])) == [0, 3]


def test_no_rows_come_to_nothing() -> None:
    groups, nothing = groups_of([]), np.empty(0, np.int64)
    assert (groups.counts(), groups.sums(nothing), groups.least(nothing), groups.greatest(nothing)) == ([], [], [], [])
