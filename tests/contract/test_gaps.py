"""What to ask a unit to send again, in words and in order, on every database."""

from datetime import date

import pytest
from sqlalchemy import Engine, text

from monitor.ledger.append import Ledger
from monitor.ledger.database import writing
from monitor.ledger.gaps import DatedGap, StreamFacts, find_gaps, stream_facts
from schemas.topics import Topic
from tests.factories import NOON, OTHER_UNIT, UNIT, make_batch, make_event, make_forms

CDA, FORMS = Topic.CDA_DOCUMENTS, Topic.REALTIME_FORMS
FIRST, THIRD = date(2024, 9, 1), date(2024, 9, 3)


@pytest.mark.parametrize(
    ("numbers", "days", "words"),
    [
        ((2, 4), (FIRST, THIRD), "re-send 2–4 of 2024-09-01 to 2024-09-03"),
        ((2, 4), (THIRD, FIRST), "re-send 2–4 of 2024-09-01 to 2024-09-03"),
        ((2, 2), (THIRD, THIRD), "re-send 2 of 2024-09-03"),
        ((1, 2), (None, THIRD), "re-send 1–2 of 2024-09-03"),
        ((1, 2), (FIRST, None), "re-send 1–2 of 2024-09-01"),
        ((7, 9), (None, None), "re-send 7–9"),
    ],
)
def test_a_gap_says_what_to_ask_for(numbers: tuple[int, int], days: tuple[date | None, date | None], words: str) -> None:
    assert DatedGap(UNIT, CDA, "", *numbers, *days).request() == words


def fill(ledger: Ledger) -> None:
    """Gaps in four streams, sent in no order, so that no database has their rows in order by chance."""
    assert sorted([UNIT, OTHER_UNIT]) == [UNIT, OTHER_UNIT]
    ledger.append(make_batch(make_forms(sequence=3)))
    events = [
        make_event(unit_id=OTHER_UNIT, sequence=3),
        make_event(sequence=3, series="b", event_id="b3"),
        make_event(sequence=4, business_date=THIRD),
        make_event(sequence=4, business_date=THIRD),
        make_event(sequence=7, event_time=NOON.replace(year=2025)),
        make_event(sequence=6, event_time=NOON.replace(year=2023)),
        make_event(sequence=2, business_date=FIRST),
    ]
    for offset, event in enumerate(events):
        ledger.append(make_batch(event, first=offset))


def test_gaps_are_told_by_unit_topic_series_and_number(ledger: Ledger, engine: Engine) -> None:
    fill(ledger)
    mine = [
        DatedGap(UNIT, CDA, "", 1, 1, None, FIRST),
        DatedGap(UNIT, CDA, "", 3, 3, FIRST, THIRD),
        DatedGap(UNIT, CDA, "", 5, 5, THIRD, date(2024, 9, 9)),
        DatedGap(UNIT, CDA, "b", 1, 2, None, date(2024, 9, 9)),
        DatedGap(UNIT, FORMS, "", 1, 2, None, date(2024, 9, 10)),
    ]
    theirs = [DatedGap(OTHER_UNIT, CDA, "", 1, 2, None, date(2024, 9, 9))]
    assert find_gaps(engine) == [*mine, *theirs]
    assert find_gaps(engine, UNIT) == mine
    assert find_gaps(engine, OTHER_UNIT) == theirs
    assert find_gaps(engine, "nobody") == []


def test_a_gap_of_an_earlier_ledger_has_no_dates(ledger: Ledger, engine: Engine) -> None:
    fill(ledger)
    with writing(engine) as connection:
        connection.execute(text("UPDATE open_gap SET after_day = NULL, before_day = NULL"))
    assert {(gap.after, gap.before) for gap in find_gaps(engine)} == {(None, None)}


def test_the_counts_of_streams_are_told_by_unit_topic_and_series(ledger: Ledger, engine: Engine) -> None:
    fill(ledger)
    mine = [
        StreamFacts(UNIT, CDA, "", accepted=4, duplicates=1, missing=3, ahead=1, behind=1),
        StreamFacts(UNIT, CDA, "b", accepted=1, duplicates=0, missing=2, ahead=0, behind=0),
        StreamFacts(UNIT, FORMS, "", accepted=1, duplicates=0, missing=2, ahead=0, behind=0),
    ]
    theirs = [StreamFacts(OTHER_UNIT, CDA, "", accepted=1, duplicates=0, missing=2, ahead=0, behind=0)]
    assert stream_facts(engine) == [*mine, *theirs]
    assert stream_facts(engine, UNIT) == mine
    assert stream_facts(engine, OTHER_UNIT) == theirs
