"""Which events are added up in columns, and that their sums are whole numbers; `test_column_fold` holds them against `fold`."""

from dataclasses import astuple, replace
from datetime import timedelta

import pytest

from monitor.counting import column_changes
from monitor.counting.column_changes import can_add, changes_of_columns
from schemas.events import CdaDocuments
from schemas.kinds.kind import Added, Each, Kind, Latest
from schemas.topics import Topic
from tests.factories import NOON, make_arrivals, make_event, make_forms
from tests.unit.monitor.counting.columns import columns_of
from tests.unit.monitor.counting.undated import Undated


def test_documents_and_forms_are_added_up_in_columns() -> None:
    assert can_add(columns_of(make_arrivals([make_event()])))
    assert can_add(columns_of(make_arrivals([make_forms()])))


@pytest.mark.parametrize(
    ("kind", "can"),
    [
        pytest.param(Kind(CdaDocuments, "x", Added(("unit_id", "business_date"), {})), True, id="by codes and days"),
        pytest.param(Kind(CdaDocuments, "x", Added(("unit_id", "event_id"), {})), False, id="by a text of its own"),
        pytest.param(Kind(CdaDocuments, "x", Latest(("unit_id", "business_date"), ())), False, id="only the latest"),
        pytest.param(Kind(CdaDocuments, "x", Each("sent_at", ())), False, id="each"),
        pytest.param(Kind(Undated, "x", Added(("unit_id",), {})), False, id="without a business date"),
    ],
)
def test_a_kind_is_added_up_in_columns_by_codes_and_business_dates(
    kind: Kind, can: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_changes, "KINDS", {Topic.CDA_DOCUMENTS: kind})
    assert can_add(columns_of(make_arrivals([make_event()]))) is can


def test_another_kind_is_refused() -> None:
    events = replace(columns_of(make_arrivals([make_event()])), topic=Topic.HEALTH_RECORDS)
    with pytest.raises(TypeError, match=f"^{Topic.HEALTH_RECORDS} is not added up$"):
        changes_of_columns(events, None)


def test_what_columns_come_to_are_whole_numbers_as_the_ledger_keeps_them() -> None:
    events = [make_event(event_time=NOON + timedelta(hours=1), discharges=3), make_event(sequence=2, outpatient_visits=1)]
    changes = changes_of_columns(columns_of(make_arrivals(events)), None)
    rows = list(changes.kept[Topic.CDA_DOCUMENTS].values())
    rows += [astuple(found) for found in changes.activity.values()] + [astuple(found) for found in changes.sent.values()]
    assert rows == [(2, 20, 1, 3, None, None), (2, 20, 0, 1), (2, 20, 0, 1, 0, 3_540, 0)]
    assert {type(number) for row in rows for number in row} == {int, type(None)}
