"""The columns against their oracle: `decode`, message by message, on the same bytes."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from schemas.clock import from_days, from_millis, to_millis
from schemas.codec import single_object
from schemas.codec.columnar import ColumnarDecoder
from schemas.codec.columns import CodeColumn, Column, DecodedColumns, NumberColumn
from schemas.codec.decode import decode
from schemas.codec.encode import encode
from schemas.codec.identifiers import is_identifier
from schemas.codec.packed import Packed
from schemas.codec.reasons import DecodeError
from schemas.events import Event
from schemas.register import load_register
from schemas.topics import EVENT_TOPICS, MAX_EVENT_BYTES, TOPIC_OF, Topic
from tests.factories import RECEIVED, make_event, make_forms, make_health_records
from tests.unit.schemas.conftest import COLUMNAR_TOPICS, Versions
from tests.unit.schemas.golden import GOLDEN
from tests.unit.schemas.test_decode import FREE_TEXTS, IDENTIFIERS
from tests.unit.schemas.test_decode_fuzz import edits, mutated

REGISTER = load_register()
MAKERS: dict[Topic, Callable[..., Event]] = {
    Topic.CDA_DOCUMENTS: make_event,
    Topic.REALTIME_FORMS: make_forms,
    Topic.HEALTH_RECORDS: make_health_records,
}
FIELDS = {topic: [field.name for field in fields(kind)] for kind, topic in TOPIC_OF.items()}

texts = st.text(st.characters(codec="utf-8"), max_size=210)
numbers = st.one_of(st.integers(0, 300), st.integers(0, 10**12), st.integers(-(2**63), 2**63 - 1))
small_numbers = st.integers(-(2**31), 2**31 - 1)
good_numbers = st.one_of(st.integers(1, 300), st.integers(1, 10**12))


@cache
def decoder(topic: Topic, _fingerprints: tuple[bytes, ...]) -> ColumnarDecoder:
    return ColumnarDecoder(topic, REGISTER)


def columns_of(values: Sequence[bytes | None], topic: Topic, received: Sequence[int] | None = None) -> DecodedColumns:
    packed = Packed([value or b"" for value in values])
    lengths = np.array([-1 if value is None else len(value) for value in values], np.int64)
    starts = np.cumsum(np.maximum(lengths, 0)) - np.maximum(lengths, 0)
    received_ms = np.array(received or [to_millis(RECEIVED)] * len(values), np.int64)
    versions = tuple(version.fingerprint for version in single_object.released())
    return decoder(topic, versions).decode(packed, starts, lengths, received_ms)


def value_at(name: str, column: Column, row: int) -> Any:
    if isinstance(column, CodeColumn):
        return column.codes[column.places[row]]
    if isinstance(column, NumberColumn):
        value = int(column.values[row])
        if column.present is not None and not column.present[row]:
            return None
        return {"event_time": from_millis, "business_date": from_days}.get(name, int)(value)
    return column.packed.slice(int(column.starts[row]), int(column.lengths[row])).decode()


def events_in(found: DecodedColumns, topic: Topic) -> dict[int, Event]:
    """The events in columns, by which message each was."""
    return {
        place: MAKERS[topic](**{name: value_at(name, found.columns[name], row) for name in FIELDS[topic]})
        for row, place in enumerate(found.rows.tolist())
    }


def refused(value: bytes | None, topic: Topic, received: int) -> bool:
    try:
        decode(value, topic, REGISTER, from_millis(received))
    except DecodeError:
        return True
    return False


def held_against_decode(values: Sequence[bytes | None], topic: Topic, received: Sequence[int] | None = None) -> set[int]:
    """Every message is in columns or odd, and what is in columns is what `decode` says; which ones are in columns."""
    received = received or [to_millis(RECEIVED)] * len(values)
    found = columns_of(values, topic, received)
    events = events_in(found, topic) if len(found.rows) else {}
    assert sorted([*events, *found.odd.tolist()]) == list(range(len(values)))
    for place, event in events.items():
        assert event == decode(values[place], topic, REGISTER, from_millis(received[place]))
    return set(events)


def with_raw(event: Event, raw: dict[str, Any], version: single_object.Released | None = None) -> bytes:
    """The message of an event with some raw Avro values in it, whatever the typed event would say to them."""
    version = version or single_object.newest_releases()[TOPIC_OF[type(event)]]
    record = {name: getattr(event, name) for name in event.__dataclass_fields__}
    record |= {"event_time": to_millis(event.event_time)}
    if "business_date" in record:
        record["business_date"] = (record["business_date"] - date(1970, 1, 1)).days
    return single_object.MARKER + version.fingerprint + single_object.written(record | raw, version.schema)


@st.composite
def raw_fields(draw: st.DrawFn, topic: Topic) -> dict[str, Any]:
    """Some fields of a message, as wild as Avro lets them be."""
    names = draw(st.lists(st.sampled_from(FIELDS[topic]), max_size=3))
    schema = {field["name"]: field["type"] for field in single_object.newest_releases()[topic].schema["fields"]}
    kinds = {"string": texts, "long": numbers, "int": small_numbers}
    return {name: draw(kinds[schema[name]] if isinstance(schema[name], str) else st.none() | numbers) for name in names}


identifiers = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/+=~-]{0,199}", fullmatch=True).filter(is_identifier)


@st.composite
def messages(draw: st.DrawFn, topic: Topic) -> bytes | None:
    kind = draw(st.sampled_from(["raw", "raw", "raw", "edited", "golden", "random", "none"]))
    if kind == "none":
        return draw(st.sampled_from([None, b"", b"\xc3", b"\xc3\x01", bytes(20)]))
    if kind == "random":
        return draw(st.sampled_from(GOLDEN)).value[:10] + draw(st.binary(max_size=120))
    value = with_raw(MAKERS[topic](), draw(raw_fields(topic)))
    if kind == "golden":
        value = draw(st.sampled_from(GOLDEN)).value
    return mutated(value, draw(edits)) if kind == "edited" else value


def test_golden_messages_are_read_in_columns() -> None:
    for golden in GOLDEN:
        if golden.topic in COLUMNAR_TOPICS:
            assert events_in(columns_of([golden.value], golden.topic), golden.topic) == {0: golden.event}


def test_records_with_an_array_are_read_one_by_one() -> None:
    declared = next(golden for golden in GOLDEN if golden.topic is Topic.DECLARATIONS)
    assert not ColumnarDecoder(Topic.DECLARATIONS, REGISTER).can_read
    assert columns_of([declared.value, None], Topic.DECLARATIONS).odd.tolist() == [0, 1]


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_no_messages_are_no_rows(topic: Topic) -> None:
    found = columns_of([], topic)
    assert (len(found.rows), len(found.odd)) == (0, 0)


def test_every_single_wrong_byte_is_judged_as_decode_judges_it() -> None:
    for golden in GOLDEN:
        if golden.topic in COLUMNAR_TOPICS:
            values = [
                golden.value[:place] + bytes([byte]) + golden.value[place + 1 :]
                for place in range(len(golden.value))
                for byte in range(0, 256, 5)
            ]
            assert 0 < len(held_against_decode(values, golden.topic)) < len(values)


def test_every_cut_and_every_number_too_long_is_judged_as_decode_judges_it() -> None:
    wide = [b"\xff" * 9 + b"\x01", b"\xff" * 10 + b"\x00", b"\xfe" * 7 + b"\x01"]
    forms = [*wide, b"\x80\x00", b"\x81\x00", b"\x80" * 30, b"\x01"]
    for golden in GOLDEN:
        if golden.topic in COLUMNAR_TOPICS:
            whole = golden.value
            cut = [whole[:length] for length in range(len(whole))] + [whole + bytes(more) for more in range(1, 4)]
            long = [whole[:at] + form + whole[at + skip :] for at in range(10, len(whole)) for form in forms for skip in (0, 1)]
            held_against_decode([*cut, *long, whole], golden.topic)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 63, 64, 65, 199, 200, 201])
@pytest.mark.parametrize("letter", ["x", "\x7f", "\0", "é", "字"])
def test_a_text_of_any_length_is_judged_as_decode_judges_it(length: int, letter: str) -> None:
    for text in (letter * length, "x" * (length - 1) + letter, letter + "x" * (length - 1)):
        for name in ("event_id", "series", "unit_id", "table_code"):
            found = held_against_decode([with_raw(make_event(), {name: text}), encode(make_event())], Topic.CDA_DOCUMENTS)
            assert 1 in found, "its neighbour is read in columns all the same"


def test_a_megabyte_too_much_is_left_to_decode() -> None:
    value = encode(make_event())
    assert not held_against_decode([value + bytes(MAX_EVENT_BYTES)], Topic.CDA_DOCUMENTS)


def test_a_business_date_is_compared_with_the_later_of_event_and_receipt() -> None:
    """Around the platform's midnight, by the millisecond."""
    midnight = to_millis(RECEIVED.replace(hour=16, minute=0, second=0))
    values, received = [], []
    for sent, received_after, days in itertools.product(range(-2, 3), range(-2, 3), range(-2, 3)):
        event = make_event(event_time=from_millis(midnight + sent))
        values.append(encode(replace(event, business_date=date(2024, 9, 10) + timedelta(days=days))))
        received.append(midnight + received_after)
    found = held_against_decode(values, Topic.CDA_DOCUMENTS, received)
    assert found == {place for place, value in enumerate(values) if not refused(value, Topic.CDA_DOCUMENTS, received[place])}


