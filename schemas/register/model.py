"""The register: units with their lives, the table catalogue, the realtime forms. Core; immutable.

Every fact has a date: who was a unit, which tables and forms were required, is asked for a day or for a month. A date that
nobody knows is None and bounds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, TypeVar

from schemas.events import FormCode, TableCode, UnitId
from schemas.feeds import Feed
from schemas.period import Period

T = TypeVar("T")
_KINDS: dict[str, "UnitKind"] = {}


class UnitKind(str):
    """What a unit is; each kind has a catalogue of its own. A register may have other kinds than these two.

    There is one object for each kind, so that `is` compares them.
    """

    __slots__ = ()
    DISTRICT: ClassVar["UnitKind"]
    HOSPITAL: ClassVar["UnitKind"]

    def __new__(cls, name: str) -> "UnitKind":
        """The one object of that name."""
        return _KINDS.setdefault(name, super().__new__(cls, name))


UnitKind.DISTRICT = UnitKind("district")
UnitKind.HOSPITAL = UnitKind("hospital")


class Life(StrEnum):
    """Where a unit stands in its life. Only of an active one anything is expected."""

    ONBOARDING = "onboarding"
    ACTIVE = "active"
    PAUSED = "paused"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of unit by its names, which head its tables."""

    kind: UnitKind
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the register. `names` holds every name it may be printed under, the present Chinese name first.

    `feeds`: those that are expected of it, with the first day if that is known. `forms` likewise; None means every form.
    `contact_role` and `contact_number` are those of a post, never of a person.
    """

    unit_id: UnitId
    kind: UnitKind
    name_zh: str
    name_en: str
    names: tuple[str, ...]
    official_code: str = ""
    status: Life = Life.ACTIVE
    active_from: date | None = None
    active_until: date | None = None
    district: UnitId | None = None
    vendor: str = ""
    contact_role: str = ""
    contact_number: str = ""
    feeds: Mapping[Feed, date | None] = field(default_factory=lambda: dict.fromkeys(Feed))
    forms: Mapping[FormCode, date | None] | None = None

    def life_on(self, day: date) -> Life:
        """Where the unit stands on `day`. Its dates decide where it has any, and its status where they leave it open.

        A unit that retired on a known day was active before; one that is onboarding becomes active on its first day.
        """
        if self.active_until is not None and day > self.active_until:
            return Life.RETIRED
        if self.active_from is not None and day < self.active_from:
            return Life.ONBOARDING
        if self.status is Life.RETIRED and self.active_until is not None:
            return Life.ACTIVE
        if self.status is Life.ONBOARDING and self.active_from is not None:
            return Life.ACTIVE
        return self.status

    def expects(self, feed: Feed, day: date) -> bool:
        """Whether anything is expected of the unit on `feed` on `day`."""
        return self.life_on(day) is Life.ACTIVE and _begun(self.feeds, feed, day)

    def expects_form(self, form: FormCode, day: date) -> bool:
        """Whether the unit has to upload `form` on `day`, as far as the unit itself says."""
        return self.expects(Feed.REALTIME, day) and (self.forms is None or _begun(self.forms, form, day))

    def expected_since(self, feed: Feed) -> date | None:
        """The first day of which anything is expected on `feed`; None where no date bounds it."""
        return max((day for day in (self.active_from, self.feeds.get(feed)) if day is not None), default=None)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the catalogue; `required_for` says which kinds of unit have to upload it, the dates from when to when."""

    code: TableCode
    name_zh: str
    name_en: str
    domain: str
    required_for: frozenset[UnitKind]
    required_from: date | None = None
    required_until: date | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A realtime form, and from when to when it is required."""

    code: FormCode
    name_zh: str
    name_en: str
    domain: str
    required_from: date | None = None
    required_until: date | None = None


@dataclass(frozen=True)
class Register:
    """Everything that both sides know before the first event. Mappings keep the register's order."""

    units: Mapping[UnitId, Unit]
    tables: Mapping[TableCode, Table]
    forms: Mapping[FormCode, Form]
    kinds: Mapping[UnitKind, Kind]

    def required_tables(self, kind: UnitKind, day: date | None = None) -> list[Table]:
        """The catalogue of a kind on `day`; without one, every table that is or was required of it."""
        return [table for table in self.tables.values() if kind in table.required_for and _in_force(table, day)]

    def expected_forms(self, unit: Unit, day: date) -> list[Form]:
        """The realtime forms that the unit has to upload on `day`, whether or not it is active then."""
        return [
            form
            for form in self.forms.values()
            if _in_force(form, day) and (unit.forms is None or _begun(unit.forms, form.code, day))
        ]

    def expects(self, unit_id: UnitId, feed: Feed, day: date) -> bool:
        """Whether anything is expected of the unit on `feed` on `day`; of an unknown unit, nothing is."""
        unit = self.units.get(unit_id)
        return unit is not None and unit.expects(feed, day)

    def units_of(self, period: Period) -> list[Unit]:
        """The units of a month, in the register's order: those that were active, or paused, on any of its days.

        This is the denominator of the month: who is onboarding or has retired is not in it.
        """
        ends = (period.first, period.last)
        return [unit for unit in self.units.values() if _counts(unit, *ends)]

    def unit_named(self, name: str) -> Unit | None:
        """The unit that is, or once was, called `name` in Chinese or English; None when the register has none."""
        return self._by_name.get(name.strip())

    @cached_property
    def _by_name(self) -> dict[str, Unit]:
        return {name: unit for unit in self.units.values() for name in unit.names}


def _counts(unit: Unit, first: date, last: date) -> bool:
    days = [max(first, unit.active_from or first), min(last, unit.active_until or last)]
    return days[0] <= days[1] and unit.life_on(days[0]) in (Life.ACTIVE, Life.PAUSED)


def _begun(since: Mapping[T, date | None], what: T, day: date) -> bool:
    if what not in since:
        return False
    first = since[what]
    return first is None or first <= day


def _in_force(entry: Table | Form, day: date | None) -> bool:
    if day is None:
        return True
    return (entry.required_from or day) <= day <= (entry.required_until or day)
