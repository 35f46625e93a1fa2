"""What the page says about the register and the ledger before it says anything of the units. Core."""

from collections.abc import Iterable, Sequence
from typing import Final

from schemas.events import UnitId
from schemas.register import Register
from schemas.register.live import RegisterState

_MOST_NAMED: Final = 5


def register_notices(state: RegisterState) -> Sequence[str]:
    """A changed register that is broken."""
    if state.problem is None:
        return []
    return [f"单位名录有误,仍沿用上一份 · the changed register is not taken, the last good one stays in use: {state.problem}"]


def targets_notices(problem: str | None) -> Sequence[str]:
    """A changed targets file that is broken: what is wrong with it, if anything."""
    if problem is None:
        return []
    return [f"通知目标文件有误,仍沿用上一份 · the changed targets are not taken, the last good ones stay in use: {problem}"]


def strange_ledger(counted: Iterable[UnitId], register: Register) -> Sequence[str]:
    """Units that the ledger has counted and the register does not have: it was counted with another register."""
    strange = sorted({unit_id for unit_id in counted if unit_id not in register.units})
    if not strange:
        return []
    more = f" and {len(strange) - _MOST_NAMED} more" if len(strange) > _MOST_NAMED else ""
    units = "unit" if len(strange) == 1 else "units"
    named = f"{', '.join(strange[:_MOST_NAMED])}{more}"
    told = f"the ledger has counted {len(strange)} {units} that the register does not have ({named}): is it the right register?"
    return [f"台账含名录外单位 · {told}"]