ENDS = (-(2**31), -1, 0, 1, 10_956, 10_957, 2**31 - 1)
WIDE = (10**12, 10**12 + 1, 2**55 - 1, -(2**55), 946_684_799_999, 946_684_800_000, 4_102_444_799_999, 4_102_444_800_000)


@pytest.mark.parametrize("topic", COLUMNAR_TOPICS)
def test_each_number_may_be_as_great_or_small_as_decode_allows_and_is_read_in_columns_then(topic: Topic) -> None:
    kinds = {field["name"]: field["type"] for field in single_object.newest_releases()[topic].schema["fields"]}
    for name, kind in kinds.items():
        if kind != "string":
            ends = ENDS if kind == "int" else [*ENDS, *WIDE, *([None] if "null" in kind else [])]
            values = [with_raw(MAKERS[topic](), {name: end}) for end in ends]
            good = [not refused(value, topic, to_millis(RECEIVED)) for value in values]
            assert held_against_decode(values, topic) == set(np.flatnonzero(good).tolist()), name


def test_many_different_series_are_told_apart() -> None:
    values = [encode(make_event(series=f"{number % 100}", sequence=number)) for number in range(1, 500)]
    assert len(held_against_decode(values, Topic.CDA_DOCUMENTS)) == len(values)


@pytest.mark.parametrize("topic", COLUMNAR_TOPICS)
def test_versions_mixed_in_one_batch_keep_their_order(topic: Topic, three_versions: Versions) -> None:
    more = {"channel": "x", "tries": 2}
    good = [with_raw(MAKERS[topic](sequence=number + 1), more, three_versions[topic][number % 3]) for number in range(9)]
    assert held_against_decode(good, topic) == set(range(9))


