"""When a worker stops for dead letters: most units fail; and when it goes on: one of them does."""

from typing import Final

import pytest

from monitor.counting.dead_letter_limit import DeadLetterLimit

UNITS: Final = [f"unit-{number}" for number in range(40)]
STRANGERS: Final = [f"stranger-{number}" for number in range(30)]
Step = tuple[dict[str, int], dict[str | None, int]]


def each(senders: list[str], count: int) -> dict[str, int]:
    return dict.fromkeys(senders, count)


def failed(senders: list[str], count: int) -> dict[str | None, int]:
    return dict.fromkeys(senders, count)


CALM: Final[Step] = (each(UNITS, 60), {})


@pytest.mark.parametrize(
    ("limit", "steps", "allowed"),
    [
        pytest.param(0.5, [CALM, ({}, failed(UNITS[:1], 1_200))], True, id="one unit's burst"),
        pytest.param(0.5, [({}, failed(UNITS[:1], 100))] * 12, True, id="one unit's burst on a quiet night, seen from its start"),
        pytest.param(0.5, [({}, failed(UNITS[:2], 600))], True, id="two units' burst"),
        pytest.param(0.5, [({}, failed(UNITS[:3], 200))], False, id="three units, and nobody else"),
        pytest.param(0.5, [CALM, ({}, failed(UNITS[:20], 300))], True, id="half of the units is the limit"),
        pytest.param(0.5, [CALM, ({}, failed(UNITS[:21], 300))], False, id="more than half of the units"),
        pytest.param(0.5, [CALM, *[({}, failed(UNITS, 1))] * 70], False, id="small batches add up"),
        pytest.param(0.5, [({}, failed(UNITS, 12))], True, id="fewer than 500 are never too many"),
        pytest.param(0.5, [({}, failed(UNITS, 13))], False, id="500 and more are"),
        pytest.param(0.5, [CALM, ({}, failed(UNITS, 300)), (each(UNITS, 700), {})], True, id="mended"),
        pytest.param(0.5, [CALM, ({}, failed(STRANGERS[:10], 300))], True, id="some senders that nobody registered"),
        pytest.param(0.5, [({}, failed(STRANGERS, 100))], False, id="the register lost its units"),
        pytest.param(0.5, [(each(UNITS, 1), failed(STRANGERS, 30))], True, id="strangers beside units that are counted"),
        pytest.param(0.5, [CALM, ({}, {None: 5_000})], True, id="nobody says whose they are"),
        pytest.param(0, [({}, failed(UNITS, 5_000))], True, id="no limit"),
        pytest.param(1, [({}, failed(UNITS, 5_000))], True, id="all may fail"),
    ],
)
def test_a_worker_stops_when_most_units_fail(limit: float, steps: list[Step], allowed: bool) -> None:
    watched = DeadLetterLimit(limit, UNITS)
    assert [watched.allows(*step) for step in steps][-1] is allowed


def test_a_unit_fails_while_more_than_its_share_of_its_latest_messages_does() -> None:
    """By what failed of 1,000 messages of each of three units; nobody else sends."""
    for failing, allowed in ((500, True), (501, False)):
        watched = DeadLetterLimit(0.5, UNITS)
        assert watched.allows(each(UNITS[:3], 1_000 - failing), failed(UNITS[:3], failing)) is allowed


def test_the_earlier_messages_of_a_unit_count_half_once_there_are_more_than_a_hundred() -> None:
    for before, allowed in ((100, True), (101, False), (119, False), (120, True)):  # 101 count for 50.5, against 60 that fail
        watched = DeadLetterLimit(0.5, UNITS[:9])
        assert watched.allows(each(UNITS[:9], before), {})
        assert watched.allows({}, failed(UNITS[:9], 60)) is allowed


def test_the_earlier_failures_of_a_unit_count_half_too() -> None:
    for taken, allowed in ((99, False), (100, True)):  # 200 that failed count for 100
        watched = DeadLetterLimit(0.5, UNITS[:9])
        assert not watched.allows({}, failed(UNITS[:9], 200))
        assert watched.allows(each(UNITS[:9], taken), {}) is allowed


@pytest.mark.parametrize(("latest", "allowed"), [(19, True), (20, False)])
def test_a_batch_is_forgotten_when_two_thousand_messages_came_after_it(latest: int, allowed: bool) -> None:
    watched = DeadLetterLimit(0.5, UNITS)
    assert watched.allows({UNITS[0]: 300}, {})
    assert watched.allows({UNITS[0]: 300}, {})
    assert watched.allows({}, failed(STRANGERS[:20], 99)), "so many strangers, and nobody else, would be too many"
    assert watched.allows({}, {STRANGERS[0]: latest}) is allowed


def test_a_great_batch_makes_forget_all_before_it_and_is_not_forgotten_itself() -> None:
    watched = DeadLetterLimit(0.5, UNITS)
    for _ in range(3):
        assert watched.allows({UNITS[0]: 100}, {})
    assert not watched.allows({}, failed(STRANGERS[:20], 200))


def test_as_many_strangers_as_half_of_the_units_and_three_at_least_mean_that_the_register_lost_them() -> None:
    for count, strangers, allowed in ((40, 20, False), (40, 19, True), (41, 20, False), (4, 3, False), (4, 2, True)):
        watched = DeadLetterLimit(0.5, UNITS[:count] if count <= 40 else [*UNITS, "one more"])
        assert watched.allows({}, failed(STRANGERS[:strangers], 600)) is allowed


def test_strangers_add_up_over_batches() -> None:
    watched = DeadLetterLimit(0.5, UNITS)
    assert watched.allows({}, failed(STRANGERS[:10], 60))
    assert not watched.allows({}, failed(STRANGERS[10:20], 60))


def test_strangers_add_up_however_great_the_batches_are() -> None:
    """A backlog comes by the partition: each of a few strangers, and of more messages than are looked back at."""
    watched = DeadLetterLimit(0.5, UNITS)
    assert watched.allows(*CALM)
    assert watched.allows({}, failed(STRANGERS[:10], 5_000))
    assert not watched.allows({}, failed(STRANGERS[10:20], 5_000))


def test_a_message_that_is_taken_makes_forget_the_strangers_before_it() -> None:
    watched = DeadLetterLimit(0.5, UNITS)
    assert watched.allows({}, failed(STRANGERS[:10], 5_000))
    assert watched.allows({UNITS[0]: 1}, {})
    assert watched.allows({}, failed(STRANGERS[10:20], 5_000))
    assert not watched.allows({}, failed(STRANGERS[20:30], 5_000))


def test_five_hundred_dead_letters_are_added_up_over_batches_whoever_sent_them() -> None:
    watched = DeadLetterLimit(0.5, UNITS)
    assert watched.allows({}, failed(UNITS[:3], 100))
    assert watched.allows({}, {UNITS[0]: 100, None: 99})
    assert not watched.allows({}, {None: 1})


def test_without_a_limit_nothing_is_noted() -> None:
    watched = DeadLetterLimit(0, UNITS)
    assert watched.allows({}, failed(UNITS, 5_000))
    watched.limit = 0.5
    assert watched.allows({}, failed(UNITS[:1], 600)), "only one unit fails"
