"""Units as people name them: by id, by any name that the register has, now or once. Shell: raises what is printed."""

from difflib import get_close_matches
from typing import Annotated

import typer

from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.register import Register
from schemas.visible import one_line

UnitOption = Annotated[str | None, typer.Option("--unit", help="Only this unit: its id, or any of its Chinese or English names.")]
_CLOSE = 0.55
"""Of two Chinese names of seven characters, four may differ; of ids of the same kind less."""


def unit_in(register: Register, text: str | None) -> UnitId | None:
    """The unit that `text` names. Raises HipwatchError with those that it may have meant."""
    if text is None:
        return None
    wanted = text.strip()
    if (unit := register.units.get(UnitId(wanted))) is not None or (unit := register.unit_named(wanted)) is not None:
        return unit.unit_id
    named = {name.casefold(): unit.unit_id for unit in register.units.values() for name in (unit.unit_id, *unit.names)}
    if wanted.casefold() in named:
        return named[wanted.casefold()]
    raise HipwatchError(f"the register has no unit '{one_line(wanted)}'{_did_you_mean(register, wanted.casefold(), named)}")


def _did_you_mean(register: Register, wanted: str, named: dict[str, UnitId]) -> str:
    within = [name for name in named if wanted and wanted in name]
    close = list(dict.fromkeys(named[name] for name in [*within, *get_close_matches(wanted, named, 5, _CLOSE)]))[:3]
    if not close:
        return ""
    return "; did you mean " + " or ".join(f"{register.units[unit_id].name_zh} ({unit_id})" for unit_id in close) + "?"
