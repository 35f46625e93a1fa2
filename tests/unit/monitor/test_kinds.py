"""A kind of event is a value: a made-up one is read, added up, stored and compared without a change to anything else."""

from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest
from sqlalchemy import BigInteger, Date, MetaData, String

from monitor.counting.kept import Columns, columns_of, keeper_of
from monitor.ledger.tables.kinds import table_for
from schemas.codec import decode as decoding
from schemas.codec.reasons import DecodeError, Reason
from schemas.feeds import Feed
from schemas.identifiers import UnitId
from schemas.kinds.kind import Added, Each, Kind, Latest, Newest, Total
from schemas.register import Register
from schemas.topics import EVENT_TOPICS, KINDS, TOPIC_OF
from tests.factories import NOON, RECEIVED, UNIT


@dataclass(frozen=True, slots=True)
class HotlineCalls:
    """Calls that a hotline answered on one day."""

    event_id: str
    unit_id: UnitId
    business_date: date
    event_time: datetime
    series: str
    sequence: int
    calls: int
    seconds_waited: int | None = None


HOTLINE = Kind(
    HotlineCalls,
    "hotline_day",
    Added(("unit_id", "business_date"), {"calls": "calls", "seconds_waited": "seconds_waited"}),
)
DAY = date(2024, 9, 9)


def call(**overrides: object) -> HotlineCalls:
    values = {"event_id": "1", "unit_id": UNIT, "business_date": DAY, "event_time": NOON, "series": "", "sequence": 1, "calls": 4}
    return HotlineCalls(**{**values, **overrides})  # type: ignore[arg-type]


def test_a_made_up_kind_is_read_field_by_field(register: Register) -> None:
    record = {
        "event_id": "1",
        "unit_id": UNIT,
        "business_date": (DAY - date(1970, 1, 1)).days,
        "event_time": int(NOON.timestamp() * 1000),
        "series": "",
        "sequence": 1,
        "calls": 4,
        "seconds_waited": None,
    }
    read = decoding._reader(HotlineCalls)
    assert read(decoding._Fields(record, register, RECEIVED)) == call()
    for wrong, reason in (({"calls": -1}, Reason.OUT_OF_RANGE), ({"unit_id": "nobody"}, Reason.UNKNOWN_UNIT)):
        with pytest.raises(DecodeError) as error:
            read(decoding._Fields({**record, **wrong}, register, RECEIVED))
        assert error.value.reason is reason


def test_a_made_up_kind_is_added_up() -> None:
    keeper = keeper_of(HOTLINE)
    key, first = keeper.row(call(), NOON)
    _, second = keeper.row(call(calls=3, seconds_waited=0), NOON)
    assert key == (UNIT, DAY)
    assert keeper.merge(first, second) == (2, 7, 0)


def test_a_made_up_kind_has_a_table() -> None:
    assert columns_of(HOTLINE) == Columns(
        ("unit_id", "business_date"), ("events", "calls", "seconds_waited"), frozenset({"seconds_waited"})
    )
    table = table_for(HOTLINE, MetaData())
    kinds = [(column.name, type(column.type), column.primary_key, column.nullable) for column in table.columns]
    assert kinds == [
        ("unit_id", String, True, False),
        ("business_date", Date, True, False),
        ("events", BigInteger, False, False),
        ("calls", BigInteger, False, False),
        ("seconds_waited", BigInteger, False, True),
    ]


def test_of_a_kind_that_keeps_the_latest_the_later_wins_and_of_one_that_keeps_each_the_first() -> None:
    latest = keeper_of(Kind(HotlineCalls, "x", Latest(("unit_id",), ("calls",))))
    (_, early), (_, late) = latest.row(call(calls=1), NOON), latest.row(call(calls=2), RECEIVED)
    assert latest.merge(early, late) == latest.merge(late, early) == (RECEIVED, 2)
    each = keeper_of(Kind(HotlineCalls, "x", Each("called_at", ("calls", "series"))))
    key, values = each.row(call(), NOON)
    assert (key, each.merge(values, (9, ""))) == ((UNIT, NOON, "1"), (4, ""))


def test_a_kind_with_a_feed_says_how_much_an_event_holds() -> None:
    with pytest.raises(ValueError, match="HotlineCalls has a feed, and no record_count"):
        replace(HOTLINE, feed=Feed.REALTIME)


def test_every_topic_but_that_of_dead_letters_has_a_kind_and_every_kind_its_topic() -> None:
    assert list(KINDS) == list(EVENT_TOPICS)
    assert all(TOPIC_OF[kind.event] is topic for topic, kind in KINDS.items())


def test_a_chapter_has_what_was_said_last_or_what_is_added_up() -> None:
    with pytest.raises(ValueError, match="HotlineCalls mixes what was said last with what is added up"):
        replace(HOTLINE, chapter={"calls": Total("calls"), "seconds_waited": Newest("seconds_waited")})
