from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.simulator.apportion import apportion, fill_matrix, share

counts = st.integers(0, 10**15)


@given(counts, st.lists(counts, min_size=1, max_size=40), st.integers(0, 3))
def test_parts_add_up_and_have_the_least(total: int, weights: list[int], least: int) -> None:
    total += least * len(weights)
    parts = apportion(total, weights, least)
    assert sum(parts) == total
    assert min(parts) >= least


@given(counts, st.lists(st.integers(1, 1000), min_size=1, max_size=40))
def test_no_part_is_a_whole_unit_away_from_its_quota(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    for part, weight in zip(apportion(total, weights), weights, strict=True):
        assert abs(part * whole - total * weight) < whole


def test_equal_weights_stand_in_for_weights_that_are_all_zero() -> None:
    assert apportion(5, [0, 0]) == [3, 2]


@pytest.mark.parametrize(("total", "parts", "least"), [(1, 0, 0), (2, 3, 1)])
def test_a_total_that_cannot_be_divided_is_refused(total: int, parts: int, least: int) -> None:
    with pytest.raises(ValueError, match="cannot be divided"):
        apportion(total, [1] * parts, least)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20), st.integers(1, 31), st.integers(0, 2**32))
def test_a_matrix_has_the_row_and_column_sums_it_was_given(rows: list[int], width: int, seed: int) -> None:
    random = Random(seed)
    columns = apportion(sum(rows), [random.randint(0, 9) for _ in range(width)])
    matrix = fill_matrix(rows, columns, random)
    assert [sum(row) for row in matrix] == rows
    assert [sum(column) for column in zip(*matrix, strict=True)] == columns
    assert min(min(row) for row in matrix) >= 0


def test_a_matrix_whose_sums_differ_is_refused() -> None:
    with pytest.raises(ValueError, match="rows add up to 3 and columns to 4"):
        fill_matrix([1, 2], [4], Random(0))


@given(counts, st.integers(1, 200))
def test_shares_add_up_and_differ_by_at_most_one(total: int, parts: int) -> None:
    shares = [share(total, index, parts) for index in range(parts)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1
