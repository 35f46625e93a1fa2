"""How a simulated event is told from a real one: by its series. Core."""

import re
from typing import Final

from schemas.period import Period

MARK: Final = "simulated-"
"""No sender may begin its series so: a worker refuses these unless it is told to take them."""
_BEFORE_THE_MARK: Final = re.compile(r"\d{4}-\d{2}-[0-9a-f]{8}", re.ASCII)


def simulated_series(period: Period, digest: str) -> str:
    """The series of a simulated month; `digest` is 8 hex digits over all that its events depend on."""
    return f"{MARK}{period}-{digest}"


def is_simulated(series: str) -> bool:
    """Whether the series says that it was simulated."""
    return series.startswith(MARK)


def may_be_simulated(series: str) -> bool:
    """Whether it is marked, or has the form that simulated series had before they were."""
    return is_simulated(series) or _BEFORE_THE_MARK.fullmatch(series) is not None
