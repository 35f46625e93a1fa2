"""Which released versions can be read in columns, and with what a column is filled that a version lacks."""

from typing import Any

import numpy as np
import pytest

from schemas.codec.columnar import _defaults, _Field, _field, _filled, _fits, _is_known, _require_width
from schemas.codec.columns import NumberColumn
from schemas.codec.packed import Packed
from schemas.codec.single_object import Released
from schemas.topics import Topic

LONG, INT, TEXT = _Field("a", "long", None), _Field("a", "int", None), _Field("a", "string", None)
LONG_OR_NULL, INT_OR_NULL = _Field("a", "long", 2), _Field("a", "int", 0)
LIST = {"type": "array", "items": "string"}


def released(*fields: dict[str, Any]) -> Released:
    return Released(Topic.CDA_DOCUMENTS, 1, {"fields": fields}, b"", None)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("long", LONG),
        ("int", INT),
        ("string", TEXT),
        ("bytes", None),
        (LIST, None),
        (["long", "null"], LONG_OR_NULL),
        (["null", "int"], INT_OR_NULL),
        (["null", "string"], None),
        (["null"], None),
        (["int", "long"], None),
        (["null", "long", "int"], None),
        (["long", "int", "string"], None),
    ],
    ids=str,
)
def test_a_field_is_a_text_a_number_or_a_number_that_may_be_null(kind: Any, field: _Field | None) -> None:
    assert _field({"name": "a", "type": kind}) == field


@pytest.mark.parametrize(
    ("writer", "reader", "fits"),
    [
        (LONG, LONG, True),
        (INT, INT, True),
        (TEXT, TEXT, True),
        (INT, LONG, True),
        (LONG, INT, False),
        (TEXT, LONG, False),
        (LONG, TEXT, False),
        (LONG, LONG_OR_NULL, True),
        (INT, LONG_OR_NULL, True),
        (INT_OR_NULL, LONG_OR_NULL, True),
        (LONG_OR_NULL, INT_OR_NULL, False),
        (LONG_OR_NULL, LONG, False),
        (INT_OR_NULL, LONG, False),
    ],
)
def test_a_field_is_read_as_what_it_is_or_as_what_is_wider(writer: _Field, reader: _Field, fits: bool) -> None:
    assert _fits(writer, reader) is fits


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ([{"name": "sequence", "type": "long"}, {"name": "series", "type": "string"}], True),
        ([{"name": "sequence", "type": "int"}, {"name": "series", "type": "string"}, {"name": "more", "type": LIST}], True),
        ([{"name": "sequence", "type": "long"}], False),
        ([{"name": "sequence", "type": "string"}, {"name": "series", "type": "string"}], False),
        ([{"name": "sequence", "type": ["null", "long"]}, {"name": "series", "type": "string"}], False),
        ([{"name": "sequence", "type": "long"}, {"name": "series", "type": LIST}], False),
    ],
)
def test_the_fields_of_an_event_are_known_if_there_is_a_check_for_each(fields: list[dict[str, Any]], known: bool) -> None:
    assert _is_known(released(*fields), ("sequence", "series")) is known


def test_a_field_for_which_there_is_no_check_is_not_known() -> None:
    assert not _is_known(released({"name": "more", "type": "long"}), ("more",))


@pytest.mark.parametrize(
    ("field", "default"),
    [
        ({"type": "long", "default": 3}, {"a": 3}),
        ({"type": "string", "default": ""}, {"a": ""}),
        ({"type": ["null", "long"], "default": None}, {"a": None}),
        ({"type": "string", "default": "x"}, None),
        ({"type": "boolean", "default": True}, None),
        pytest.param({"type": "long"}, None, id="none at all"),
    ],
)
def test_a_field_that_was_not_written_has_its_default_if_columns_can_hold_it(field: dict[str, Any], default: Any) -> None:
    wanted = released({"name": "a", **field}, {"name": "nobody reads it", "type": LIST})
    assert _defaults({}, wanted, ("a",)) == default


@pytest.mark.parametrize(("kind", "defaults"), [("long", {}), (["null", "long"], {}), ("int", None), (LIST, None)], ids=str)
def test_a_field_that_was_written_needs_none_and_has_to_fit(kind: Any, defaults: Any) -> None:
    assert _defaults({"a": LONG}, released({"name": "a", "type": kind}), ("a",)) == defaults


@pytest.mark.parametrize(("value", "present"), [(0, None), (3, None), (None, [False, False])])
def test_a_column_is_filled_with_a_number_or_with_none(value: int | None, present: list[bool] | None) -> None:
    column = _filled(value, Packed([]), 2)
    assert isinstance(column, NumberColumn)
    assert column.values.tolist() == [value or 0] * 2
    assert (None if column.present is None else column.present.tolist()) == present


def test_an_int_has_32_bits() -> None:
    values = np.array([-(2**31) - 1, -(2**31), 0, 2**31 - 1, 2**31, 0])
    for field, expected in ((INT, [0, 4, 5]), (INT_OR_NULL, [0, 4, 5]), (LONG, [5])):
        odd = np.array([False, False, False, False, False, True])
        _require_width(field, values, odd)
        assert np.flatnonzero(odd).tolist() == expected
