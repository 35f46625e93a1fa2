"""What commands print: lines in which nothing of a sender's moves the cursor, or one JSON document. Shell."""

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any

import typer

from schemas.register import Register
from schemas.visible import visible, visible_json

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


def say(text: str, *, err: bool = False) -> None:
    """Print one line."""
    typer.echo(visible(text), err=err)


def say_json(value: object) -> None:
    """Print a value of plain ones, dataclasses, dates and moments."""
    typer.echo(visible_json(json.dumps(value, ensure_ascii=False, indent=2, default=_plain)))


def unit_and_id(register: Register, unit_id: str) -> str:
    """`鼓楼区 (gulou)`, or the id alone of a unit that the register does not know."""
    unit = next((unit for known, unit in register.units.items() if known == unit_id), None)
    return f"{unit.name_zh} ({unit_id})" if unit else f"{unit_id} ({unit_id})"


def facts_of(found: Sequence[Any]) -> list[dict[str, Any]]:
    """Dataclasses as dicts, one level deep."""
    return [{item.name: getattr(one, item.name) for item in fields(one)} for one in found]


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    return str(value)
