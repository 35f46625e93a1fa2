import io
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import fastavro
import pytest

from schemas.clock import to_days, to_millis
from schemas.codec import decode as decoding
from schemas.codec import encode as encoding
from schemas.codec import single_object
from schemas.codec.decode import decode, decode_dead_letter
from schemas.codec.encode import encode
from schemas.codec.reasons import DecodeError, Reason
from schemas.codec.single_object import MARKER
from schemas.events import DeadLetter, Declaration, Event, FormCode, RealtimeForms, TableCode, UnitId
from schemas.register import Register
from schemas.topics import EVENT_TOPICS, MAX_EVENT_BYTES, TOPIC_OF, Topic
from tests.factories import NOON, RECEIVED, make_declaration, make_event, make_forms, make_health_records, make_letter
from tests.unit.schemas.golden import GOLDEN, GOLDEN_LETTER_VALUE, Golden

each_record = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.topic.value)
each_event = pytest.mark.parametrize(
    "event", [make_event(), make_forms(), make_declaration(), make_health_records()], ids=lambda event: type(event).__name__
)
SECRET = "张三 320106199001011234"


def refusal(value: bytes | None, topic: Topic, register: Register) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(value, topic, register, RECEIVED)
    assert str(caught.value) == f"{caught.value.reason}: {caught.value.detail}"
    return caught.value


def verdict(value: bytes, topic: Topic, register: Register) -> DecodeError | None:
    try:
        decode(value, topic, register, RECEIVED)
    except DecodeError as error:
        return error
    return None


def refusal_of(event: Event, register: Register) -> DecodeError:
    return refusal(encode(event), TOPIC_OF[type(event)], register)


def with_field(event: Event, name: str, value: Any) -> bytes:
    """The event's message with one raw Avro value in it, whatever the typed event would say to it."""
    topic = TOPIC_OF[type(event)]
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, single_object.newest_releases()[topic].schema, encoding._record(event) | {name: value})
    return MARKER + single_object.newest_releases()[topic].fingerprint + buffer.getvalue()


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xc3\x02" + bytes(20), b"\xc2", b"<ClinicalDocument/>", bytes(50)])
def test_what_does_not_begin_with_the_marker_is_not_avro(value: bytes | None, register: Register) -> None:
    assert refusal(value, Topic.CDA_DOCUMENTS, register).reason is Reason.NOT_AVRO


def test_an_unknown_fingerprint_is_named(register: Register) -> None:
    error = refusal(MARKER + bytes.fromhex("0123456789abcdef") + b"rest", Topic.CDA_DOCUMENTS, register)
    assert error.reason is Reason.UNKNOWN_FINGERPRINT
    assert "0123456789abcdef" in error.detail


@each_record
def test_a_message_that_is_cut_anywhere_is_truncated(golden: Golden, register: Register) -> None:
    reasons = {cut: refusal(golden.value[:cut], golden.topic, register).reason for cut in range(1, len(golden.value))}
    assert set(reasons.values()) == {Reason.TRUNCATED}, reasons


@each_record
@pytest.mark.parametrize("tail", [b"\x00", b"\x00" * 100, b"\xc3\x01"])
def test_bytes_after_the_datum_are_refused_and_counted(golden: Golden, tail: bytes, register: Register) -> None:
    error = refusal(golden.value + tail, golden.topic, register)
    assert error.reason is Reason.TRAILING_BYTES
    assert error.detail.startswith(f"{len(tail)} bytes")


@each_record
def test_a_record_on_another_topic_is_of_the_wrong_type(golden: Golden, register: Register) -> None:
    for topic in set(EVENT_TOPICS) - {golden.topic}:
        error = refusal(golden.value, topic, register)
        assert error.reason is Reason.WRONG_TYPE
        assert golden.topic in error.detail
        assert topic in error.detail


def test_a_dead_letter_is_no_event(register: Register) -> None:
    assert refusal(GOLDEN_LETTER_VALUE, Topic.CDA_DOCUMENTS, register).reason is Reason.WRONG_TYPE


