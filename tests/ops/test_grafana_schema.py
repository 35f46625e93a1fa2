"""The dashboards against the types that Grafana publishes, as a JSON schema (`grafana_schema/make.sh` makes it)."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator

from ops.grafana.__main__ import DASHBOARDS, FOLDER

_SCHEMA: Final = Path(__file__).parent / "grafana_schema" / "shapes.json"
SHAPES: Final[dict[str, Any]] = json.loads(_SCHEMA.read_text(encoding="utf-8"))["definitions"]["Shapes"]["properties"]
Json = dict[str, Any]


def wrong(schema: Json, value: Any, place: str) -> Iterator[str]:
    for error in Draft7Validator(schema).iter_errors(value):
        yield f"{place}, {'/'.join(map(str, error.absolute_path))}: {error.message}"


def of_sort(part: str, sort: str) -> Json:
    """The schema of a panel's options or custom fields. What is left out is no fault: Grafana fills in its defaults."""
    schema: Json = SHAPES[part]["properties"].get(sort, {"additionalProperties": False})
    return {key: value for key, value in schema.items() if key != "required"}


def problems(dashboard: Json) -> list[str]:
    found = list(wrong(SHAPES["dashboard"], dashboard, "dashboard"))
    for panel in dashboard["panels"]:
        sort, place, config = panel["type"], panel["title"], panel["fieldConfig"]
        found += wrong(of_sort("options", sort), panel.get("options", {}), place)
        overridden = [one for override in config["overrides"] for one in override["properties"]]
        customs = [{one["id"].removeprefix("custom."): one["value"]} for one in overridden if one["id"].startswith("custom.")]
        for custom in [config["defaults"].get("custom", {}), *customs]:
            found += wrong(of_sort("custom", sort), custom, place)
    return found


def committed(name: str) -> Json:
    found: Json = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_what_grafana_says_a_dashboard_is(name: str) -> None:
    assert problems(committed(name)) == []


def _set_option(dashboard: Json) -> None:
    dashboard["panels"][0]["options"]["colorMode"] = "loud"


def _set_custom(dashboard: Json) -> None:
    panel = next(panel for panel in dashboard["panels"] if panel["type"] == "timeseries")
    panel["fieldConfig"]["defaults"].setdefault("custom", {})["lineWidht"] = 2


def _override(dashboard: Json) -> None:
    properties = [{"id": "custom.width", "value": "wide"}]
    panel = next(panel for panel in dashboard["panels"] if panel["type"] == "table")
    panel["fieldConfig"]["overrides"].append({"matcher": {"id": "byName", "options": "x"}, "properties": properties})


def _misname(dashboard: Json) -> None:
    dashboard["pannels"] = []


def _misplace(dashboard: Json) -> None:
    dashboard["panels"][0]["gridPos"]["x"] = "left"


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("city", _set_option, "colorMode: 'loud' is not one of"),
        ("pipeline", _set_custom, "'lineWidht' was unexpected"),
        ("city", _override, "width: 'wide' is not of type 'number'"),
        ("unit", _misname, "'pannels' was unexpected"),
        ("unit", _misplace, "panels/0"),
    ],
)
def test_what_grafana_does_not_know_is_found(name: str, spoil: Callable[[Json], None], said: str) -> None:
    dashboard = deepcopy(committed(name))
    spoil(dashboard)
    [problem] = problems(dashboard)
    assert said in problem
