"""One run of numbers: the dates of its gaps, its counters, its days."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from monitor.counting.streams import MAX_SERIES, Gap, Run, Stream, StreamKey, ranges, stream_of
from schemas.events import Event
from schemas.topics import Topic
from tests.factories import OTHER_UNIT, UNIT, make_declaration, make_event, make_forms, make_health_records

FIRST = date(2024, 9, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def stream_after(*noted: tuple[int, int]) -> Stream:
    """A stream that took in these numbers, each of such a day."""
    stream = Stream()
    for number, of in noted:
        stream.note(number, day(of))
    return stream


def test_a_stream_that_nobody_has_sent_in_awaits_one_and_has_no_day() -> None:
    assert Stream() == Stream(1, [], 0, 0, 0, 0, 0, 0, None, None, None)
    assert Stream().awaits(1)
    assert not Stream().awaits(0)


@pytest.mark.parametrize("noted", [(), (1,), (3,), (1, 2, 5, 6, 9), (4, 9, 2)])
def test_of_many_numbers_those_are_awaited_that_are_awaited_alone(noted: Sequence[int]) -> None:
    stream = stream_after(*((number, 0) for number in noted))
    numbers = [11, *range(11), 4]
    assert stream.awaited(np.array(numbers)).tolist() == [stream.awaits(number) for number in numbers]


def test_a_gap_has_the_dates_of_the_numbers_around_it() -> None:
    assert stream_after((4, 3)).gaps == [Gap(1, 3, None, day(3))]
    assert stream_after((1, 1), (4, 3)).gaps == [Gap(2, 3, day(1), day(3))]
    assert stream_after((1, 1), (4, 3), (9, 2)).gaps == [Gap(2, 3, day(1), day(3)), Gap(5, 8, day(3), day(2))]


def test_what_fills_a_gap_dates_what_is_left_of_it() -> None:
    whole = ((1, 1), (9, 9))
    assert stream_after(*whole, (5, 4)).gaps == [Gap(2, 4, day(1), day(4)), Gap(6, 8, day(4), day(9))]
    assert stream_after(*whole, (2, 4)).gaps == [Gap(3, 8, day(4), day(9))]
    assert stream_after(*whole, (8, 4)).gaps == [Gap(2, 7, day(1), day(4))]


def test_the_last_date_is_that_of_the_greatest_number_and_the_range_is_that_of_all() -> None:
    stream = stream_after((1, 5), (4, 3), (2, 1), (3, 9))
    assert (stream.last_date, stream.oldest_date, stream.newest_date) == (day(3), day(1), day(9))


def test_what_was_skipped_and_what_was_filled_are_counted_number_by_number() -> None:
    stream = stream_after((3, 0), (7, 0))
    assert (stream.next_sequence, stream.skipped, stream.filled) == (8, 5, 0)
    for number in (1, 5, 4):
        stream.note(number, FIRST)
    assert (stream.next_sequence, stream.skipped, stream.filled) == (8, 5, 3)


def test_a_run_is_taken_in_as_its_numbers_would_be() -> None:
    runs = stream_after((2, 4))
    runs.note_run(Run(3, 5, day(3), day(6), day(1), day(8)))
    assert (runs.gaps, runs.skipped, runs.next_sequence) == ([Gap(1, 1, None, day(4))], 1, 6)
    assert (runs.last_date, runs.oldest_date, runs.newest_date) == (day(6), day(1), day(8))
    runs.note_run(Run(9, 10, day(3), day(2), day(2), day(3)))
    assert (runs.gaps[1:], runs.skipped, runs.next_sequence) == ([Gap(6, 8, day(6), day(3))], 4, 11)
    assert (runs.last_date, runs.oldest_date, runs.newest_date) == (day(2), day(1), day(8))


@pytest.mark.parametrize(("number", "awaited"), [(1, True), (2, True), (3, False), (4, True), (6, True), (7, False), (8, True)])
def test_what_lies_in_a_gap_or_beyond_the_end_is_awaited(number: int, awaited: bool) -> None:
    assert stream_after((3, 0), (7, 0)).awaits(number) is awaited


@pytest.mark.parametrize("number", [3, 7])
def test_a_number_that_was_noted_changes_nothing_a_second_time(number: int) -> None:
    stream = stream_after((3, 0), (7, 0))
    with pytest.raises(ValueError, match=f"^sequence {number} is not awaited$"):
        stream.note(number, FIRST)
    assert (stream.next_sequence, stream.skipped, stream.filled) == (8, 5, 0)


@pytest.mark.parametrize(
    ("event", "topic"),
    [
        (make_event(series="b"), Topic.CDA_DOCUMENTS),
        (make_forms(series="b"), Topic.REALTIME_FORMS),
        (make_declaration(series="b"), Topic.DECLARATIONS),
        (make_health_records(series="b"), Topic.HEALTH_RECORDS),
    ],
)
def test_an_event_is_a_member_of_the_stream_of_its_unit_topic_and_series(event: Event, topic: Topic) -> None:
    assert stream_of(event) == StreamKey(UNIT, topic, "b")
    assert stream_of(make_event(unit_id=OTHER_UNIT)) == StreamKey(OTHER_UNIT, Topic.CDA_DOCUMENTS, "")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], []),
        ([7], [(7, 7)]),
        ([3, 1, 2], [(1, 3)]),
        ([5, 1, 2, 5, 9, 8], [(1, 2), (5, 5), (8, 9)]),
        ([1, 3, 5], [(1, 1), (3, 3), (5, 5)]),
    ],
)
def test_numbers_that_follow_each_other_are_one_range(numbers: Sequence[int], expected: list[tuple[int, int]]) -> None:
    assert ranges(numbers) == expected


def test_a_unit_may_begin_a_series_every_day_for_ten_years() -> None:
    assert MAX_SERIES > 10 * 366