@each_record
def test_text_that_is_not_utf_8_is_of_the_wrong_type(golden: Golden, register: Register) -> None:
    broken = golden.value.replace(b"a3f1-000", b"a3f1\xff000")
    assert broken != golden.value
    error = refusal(broken, golden.topic, register)
    assert error.reason is Reason.WRONG_TYPE
    assert "UTF-8" in error.detail


def test_a_union_index_that_the_schema_lacks_is_of_the_wrong_type(register: Register) -> None:
    golden = GOLDEN[0]
    assert golden.value.endswith(bytes.fromhex("0200"))  # the last measure: index 1, value 0
    for ending in ("0800", "08", "07"):
        error = refusal(golden.value[:-2] + bytes.fromhex(ending), golden.topic, register)
        assert error.reason is Reason.WRONG_TYPE
        assert error.detail == f"not a {golden.topic} datum (near byte {len(golden.value) - 1}: IndexError)"


@pytest.mark.parametrize("ending", ["0100", "03"], ids=["the last branch from the end", "the first branch from the end"])
def test_a_negative_union_index_is_of_the_wrong_type(ending: str, register: Register) -> None:
    golden = GOLDEN[0]
    error = refusal(golden.value[:-2] + bytes.fromhex(ending), golden.topic, register)
    assert error.reason is Reason.WRONG_TYPE
    assert "union index" in error.detail


@pytest.mark.parametrize(
    "number",
    [b"\x80" * 9 + b"\x00", b"\x80" * 10 + b"\x02", b"\x82" + b"\x80" * 8 + b"\x7e", b"\x82\x00"],
    ids=["0 in ten bytes", "71 bits", "65 bits and more", "1 in two bytes"],
)
def test_a_number_that_no_writer_writes_is_of_the_wrong_type(number: bytes, register: Register) -> None:
    golden = GOLDEN[0]
    assert golden.value.endswith(b"\x02\x00")  # the last measure: index 1, value 0
    error = refusal(golden.value[:-1] + number, golden.topic, register)
    assert error.reason is Reason.WRONG_TYPE


def test_declared_tables_may_come_in_any_blocks(register: Register) -> None:
    golden = GOLDEN[2]
    two = b"\x04\x0aC0001\x0aC0002\x00"
    assert golden.value.endswith(two)
    for blocks in (b"\x02\x0aC0001\x02\x0aC0002\x00", b"\x03\x18\x0aC0001\x0aC0002\x00", b"\x01\x0c\x0aC0001\x02\x0aC0002\x00"):
        assert decode(golden.value.removesuffix(two) + blocks, golden.topic, register, RECEIVED) == golden.event


def test_what_stands_before_the_declared_tables_is_checked_all_the_same(register: Register) -> None:
    golden = GOLDEN[2]
    assert golden.value[32:35] == b"\x02b\x04"  # series, sequence 2
    broken = golden.value[:34] + b"\x84" + b"\x80" * 9 + b"\x02" + golden.value[35:]
    assert refusal(broken, golden.topic, register).reason is Reason.WRONG_TYPE


def test_arrays_come_last_in_every_record_for_what_follows_one_is_not_compared() -> None:
    for released in single_object.released():
        kinds = [field["type"] for field in released.schema["fields"]]
        assert not any(isinstance(kind, dict) for kind in kinds[:-1]), (released.topic, released.version)


