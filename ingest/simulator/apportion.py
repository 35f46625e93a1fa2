"""Exact integer apportionment. Core.

Invariant: whatever is divided adds up to what was given, to the unit; no floating point takes part.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random


def apportion(total: int, weights: Sequence[int], least: int = 0) -> list[int]:
    """Divide `total` in proportion to `weights` by largest remainders, giving every part at least `least`.

    Weights that are all 0 count as equal. Ties go to the earlier part. Raises ValueError when the parts cannot all have
    `least`, or when there is a total but no part to take it.
    """
    rest = total - least * len(weights)
    if rest < 0 or (rest and not weights):
        raise ValueError(f"{total} cannot be divided into {len(weights)} parts of at least {least}")
    whole = sum(weights)
    if not whole:
        weights, whole = [1] * len(weights), len(weights)
    parts = [least + rest * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(rest * weights[index] % whole))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def fill_matrix(rows: Sequence[int], columns: Sequence[int], random: Random) -> list[list[int]]:
    """A matrix of whole numbers >= 0 with exactly these row and column sums, every cell close to its proportional share.

    Each row is cut out of what the columns still have left. A cell is its quota rounded down or up, and the quota never
    exceeds the (whole) rest of its column, so no column is overdrawn and the last row takes what is left.
    Raises ValueError when the sums differ.
    """
    if sum(rows) != sum(columns):
        raise ValueError(f"rows add up to {sum(rows)} and columns to {sum(columns)}")
    left = list(columns)
    matrix = []
    for row in rows:
        cells = _cut(row, left, random)
        left = [rest - cell for rest, cell in zip(left, cells, strict=True)]
        matrix.append(cells)
    return matrix


def share(total: int, index: int, parts: int) -> int:
    """Part `index` (from 0) of `total` cut into `parts` parts that differ by at most 1; all parts add up to `total`."""
    return total * (index + 1) // parts - total * index // parts


def _cut(total: int, weights: Sequence[int], random: Random) -> list[int]:
    """Divide `total` by cumulative rounding from a random start: small totals do not always fall on the heaviest parts."""
    whole = sum(weights)
    if not total or not whole:
        return [0] * len(weights)
    start = random.randrange(whole)
    marks = [(total * reached + start) // whole for reached in accumulate(weights, initial=0)]
    return [after - before for before, after in pairwise(marks)]
