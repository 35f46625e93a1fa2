"""What is too far from the usual for chance, border by border. Levels are made by hand, of little noise unless it matters."""

from math import log

import pytest

from monitor.judgement.rules.change import all_high, all_low, declines, is_far, next_to_nothing
from monitor.judgement.rules.usual import Level


def usual(middle: int, lowest: int = 0, highest: int = 0, noise: float = 0.01) -> Level:
    return Level(middle, lowest or middle, highest or middle, noise, 20)


@pytest.mark.parametrize(
    ("level", "days", "low"),
    [
        pytest.param(usual(1000, 900), [450, 100], False, id="45 % of the usual"),
        pytest.param(usual(1000, 900), [449, 100], True, id="less on each day"),
        pytest.param(usual(1000, 300), [300, 50], False, id="as low as the lowest day before"),
        pytest.param(usual(1000, 300), [299, 50], True, id="lower on each day"),
        pytest.param(usual(2000, 999), [699, 699], False, id="70 % of the lowest day before"),
        pytest.param(usual(2000, 999), [698, 698], True, id="less than that"),
        pytest.param(usual(1000, 900, noise=0.9), [300, 300], False, id="of a noisy unit"),
    ],
)
def test_run_far_below(level: Level, days: list[int], low: bool) -> None:
    assert all_low([(records, level) for records in days]) == low


@pytest.mark.parametrize(
    ("level", "days", "high"),
    [
        pytest.param(usual(20), [44, 200, 200], False, id="2.2 times the usual"),
        pytest.param(usual(20), [45, 200, 200], True, id="more on each day"),
        pytest.param(usual(1000, highest=3000), [3000, 9000], False, id="as high as the highest day before"),
        pytest.param(usual(1000, highest=3000), [3001, 9000], True, id="higher on each day"),
        pytest.param(usual(500, highest=999), [1399, 1399], False, id="1.4 times the highest day before"),
        pytest.param(usual(500, highest=999), [1400, 1400], True, id="more than that"),
        pytest.param(usual(1000, noise=0.9), [3000, 3000], False, id="of a noisy unit"),
        pytest.param(usual(1000, 900, 1100), [100, 100], False, id="less than the usual"),
    ],
)
def test_run_far_above(level: Level, days: list[int], high: bool) -> None:
    assert all_high([(records, level) for records in days]) == high


@pytest.mark.parametrize(
    ("level", "records", "nothing"),
    [
        (usual(400, 200), 20, False),
        (usual(400, 200), 19, True),
        (usual(200, 400), 19, True),
        (usual(200, 400), 20, False),
        (usual(400, 200, noise=1.5), 1, False),
    ],
    ids=["a tenth of the lowest day", "less", "of the middle", "a tenth of the middle", "of a noisy unit"],
)
def test_one_day_near_nothing(level: Level, records: int, nothing: bool) -> None:
    assert next_to_nothing(records, level) == nothing


@pytest.mark.parametrize(
    ("distances", "far"),
    [
        ([4, 4], False),
        ([4.01, 4], True),
        ([2, 9], False),
        ([2.01, 9], True),
        ([4 * 2**0.5 - 0.01], False),
        ([4 * 2**0.5 + 0.01], True),
        ([3.26, 3.26, 3.26], False),
        ([3.27, 3.27, 3.27], True),
        ([-9, -9], False),
    ],
)
def test_far_together(distances: list[float], far: bool) -> None:
    """Two days have to lie beyond four noises, and three beyond 4 × √2 / √3 = 3.266; none within two."""
    assert is_far(distances) == far


def falling(*steps: int) -> list[float]:
    """As many values as the sum of the steps, each step lower than the one before."""
    return [-0.6 * step for step, size in enumerate(steps) for _ in range(size)]


FALLEN = log(0.6)
FORTNIGHT = [-0.2 * day for day in range(14)]


def swapped(pairs: int) -> list[float]:
    """A falling fortnight with its middle days in such an order that so many of the 91 pairs rise."""
    order = list(range(14))
    while pairs:
        for place in range(13):
            if pairs and order[place] < order[place + 1] and not (place == 3 or place == 9):
                order[place], order[place + 1] = order[place + 1], order[place]
                pairs -= 1
    return [-0.2 * day for day in order]


@pytest.mark.parametrize(
    ("values", "before", "falls"),
    [
        pytest.param(FORTNIGHT, 0, True, id="day by day"),
        pytest.param(swapped(15), 0, True, id="15 of 91 pairs rise: S is −61"),
        pytest.param(swapped(16), 0, False, id="16 do: S is −59, less than 3.3 deviations"),
        pytest.param(falling(5, 5, 4), 0, True, id="days alike neither rise nor fall: S is −65"),
        pytest.param(falling(7, 7), 1, False, id="many of them: S is −49"),
        pytest.param([10, 9, 5, 4, 8, 7.9, 7, 7, 3, 2.9, 1, 0.9, 0.8, 0.7], 9, False, id="its middle as high as its beginning"),
        pytest.param([10, 9, 5, 4, 8, 7.9, 7.8, 7.7, 3, 2.9, 1, 0.9, 0.8, 0.7], 9, False, id="or higher"),
        pytest.param([10, 9, 8, 7, 6, 5.9, 5.8, 2.2, 2.1, 2, 5, 4.5, 3.5, 1], 9, False, id="its end is as high as its middle"),
        pytest.param([-0.05 * day for day in range(14)], 1, False, id="a third is four days: they lie ten steps apart"),
        pytest.param([0.1, 0, 0, -0.1, *[-0.2] * 6, *[FALLEN] * 4], 1, False, id="the end lies 40 % below the beginning"),
        pytest.param([0.1, 0, 0, -0.1, *[-0.2] * 6, *[FALLEN - 0.01] * 4], 1, True, id="and more"),
        pytest.param([1.1, 1, 1, 0.9, *[0.2] * 6, *[FALLEN] * 4], 0, False, id="40 % below the time before it"),
        pytest.param([1.1, 1, 1, 0.9, *[0.2] * 6, *[FALLEN - 0.01] * 4], 0, True, id="and more"),
        pytest.param(
            [-1, -1.01, -1.02, -1.03, *[-1.1] * 6, -1.3, -1.31, -1.32, -1.33], 1, False, id="a little below a low start"
        ),
        pytest.param(FORTNIGHT, -2, False, id="a little below a low time before"),
    ],
)
def test_decline(values: list[float], before: float, falls: bool) -> None:
    assert declines(values, before) == falls