def test_a_value_as_large_as_an_event_may_be_is_read_and_one_byte_more_is_not(register: Register) -> None:
    declared = make_declaration(table_codes=tuple([TableCode("C0001")] * ((MAX_EVENT_BYTES - 100) // 6)))
    assert len(encode(declared)) <= MAX_EVENT_BYTES
    once = replace(declared, table_codes=(TableCode("C0001"),))
    assert decode(encode(declared), Topic.DECLARATIONS, register, RECEIVED) == once
    error = refusal(GOLDEN[0].value.ljust(MAX_EVENT_BYTES + 1, b"\0"), Topic.CDA_DOCUMENTS, register)
    assert error.reason is Reason.OVERSIZED
    at_most = refusal(GOLDEN[0].value.ljust(MAX_EVENT_BYTES, b"\0"), Topic.CDA_DOCUMENTS, register)
    assert at_most.reason is Reason.TRAILING_BYTES


def test_a_valid_event_of_two_megabytes_is_oversized(register: Register) -> None:
    value = encode(make_event(series="x" * (2 << 20)))
    error = refusal(value, Topic.CDA_DOCUMENTS, register)
    assert error.reason is Reason.OVERSIZED
    assert str(len(value)) in error.detail


@each_event
def test_a_unit_that_the_register_lacks_is_unknown(event: Event, register: Register) -> None:
    error = refusal_of(replace(event, unit_id=UnitId("atlantis")), register)
    assert error.reason is Reason.UNKNOWN_UNIT
    assert "'atlantis'" in error.detail


def test_a_table_that_the_catalogue_lacks_is_unknown(register: Register) -> None:
    for event in (make_event(table_code="C9999"), make_declaration(table_codes=("C0001", "C9999"))):
        error = refusal_of(event, register)
        assert error.reason is Reason.UNKNOWN_TABLE
        assert "'C9999'" in error.detail


def test_a_form_that_does_not_exist_is_unknown(register: Register) -> None:
    error = refusal_of(make_forms(form_code=FormCode("RT12")), register)
    assert error.reason is Reason.UNKNOWN_FORM
    assert "'RT12'" in error.detail


FREE_TEXTS = (
    *("张三", "Zhang San", "run 1", "a\nb", "\x1b[2Ja", "a\u202eb", "a\x9bb", "-a", "a'b", "a@b.example", "é"),
    *("11010519491231002X", "11010519491231002x", "id=320106199001011238", "2024-09/320106199001011238.1"),
)
OUT_OF_RANGE: Mapping[str, tuple[object, ...]] = {
    "event_id": ("", "x" * 201, "a\x00b", *FREE_TEXTS),
    "unit_id": ("", "x" * 201, "a\x00b"),
    "series": ("x" * 201, "a\x00b", *FREE_TEXTS),
    "sequence": (0, -1, 10**12 + 1, 2**63 - 1, -(2**63)),
    "event_time": (0, -1, 946_684_799_999, 4_102_444_800_000, 2**63 - 1, -(2**63)),
    "business_date": (-1, 10_956, 2**31 - 1, -(2**31)),
    "table_code": ("", "x" * 201, "a\x00b"),
    "form_code": ("", "x" * 201, "a\x00b"),
    "record_count": (-1, 10**12 + 1, 2**63 - 1, -(2**63)),
    "outpatient_visits": (-1, 10**12 + 1),
    "discharges": (-1, 10**12 + 1),
    "outpatient_revenue_cents": (-1, 10**12 + 1),
    "inpatient_revenue_cents": (-1, 10**12 + 1),
    "base_total": (-1, 10**12 + 1),
    "hypertension_total": (-1, 10**12 + 1),
    "diabetes_total": (-1, 10**12 + 1),
}


@each_event
def test_a_field_out_of_range_is_refused_by_name(event: Event, register: Register) -> None:
    topic = TOPIC_OF[type(event)]
    names = [item.name for item in fields(event) if item.name != "table_codes"]
    for name in names:
        for value in OUT_OF_RANGE[name]:
            error = refusal(with_field(event, name, value), topic, register)
            assert error.reason is Reason.OUT_OF_RANGE, (name, value)
            assert error.detail.startswith(name), (name, value)


@pytest.mark.parametrize(
    "event",
    [
        make_event(sequence=10**12, record_count=10**12, outpatient_visits=0, discharges=10**12),
        make_event(record_count=0, event_id="x" * 200, series="x" * 200),
        make_event(business_date=date(2000, 1, 1), event_time=datetime(2000, 1, 1, tzinfo=UTC)),
        make_event(event_time=datetime(2099, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        make_declaration(table_codes=()),
        make_health_records(base_total=None, hypertension_total=None, diabetes_total=None),
    ],
    ids=["greatest", "least", "earliest", "latest", "declares nothing", "says nothing"],
)
def test_the_ends_of_the_ranges_are_allowed(event: Event, register: Register) -> None:
    assert decode(encode(event), TOPIC_OF[type(event)], register, RECEIVED) == event


MIDNIGHT = datetime(2024, 9, 10, 16, 0, tzinfo=UTC)
"""00:00 on the 11th in Shanghai."""


def test_the_business_date_may_be_the_local_day_of_the_event_but_not_the_day_after(register: Register) -> None:
    allowed = make_event(event_time=MIDNIGHT, business_date=date(2024, 9, 11))
    assert decode(encode(allowed), Topic.CDA_DOCUMENTS, register, RECEIVED) == allowed
    error = refusal_of(replace(allowed, business_date=date(2024, 9, 12)), register)
    assert error.reason is Reason.OUT_OF_RANGE
    just_before = replace(allowed, event_time=datetime(2024, 9, 10, 15, 59, 59, tzinfo=UTC))
    assert refusal_of(just_before, register).detail.startswith("business_date")


@pytest.mark.parametrize("years_behind", [0, 20])
def test_a_clock_that_runs_behind_may_date_an_event_before_its_business_date(years_behind: int, register: Register) -> None:
    """The local day of receipt is the last that is believed."""
    event = make_event(event_time=NOON.replace(year=NOON.year - years_behind), business_date=date(2024, 9, 11))
    assert decode(encode(event), Topic.CDA_DOCUMENTS, register, MIDNIGHT) == event
    with pytest.raises(DecodeError) as refused:
        decode(encode(event), Topic.CDA_DOCUMENTS, register, MIDNIGHT - timedelta(milliseconds=1))
    assert refused.value.reason is Reason.OUT_OF_RANGE
    assert refused.value.detail.startswith("business_date")


def test_null_and_zero_stay_apart(register: Register) -> None:
    event = make_event(outpatient_visits=0, discharges=None, outpatient_revenue_cents=None, inpatient_revenue_cents=0)
    decoded = decode(encode(event), Topic.CDA_DOCUMENTS, register, RECEIVED)
    assert decoded == event
    assert [getattr(decoded, name) for name in ("outpatient_visits", "discharges")] == [0, None]


def test_declared_tables_come_sorted_and_each_once(register: Register) -> None:
    decoded = decode(encode(make_declaration(table_codes=("C0002", "C0001", "C0002"))), Topic.DECLARATIONS, register, RECEIVED)
    assert isinstance(decoded, Declaration)
    assert decoded.table_codes == ("C0001", "C0002")


IDENTIFIERS = (
    *("a3f1-0001", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "1834567890123456789"),
    *("aGVsbG8+d29ybGQ/aGk=", "gulou/2024-09-10/C0002/17", "20240910.000017", "320106199001011234", "1" * 200),
)


@pytest.mark.parametrize("text", IDENTIFIERS)
def test_what_senders_use_for_ids_is_allowed(text: str, register: Register) -> None:
    event = make_event(event_id=text, series=text)
    assert decode(encode(event), Topic.CDA_DOCUMENTS, register, RECEIVED) == event


def test_a_field_is_read_by_its_name_or_else_by_its_type(register: Register) -> None:
    fields_of = decoding._Fields({"sequence": 0, "calls": 0}, register, RECEIVED)
    assert decoding._field_reader("calls", int)(fields_of) == 0
    with pytest.raises(DecodeError, match="sequence is 0"):
        decoding._field_reader("sequence", int)(fields_of)
    with pytest.raises(TypeError, match=r"^no field of an event can be a <class 'float'>: calls$"):
        decoding._field_reader("calls", float)


def test_the_longest_text_is_only_unknown(register: Register) -> None:
    assert refusal_of(make_event(unit_id="x" * 200), register).reason is Reason.UNKNOWN_UNIT


@each_event
def test_free_text_of_a_message_is_never_quoted(event: Event, register: Register) -> None:
    topic = TOPIC_OF[type(event)]
    texts = [item.name for item in fields(event) if isinstance(getattr(event, item.name), str)]
    for text in (SECRET, SECRET + "x" * 200, SECRET + "\x00", "320106199001011234", "13800138000"):
        for name in texts:
            error = verdict(with_field(event, name, text), topic, register)
            if error is None:
                assert name in ("event_id", "series"), "only these two may hold anything that the register does not know"
                assert text.isdigit(), text
            else:
                assert not any(secret in str(error) for secret in ("张三", "3201061990", "13800138000")), name


def test_a_table_code_that_is_free_text_is_not_quoted(register: Register) -> None:
    error = refusal_of(make_declaration(table_codes=(SECRET,)), register)
    assert error.reason is Reason.UNKNOWN_TABLE
    assert "张三" not in error.detail


def test_the_text_around_invalid_utf_8_is_not_quoted(register: Register) -> None:
    hidden = b"a3f1-0001"
    secret = b"\xe5\xbc\xa0\xe4\xb8\x89\xff\xff\xff"
    assert len(secret) == len(hidden)
    error = refusal(GOLDEN[0].value.replace(hidden, secret), Topic.CDA_DOCUMENTS, register)
    assert error.reason is Reason.WRONG_TYPE
    assert "张" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__, "a logged traceback must not show the bytes either"


@pytest.mark.parametrize("cut", range(1, len(GOLDEN_LETTER_VALUE)))
def test_a_dead_letter_that_is_cut_is_truncated(cut: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_dead_letter(GOLDEN_LETTER_VALUE[:cut])
    assert caught.value.reason is Reason.TRUNCATED


def test_a_dead_letter_may_be_larger_than_an_event() -> None:
    letter = make_letter(value=bytes(2 * MAX_EVENT_BYTES), key=None)
    assert decode_dead_letter(encode(letter)) == letter


def test_a_dead_letter_keeps_null_and_empty_apart() -> None:
    for key, value in ((None, None), (b"", b""), (None, b""), (b"", None)):
        assert decode_dead_letter(encode(make_letter(key=key, value=value))) == make_letter(key=key, value=value)


@pytest.mark.parametrize("received_at", [2**62, -(2**62), 2**63 - 1])
def test_a_dead_letter_from_no_year_is_a_decode_error(received_at: int) -> None:
    released = single_object.newest_releases()[Topic.DEAD_LETTERS]
    letter = make_letter()
    record = {item.name: getattr(letter, item.name) for item in fields(DeadLetter)} | {"received_at": received_at}
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, released.schema, record)
    with pytest.raises(DecodeError) as caught:
        decode_dead_letter(MARKER + released.fingerprint + buffer.getvalue())
    assert caught.value.reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize(
    "wrong",
    [
        {"record_count": "ten"},
        {"record_count": None},
        {"event_id": None},
        {"event_time": datetime(2024, 9, 10)},  # noqa: DTZ001 - a naive time is the case
        {"discharges": "none"},
        {"record_count": 2**70},
        {"record_count": 1.5},
        {"record_count": 1.0},
        {"record_count": True},
        {"record_count": Decimal(1)},
        {"discharges": 2.0},
        {"sequence": "1"},
        {"event_id": b"a"},
        {"business_date": datetime(2024, 9, 10, tzinfo=UTC)},
        {"business_date": 19_976},
        {"event_time": date(2024, 9, 10)},
        {"unit_id": "\ud800"},
    ],
    ids=str,
)
def test_a_wrong_field_is_not_encoded(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(make_event(**wrong))


def test_moments_are_cut_to_whole_milliseconds() -> None:
    event = make_forms(event_time=datetime(2024, 9, 10, 4, 0, 0, 123_999, tzinfo=UTC))
    assert encode(event) == encode(make_forms(event_time=datetime(2024, 9, 10, 4, 0, 0, 123_000, tzinfo=UTC)))
    assert to_millis(event.event_time) == 1_725_940_800_123
    assert to_days(event.business_date) == 19_976


def test_every_event_type_has_a_topic_of_its_own() -> None:
    assert set(TOPIC_OF.values()) == set(Topic)
    assert TOPIC_OF[RealtimeForms] is Topic.REALTIME_FORMS
