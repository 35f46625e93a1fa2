"""Read a TOML file into a checked value. Shell: reads a file.

Pydantic checks it strictly. Whatever is wrong is one HipwatchError: the file, the key or the line, and what is wrong there.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import HipwatchError

Checked = TypeVar("Checked", bound="Section")


class Section(BaseModel):
    """A table of a TOML file: what is not listed is an error, `true` is no number, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def read_toml(path: Path, form: type[Checked]) -> Checked:
    """The contents of `path`, checked against `form`. Raises FileNotFoundError, and HipwatchError for all else."""
    return checked(path, parse_toml(path), form)


def parse_toml(path: Path) -> dict[str, Any]:
    """The contents of `path`, unchecked. Raises FileNotFoundError, and HipwatchError with line and column."""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise HipwatchError(f"{path}, byte {error.start}: not UTF-8") from None
    except OSError as error:
        raise HipwatchError(f"{path} cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise HipwatchError(f"{path}, {_place(str(error), text)}") from None


def checked(path: Path, values: dict[str, Any], form: type[Checked]) -> Checked:
    """`values` of the file `path`, checked against `form`. Raises HipwatchError that names the first wrong key."""
    try:
        return form.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise HipwatchError(
            f"{path}, key {_key(values, found[0]['loc']) or 'of the file'}: {_said(found[0], form)}{more}"
        ) from None


def _key(values: Any, location: Sequence[int | str]) -> str:
    """`target.duty.smtp.port`: an entry of a list goes by its `name`, or by its number from 1."""
    words: list[str] = []
    for step in location:
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            values = None  # what is missing, or an alternative of a union
        name = values.get("name") if isinstance(step, int) and isinstance(values, dict) else None
        words.append(name if isinstance(name, str) and name else str(step + 1) if isinstance(step, int) else step)
    return ".".join(words)


def _said(error: Any, form: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        return f"there is no such key (there are {', '.join(_keys(form, error['loc'][:-1]))})"
    if error["type"] == "missing":
        return "is missing"
    if error["type"] in ("model_type", "dict_type"):
        return "must be a table"
    return re.sub(r"^\w+ should ", "must ", str(error["msg"]).removeprefix("Value error, "))


def _keys(form: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The keys of the table at `path`."""
    for step in path:
        field = form.model_fields.get(str(step))
        inner = (
            [kind for kind in _types(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)] if field else []
        )
        if not inner:
            continue  # a key of a mapping, or an index of a list
        form = inner[0]
    return list(form.model_fields)


def _types(annotation: Any) -> list[Any]:
    """Every type that an annotation names, however deep: `dict[str, Rhythm]`, `Rhythm | None`."""
    parts = getattr(annotation, "__args__", ())
    return [annotation, *(found for part in parts for found in _types(part))]


def _place(message: str, text: str) -> str:
    """`line 3, column 7: Invalid value`, from a parser's message that ends in its place."""
    match = re.fullmatch(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    if match is None:
        return message
    lines = text.split("\n")
    line, column = match[2] or len(lines), match[3] or len(lines[-1]) + 1
    return f"line {line}, column {column}: {match[1]}"
