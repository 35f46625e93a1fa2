"""Read what is expected of the units, and when, from a TOML file. Shell."""

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import FEAST_ZH, Calendar, Day, DayKind, ordinary
from monitor.judgement.rhythms import WEEKDAYS, Rhythm, Rhythms, Week
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


_Day = Annotated[list[_SomeHours], Field(min_length=24, max_length=24)]


class _Week(Section):
    """By weekday and hour of the last upload, the hours that a feed may say nothing."""

    monday: _Day
    tuesday: _Day
    wednesday: _Day
    thursday: _Day
    friday: _Day
    saturday: _Day
    sunday: _Day


class _Weeks(Section):
    scheduled: _Week | None = None
    realtime: _Week | None = None


class _Rhythm(Section):
    """What is set of a rhythm; the rest stays as it is."""

    scheduled_due: _Hours | None = None
    realtime_quiet: _SomeHours | None = None
    service_from: _Hours | None = None
    service_to: _Hours | None = None
    never_seen: _Hours | None = None


class _OfUnit(_Rhythm):
    weeks: _Weeks = _Weeks()


class _Calendar(Section):
    """Days that are other than the published calendar says, or than it knows: holidays by the name of their feast."""

    holidays: dict[str, list[date]] = Field(default_factory=dict)
    closed: list[date] = Field(default_factory=list)
    make_up: list[date] = Field(default_factory=list)
    ordinary: list[date] = Field(default_factory=list)


class _Platform(Section):
    outage: _SomeHours = Rhythms.outage
    recovery: _Hours = Rhythms.recovery


class _Form(Section):
    """What the file may hold."""

    default: _Rhythm = _Rhythm()
    platform: _Platform = _Platform()
    calendar: _Calendar = _Calendar()
    units: dict[str, _OfUnit] = Field(default_factory=dict)


def read_rhythms(path: Path, register: Register) -> Rhythms:
    """Read a rhythms file (TOML): `[default]`, `[platform]`, `[calendar]`, `[units.<unit_id>]`, `[units.<unit_id>.weeks.<feed>]`.

    Raises HipwatchError naming file and key.
    """
    try:
        read = read_toml(path, _Form)
    except FileNotFoundError:
        raise HipwatchError(f"there is no rhythms file {path}") from None
    default = _changed(Rhythm(), read.default, f"{path}, key default")
    units = {}
    weeks: dict[tuple[UnitId, Feed], Week] = {}
    for unit_id, own in read.units.items():
        place = f"{path}, key units.{unit_id}"
        if unit_id not in register.units:
            raise HipwatchError(f"{place}: the register has no unit '{unit_id}'")
        units[UnitId(unit_id)] = _changed(default, own, place)
        for feed in Feed:
            week: _Week | None = getattr(own.weeks, feed)
            if week is not None:
                weeks[UnitId(unit_id), feed] = [getattr(week, weekday) for weekday in WEEKDAYS]
    return Rhythms(default, units, read.platform.outage, read.platform.recovery, weeks, _calendar(read.calendar, path))


def _calendar(read: _Calendar, path: Path) -> Calendar:
    unknown = sorted(read.holidays.keys() - FEAST_ZH.keys())
    if unknown:
        raise HipwatchError(
            f"{path}, key calendar.holidays.{unknown[0]}: there is no such feast (there are {', '.join(FEAST_ZH)})"
        )
    said = [(day, Day(DayKind.HOLIDAY, feast)) for feast, days in read.holidays.items() for day in days]
    said += [(day, Day(DayKind.HOLIDAY)) for day in read.closed]
    said += [(day, Day(DayKind.MAKE_UP)) for day in read.make_up]
    said += [(day, ordinary(day)) for day in read.ordinary]
    twice = [day for day, times in Counter(day for day, _ in said).items() if times > 1]
    if twice:
        raise HipwatchError(f"{path}, key calendar: {min(twice)} is said twice")
    return Calendar(dict(said))


def _changed(base: Rhythm, own: _Rhythm, place: str) -> Rhythm:
    rhythm = replace(base, **own.model_dump(exclude_none=True, exclude={"weeks"}))
    if rhythm.service_from + _LEAST_SERVICE > rhythm.service_to or rhythm.service_to > 24:
        raise HipwatchError(
            f"{place}: service_from and service_to must be hours of a day, the first an hour or more before the second"
        )
    return rhythm
