"""What is kept of events: the columns of each way, the rows, and what two of them come to."""

from datetime import timedelta

import pytest

from monitor.counting.kept import MAX_SUM, Columns, Row, columns_of, keeper_of, merge, too_great
from schemas.events import Event
from schemas.topics import KINDS, Topic
from tests.factories import NOON, TABLE, UNIT, make_declaration, make_event, make_forms, make_health_records

MEASURES = ("outpatient_visits", "discharges", "outpatient_revenue_cents", "inpatient_revenue_cents")
TOTALS = ("base_total", "hypertension_total", "diabetes_total")
LATER = NOON + timedelta(minutes=1)
DAY = make_event().business_date


@pytest.mark.parametrize(
    ("topic", "columns"),
    [
        (
            Topic.CDA_DOCUMENTS,
            Columns(("unit_id", "table_code", "business_date"), ("events", "records", *MEASURES), frozenset(MEASURES)),
        ),
        (Topic.REALTIME_FORMS, Columns(("unit_id", "form_code", "business_date"), ("events", "records"), frozenset())),
        (Topic.HEALTH_RECORDS, Columns(("unit_id", "business_date"), ("event_time", *TOTALS), frozenset(TOTALS))),
        (Topic.DECLARATIONS, Columns(("unit_id", "declared_at", "event_id"), ("table_codes",), frozenset())),
    ],
)
def test_a_kind_is_kept_in_these_columns(topic: Topic, columns: Columns) -> None:
    assert columns_of(KINDS[topic]) == columns


@pytest.mark.parametrize(
    ("topic", "event", "row"),
    [
        (Topic.CDA_DOCUMENTS, make_event(discharges=4), ((UNIT, TABLE, DAY), (1, 10, None, 4, None, None))),
        (Topic.REALTIME_FORMS, make_forms(form_code="RT01"), ((UNIT, "RT01", make_forms().business_date), (1, 3))),
        (Topic.HEALTH_RECORDS, make_health_records(), ((UNIT, DAY), (LATER, 900, 80, 7))),
        (
            Topic.DECLARATIONS,
            make_declaration(table_codes=("C0001", "C0002")),
            ((UNIT, LATER, "declaration-1"), ("C0001 C0002",)),
        ),
    ],
)
def test_an_event_that_happened_at_a_moment_is_such_a_row(topic: Topic, event: Event, row: tuple[Row, Row]) -> None:
    assert keeper_of(KINDS[topic]).row(event, LATER) == row


@pytest.mark.parametrize(
    ("topic", "before", "after", "both"),
    [
        (Topic.REALTIME_FORMS, (1, 3), (2, 4), (3, 7)),
        (Topic.CDA_DOCUMENTS, (1, 3, None, 0, 5, None), (2, 4, None, 2, None, 6), (3, 7, None, 2, 5, 6)),
        (Topic.HEALTH_RECORDS, (NOON, 1, 2, 3), (LATER, 4, None, 6), (LATER, 4, None, 6)),
        (Topic.HEALTH_RECORDS, (LATER, 1, 2, 3), (NOON, 4, None, 6), (LATER, 1, 2, 3)),
        pytest.param(Topic.HEALTH_RECORDS, (NOON, 1, 2, 3), (NOON, 4, 5, 6), (NOON, 4, 5, 6), id="the last of one moment"),
        (Topic.DECLARATIONS, ("C0001",), ("C0002",), ("C0001",)),
    ],
)
def test_rows_of_one_key_are_added_up_or_one_of_them_stays(topic: Topic, before: Row, after: Row, both: Row) -> None:
    assert merge(topic, before, after) == keeper_of(KINDS[topic]).merge(before, after) == both


@pytest.mark.parametrize(
    ("topic", "values", "great"),
    [
        (Topic.REALTIME_FORMS, (1, MAX_SUM), False),
        (Topic.REALTIME_FORMS, (1, MAX_SUM + 1), True),
        (Topic.CDA_DOCUMENTS, (1, 2, None, MAX_SUM + 1, None, None), True),
        pytest.param(Topic.HEALTH_RECORDS, (NOON, 1, 2, 3), False, id="no sum"),
    ],
)
def test_a_sum_is_too_great_beyond_what_the_ledger_holds(topic: Topic, values: Row, great: bool) -> None:
    assert too_great(topic, values) is great
