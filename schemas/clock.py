"""Dates and times of the contract: aware UTC inside, the platform's local day at the edges. Core."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has kept UTC+8 without daylight saving since 1991, and no event is older: a fixed offset needs no tz database."""

DAY_MS: Final = 86_400_000
SHANGHAI_MS: Final = 8 * 3_600_000
"""How far the platform's clock is ahead of UTC."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z, rounded down; `moment` must be aware."""
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """The aware UTC moment of `millis`; exact."""
    return _EPOCH + timedelta(milliseconds=millis)


def to_days(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH_DAY


def from_days(days: int) -> date:
    """The date that lies `days` after 1970-01-01."""
    return date.fromordinal(days + _EPOCH_DAY)


def local_date(moment: datetime) -> date:
    """The platform's calendar day (Asia/Shanghai) at `moment`."""
    return moment.astimezone(SHANGHAI).date()


def local_text(moment: datetime | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """The platform's wall clock (Asia/Shanghai) at `moment`, for people to read; a dash where there is no moment."""
    return moment.astimezone(SHANGHAI).strftime(pattern) if moment else "—"


def start_of_day(day: date) -> datetime:
    """The UTC moment at which `day` begins in Asia/Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