def test_a_version_that_lacks_a_field_is_filled_with_its_default(three_versions: Versions) -> None:
    """A first release without series and without a measure, as an old sender may still write it."""
    newest = three_versions[Topic.CDA_DOCUMENTS][2]
    lacking = [field for field in newest.schema["fields"] if field["name"] not in ("series", "discharges")]
    schema = {"type": "record", "name": "hip.v1.CdaDocuments", "fields": lacking}
    three_versions[Topic.CDA_DOCUMENTS].append(single_object._release(Topic.CDA_DOCUMENTS, 0, schema))
    single_object.by_fingerprint.cache_clear()
    old = with_raw(make_event(), {}, three_versions[Topic.CDA_DOCUMENTS][3])
    assert held_against_decode([old, encode(make_event(series="b", discharges=3)), old], Topic.CDA_DOCUMENTS) == {0, 1, 2}


def test_ids_in_columns_are_those_that_decode_takes() -> None:
    good = [*IDENTIFIERS, "x" * 17 + "12345678", "7" * 24]
    bad = [text for text in FREE_TEXTS if text]
    events = [make_event(event_id=text) for text in good + bad] + [make_event(series=text) for text in good + bad]
    values = [encode(event) for event in events]
    expected = {*range(len(good)), *range(len(good) + len(bad), 2 * len(good) + len(bad))}
    assert held_against_decode(values, Topic.CDA_DOCUMENTS) == expected
    for place in set(range(len(values))) - expected:
        with pytest.raises(DecodeError):
            decode(values[place], Topic.CDA_DOCUMENTS, REGISTER, RECEIVED)
