"""Names by which both sides know things. Core."""

from typing import NewType

UnitId = NewType("UnitId", str)
TableCode = NewType("TableCode", str)
FormCode = NewType("FormCode", str)
