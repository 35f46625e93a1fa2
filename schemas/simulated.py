"""How a simulated event is told from a real one: by the form of its series. Core."""

import re
from typing import Final

from schemas.period import Period

_SERIES: Final = re.compile(r"\d{4}-\d{2}-[0-9a-f]{8}", re.ASCII)


def simulated_series(period: Period, digest: str) -> str:
    """The series of a simulated month; `digest` is 8 hex digits over all that its events depend on."""
    return f"{period}-{digest}"


def is_simulated(series: str) -> bool:
    """Whether the simulator made that series. No sender is asked to number its events so, and none is kept from it."""
    return _SERIES.fullmatch(series) is not None
