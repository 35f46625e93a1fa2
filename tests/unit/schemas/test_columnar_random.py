"""The columns against their oracle, `decode`, on what nobody thought of."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec.identifiers import is_identifier
from schemas.codec.packed import Packed
from schemas.codec.packed_identifiers import mark_no_identifiers
from schemas.topics import Topic
from tests.unit.schemas.conftest import COLUMNAR_TOPICS, Versions
from tests.unit.schemas.test_columnar import (
    FIELDS,
    MAKERS,
    REGISTER,
    good_numbers,
    held_against_decode,
    identifiers,
    messages,
    raw_fields,
    small_numbers,
    texts,
    with_raw,
)
from tests.unit.schemas.test_decode_fuzz import edits, mutated


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(COLUMNAR_TOPICS))
def test_columns_hold_what_decode_makes_of_each_message(data: st.DataObject, topic: Topic) -> None:
    values = data.draw(st.lists(messages(topic), max_size=12))
    held_against_decode(values, topic)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(COLUMNAR_TOPICS))
def test_what_is_plain_and_good_is_never_odd(data: st.DataObject, topic: Topic) -> None:
    """Else the columns would be right, and slow."""
    measures = {name: st.none() | good_numbers for name in FIELDS[topic] if name.endswith(("_cents", "_total", "_visits"))}
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "event_id": identifiers,
        "series": st.just("") | identifiers,
        "sequence": good_numbers,
        "unit_id": st.sampled_from(list(REGISTER.units)),
        **measures,
    }
    values = [with_raw(MAKERS[topic](), data.draw(st.fixed_dictionaries(kinds))) for _ in range(data.draw(st.integers(1, 6)))]
    assert held_against_decode(values, topic) == set(range(len(values)))


@pytest.mark.parametrize("topic", COLUMNAR_TOPICS)
def test_versions_mixed_in_one_batch_are_each_read_as_decode_reads_them(topic: Topic, three_versions: Versions) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 2), raw_fields(topic), texts, st.none() | small_numbers, edits), max_size=6))
    def holds(cases: list[tuple[int, dict[str, Any], str, int | None, list[tuple[int, str, bytes]]]]) -> None:
        values = []
        for number, raw, channel, tries, changes in cases:
            more = {"channel": channel, "tries": tries} if number == 1 else {}
            value = with_raw(MAKERS[topic](), raw | more, three_versions[topic][number])
            values.append(mutated(value, changes[:1]) if len(changes) > 3 else value)
        held_against_decode(values, topic)

    holds()


odd_characters = st.sampled_from("09:/-_~+=;@AZ[az{`^\x7f\x80\xe9 1234567")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(odd_characters, max_size=60), min_size=1, max_size=8), st.data())
def test_identifiers_in_columns_are_told_as_one_by_one(texts: list[str], data: st.DataObject) -> None:
    digits = data.draw(st.integers(0, 30))
    texts += ["x" * digits + "11010519491231002X", "x" * digits + "110105194912310021" + "y" * (digits % 9), "7" * digits]
    raw = [text.encode() for text in texts]
    lengths = np.array([len(text) for text in raw], np.int64)
    odd = np.zeros(len(raw), bool)
    mark_no_identifiers(Packed([b"_", *raw]), np.cumsum(lengths) - lengths + 1, lengths, odd)
    assert [not wrong for wrong in odd.tolist()] == [is_identifier(text) for text in texts]
