"""Read what is expected of the units, and when, from a TOML file. Shell."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from monitor.deadlines import Rhythm, Rhythms
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Register

_LEAST_SERVICE: Final = 1.0
"""Hours: a realtime deadline is found by going from one service day to the next, and must come within a few of them."""
_POSITIVE: Final = frozenset({"realtime_quiet", "outage"})
"""Zero hours would make every feed silent at once; with outages of zero hours nobody ever would be."""


def read_rhythms(path: Path, register: Register) -> Rhythms:
    """Read a rhythms file (TOML): `[default]`, `[platform]` and `[units.<unit_id>]`. Raises HipwatchError naming file and key."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HipwatchError(f"there is no rhythms file {path}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HipwatchError(f"{path}: {error}") from None
    _only(data, {"default", "platform", "units"}, str(path))
    default = _rhythm(Rhythm(), data.get("default", {}), f"{path}, [default]")
    platform = _hours(data.get("platform", {}), {"outage", "recovery"}, f"{path}, [platform]")
    units = {}
    by_unit = data.get("units", {})
    if not isinstance(by_unit, dict):
        raise HipwatchError(f"{path}: [units] must be a table of units")
    for unit_id, values in by_unit.items():
        if unit_id not in register.units:
            raise HipwatchError(f"{path}, [units.{unit_id}]: the register has no unit '{unit_id}'")
        units[UnitId(unit_id)] = _rhythm(default, values, f"{path}, [units.{unit_id}]")
    return Rhythms(default, units, **platform)


def _rhythm(base: Rhythm, values: Any, place: str) -> Rhythm:
    rhythm = replace(base, **_hours(values, {item.name for item in fields(Rhythm)}, place))
    if rhythm.service_from + _LEAST_SERVICE > rhythm.service_to or rhythm.service_to > 24:
        raise HipwatchError(
            f"{place}: service_from and service_to must be hours of a day, the first an hour or more before the second"
        )
    return rhythm


def _hours(values: Any, known: set[str], place: str) -> dict[str, float]:
    if not isinstance(values, dict):
        raise HipwatchError(f"{place} must be a table of hours")
    _only(values, known, place)
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 24 * 366:
            raise HipwatchError(f"{place}: {name} must be a number of hours, and is {value!r}")
        if name in _POSITIVE and value == 0:
            raise HipwatchError(f"{place}: {name} must be more than 0 hours")
    return {name: float(value) for name, value in values.items()}


def _only(values: Mapping[str, Any], known: set[str], place: str) -> None:
    for name in values:
        if name not in known:
            raise HipwatchError(f"{place}: '{name}' is not known; known are {', '.join(sorted(known))}")
