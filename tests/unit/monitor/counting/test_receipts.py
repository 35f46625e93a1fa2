"""Receipts are found by their number, in runs stored and added; ids of other series are remembered."""

from datetime import date, timedelta

import numpy as np
import pytest

from monitor.counting.receipt_hash import split_hashes
from monitor.counting.receipts import OtherSeries, ReceiptRun, Receipts
from monitor.counting.streams import StreamKey
from schemas.topics import Topic
from tests.factories import OTHER_UNIT, UNIT
from tests.unit.monitor.merging import hashed

KEY = StreamKey(UNIT, Topic.CDA_DOCUMENTS, "")
B = KEY._replace(series="b")
FORMS = KEY._replace(topic=Topic.REALTIME_FORMS)
ELSEWHERE = KEY._replace(unit_id=OTHER_UNIT)
DAY = date(2024, 9, 9)
EVE = DAY - timedelta(days=1)


def run_of(*numbers: int, stream: StreamKey = KEY, day: date = DAY) -> ReceiptRun:
    """The receipts of numbers that follow each other, each made of the stream and its number."""
    return ReceiptRun(stream, numbers[0], day, day, b"".join(receipt(number, stream) for number in numbers))


def receipt(number: int, stream: StreamKey = KEY) -> bytes:
    return hashed(f"{stream}/{number}")


def test_a_run_ends_with_its_last_number_and_knows_its_own_only() -> None:
    run = run_of(4, 5, 6)
    assert run.last == 6
    assert [run.hash_of(number) for number in range(3, 8)] == [None, receipt(4), receipt(5), receipt(6), None]


def test_a_stored_receipt_is_found_in_its_own_stream_between_runs_that_lie_anywhere() -> None:
    receipts = Receipts([run_of(9), run_of(4, 5), run_of(5, stream=B), run_of(1, stream=FORMS)])
    assert [receipts.find(KEY, number) for number in range(3, 11)] == [
        None,
        receipt(4),
        receipt(5),
        None,
        None,
        None,
        receipt(9),
        None,
    ]
    assert receipts.find(B, 5) == receipt(5, B)
    assert receipts.find(B, 4) is None
    assert receipts.find(ELSEWHERE, 4) is None


def test_many_numbers_are_held_against_their_receipts_at_once_as_each_is_alone() -> None:
    receipts = Receipts([run_of(9), run_of(4, 5), run_of(5, stream=B)])
    for number in (7, 6, 12):
        receipts.add(KEY, number, DAY, receipt(number))
    numbers = np.array([12, 5, 4, 1, 9, 6, 13, 7, 5, 8, 4])
    given = [receipt(number) for number in numbers.tolist()]
    given[1] = given[5] = given[6] = receipt(1)
    words = np.frombuffer(b"".join(given), "<u8")
    for stream in (KEY, B, ELSEWHERE):
        alone = [receipts.find(stream, number) not in (None, of) for number, of in zip(numbers.tolist(), given, strict=True)]
        assert receipts.differ(stream, numbers, words).tolist() == alone
    assert np.flatnonzero(receipts.differ(KEY, numbers, words)).tolist() == [1, 5], "13 has no receipt"


def test_an_added_receipt_is_found_beside_the_stored_ones() -> None:
    receipts = Receipts([run_of(1, 2), run_of(8)])
    for number in (5, 4, 6, 3):
        receipts.add(KEY, number, DAY, receipt(number))
    assert [receipts.find(KEY, number) for number in range(1, 10)] == [
        *(receipt(number) for number in range(1, 7)),
        None,
        receipt(8),
        None,
    ]


def test_only_what_was_added_is_given_back_by_stream_and_number() -> None:
    receipts = Receipts([run_of(1)])
    receipts.add(B, 3, DAY, receipt(3, B))
    for number in (7, 4, 5):
        receipts.add(KEY, number, DAY, receipt(number))
    assert list(receipts.added()) == [run_of(4, 5), run_of(7), run_of(3, stream=B)]
    assert list(Receipts([run_of(1)]).added()) == []


def test_numbers_that_follow_each_other_are_one_run_with_the_range_of_their_dates() -> None:
    receipts = Receipts()
    receipts.add(KEY, 1, DAY, receipt(1))
    receipts.add(KEY, 2, EVE, receipt(2))
    receipts.add_run(run_of(3, 4, day=DAY + timedelta(days=1)))
    assert list(receipts.added()) == [
        ReceiptRun(KEY, 1, EVE, DAY + timedelta(days=1), b"".join(receipt(number) for number in (1, 2, 3, 4)))
    ]


def test_a_number_before_a_run_begins_another() -> None:
    receipts = Receipts()
    for number in (5, 4, 2):
        receipts.add(KEY, number, DAY, receipt(number))
    assert [(run.first, run.last) for run in receipts.added()] == [(2, 2), (4, 4), (5, 5)]
    receipts.add(KEY, 3, DAY, receipt(3))
    assert [(run.first, run.last) for run in receipts.added()] == [(2, 3), (4, 4), (5, 5)]


def test_the_receipts_of_a_run_are_split_one_by_one() -> None:
    assert split_hashes(run_of(1, 2, 3).hashes) == [receipt(1), receipt(2), receipt(3)]
    assert split_hashes(b"") == []


@pytest.mark.parametrize(("stream", "known"), [(KEY, False), (B, True), (FORMS, False), (ELSEWHERE, False)])
def test_an_id_is_known_from_another_series_of_its_unit_and_topic(stream: StreamKey, known: bool) -> None:
    other = OtherSeries({(UNIT, Topic.CDA_DOCUMENTS): {}, (UNIT, Topic.REALTIME_FORMS): {}, (OTHER_UNIT, KEY.topic): {}})
    other.add(KEY, [hashed("a"), hashed("b")])
    assert other.has(stream, hashed("a")) is known
    assert other.has(stream, hashed("b")) is known
    assert not other.has(stream, hashed("c"))


def test_an_id_that_came_in_several_series_is_known_from_another_in_each() -> None:
    other = OtherSeries({(UNIT, KEY.topic): {}})
    other.add(KEY, [hashed("a")])
    other.add(KEY, [hashed("a")])
    assert not other.has(KEY, hashed("a")), "twice in one series is one series"
    other.add(B, [hashed("a"), hashed("b")])
    assert other.has(KEY, hashed("a"))
    assert other.has(B, hashed("a"))
    assert not other.has(B, hashed("b"))
    other.add(B, [hashed("a")])
    assert other.has(B, hashed("a")), "and so it stays"


def test_of_a_unit_with_one_series_nothing_is_remembered() -> None:
    other = OtherSeries()
    other.add(KEY, [hashed("a")])
    assert other.ids == {}
    assert not other.watches(KEY)
    assert not other.has(B, hashed("a"))
    assert OtherSeries({(UNIT, KEY.topic): {}}).watches(B)
