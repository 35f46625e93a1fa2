"""A reporting period: one calendar month of the platform's local time. Core."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.errors import HipwatchError


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A month, written `2024-09`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read `YYYY-MM` (years 2000 to 2099). Raises HipwatchError otherwise."""
        match = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", text.strip())
        if not match:
            raise HipwatchError(f"'{text}' is not a period: write a month as YYYY-MM, for example 2024-09")
        return cls(int(match[1]), int(match[2]))

    @property
    def first(self) -> date:
        """First day of the month."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Last day of the month."""
        return date(self.year, self.month, calendar.monthrange(self.year, self.month)[1])

    @property
    def days(self) -> list[date]:
        """Every day of the month, in order."""
        return [self.first + timedelta(days=n) for n in range(self.last.day)]

    def next(self) -> "Period":
        """The month after."""
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
