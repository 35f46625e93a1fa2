"""Read what is expected of the units, and when, from a TOML file. Shell."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from monitor.judgement.rhythms import Rhythm, Rhythms
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Register
from schemas.toml_file import Section, read_toml

_LEAST_SERVICE: Final = 1.0
"""Hours: a realtime deadline is found by going from one service day to the next, and must come within a few of them."""
_MOST: Final = 24 * 366
_Hours = Annotated[float, Field(ge=0, le=_MOST)]
_SomeHours = Annotated[float, Field(gt=0, le=_MOST)]
"""Zero hours would make every feed silent at once; with outages of zero hours nobody ever would be."""


class _Rhythm(Section):
    """What is set of a rhythm; the rest stays as it is."""

    scheduled_due: _Hours | None = None
    realtime_quiet: _SomeHours | None = None
    service_from: _Hours | None = None
    service_to: _Hours | None = None
    never_seen: _Hours | None = None


class _Platform(Section):
    outage: _SomeHours = Rhythms.outage
    recovery: _Hours = Rhythms.recovery


class _Form(Section):
    """What the file may hold."""

    default: _Rhythm = _Rhythm()
    platform: _Platform = _Platform()
    units: dict[str, _Rhythm] = Field(default_factory=dict)


def read_rhythms(path: Path, register: Register) -> Rhythms:
    """Read a rhythms file (TOML): `[default]`, `[platform]` and `[units.<unit_id>]`. Raises HipwatchError naming file and key."""
    try:
        read = read_toml(path, _Form)
    except FileNotFoundError:
        raise HipwatchError(f"there is no rhythms file {path}") from None
    default = _changed(Rhythm(), read.default, f"{path}, key default")
    units = {}
    for unit_id, own in read.units.items():
        place = f"{path}, key units.{unit_id}"
        if unit_id not in register.units:
            raise HipwatchError(f"{place}: the register has no unit '{unit_id}'")
        units[UnitId(unit_id)] = _changed(default, own, place)
    return Rhythms(default, units, read.platform.outage, read.platform.recovery)


def _changed(base: Rhythm, own: _Rhythm, place: str) -> Rhythm:
    rhythm = replace(base, **own.model_dump(exclude_none=True))
    if rhythm.service_from + _LEAST_SERVICE > rhythm.service_to or rhythm.service_to > 24:
        raise HipwatchError(
            f"{place}: service_from and service_to must be hours of a day, the first an hour or more before the second"
        )
    return rhythm
