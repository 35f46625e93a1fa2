"""When days are too far from the usual for chance: a run far below or above, one day near nothing, a fortnight's fall. Core."""

from collections.abc import Sequence
from itertools import combinations
from math import log, sqrt
from statistics import fmean, median
from typing import Final

from monitor.judgement.rules.usual import Level

_LOW: Final = 0.45
_LOWEST: Final = 0.7
"""Below this share of the usual, and of the lowest day of the weeks before."""
_HIGH: Final = 2.2
_HIGHEST: Final = 1.4
_DISTANCE: Final = 4.0
"""Noises from the middle, on two days in a row: the chance of that is below one in a hundred million. A longer run may lie
nearer, a single day of it too, to this:"""
_LEAST_DISTANCE: Final = 2.0
_CERTAIN: Final = 0.1
"""One day below a tenth of the usual is enough, when no day of the weeks before came near it."""
_DECLINE: Final = 0.6
_CONCORDANCE: Final = 3.3
"""Kendall's S in its standard deviations; iid noise exceeds it on one fortnight in two thousand, and seldom falls 40 % then."""

Run = Sequence[tuple[float, Level]]
"""Documents of days in a row, each beside what is usual for such a day."""


def next_to_nothing(records: float, level: Level) -> bool:
    """Whether one day alone is a drop."""
    return records < _CERTAIN * min(level.middle, level.lowest) and -level.distance(int(records)) > _DISTANCE


def all_low(run: Run) -> bool:
    """Hysteresis is in the comparison: a run is compared with the days before it, not with itself."""
    below = [log((records + 1) / (level.lowest + 1)) for records, level in run]
    each = all(records < _LOW * level.middle and records < level.lowest for records, level in run)
    return each and fmean(below) < log(_LOWEST) and is_far([-level.distance(int(records)) for records, level in run])


def all_high(run: Run) -> bool:
    """The same for days above the usual, and above the highest of the weeks before."""
    above = [log((records + 1) / (level.highest + 1)) for records, level in run]
    each = all(records > _HIGH * level.middle and records > level.highest for records, level in run)
    return each and fmean(above) > log(_HIGHEST) and is_far([level.distance(int(records)) for records, level in run])


def is_far(distances: Sequence[float]) -> bool:
    """Whether each day is far from the middle (in noises), and all are as unusual together as two days that lie beyond doubt."""
    return min(distances) > _LEAST_DISTANCE and sum(distances) / sqrt(2 * len(distances)) > _DISTANCE


def declines(values: Sequence[float], before: float) -> bool:
    """Whether it falls day by day, to below what it was before the fortnight, too: after a surge it only falls back.

    `values` and `before` are logarithms.
    """
    size = len(values)
    concordance = sum((late > early) - (late < early) for early, late in combinations(values, 2))
    deviation = sqrt(size * (size - 1) * (2 * size + 5) / 18)
    third = size // 3
    first, middle, last = median(values[:third]), median(values[third:-third]), median(values[-third:])
    falls = concordance <= -_CONCORDANCE * deviation and first > middle > last
    return falls and last - first < log(_DECLINE) and last - before < log(_DECLINE)
