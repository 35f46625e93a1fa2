"""Names by which both sides know things. Core."""

from typing import Final, NewType

UnitId = NewType("UnitId", str)
TableCode = NewType("TableCode", str)
FormCode = NewType("FormCode", str)

CANARY_UNIT: Final = UnitId("hipwatch-canary")
"""The made-up unit of `hipwatch canary`. No register may have it."""
