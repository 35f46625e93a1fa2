"""Reviewed files that what is made today is compared with, and the way to write them anew."""

import json
from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "golden"
_MOST: Final = 40


def _text(made: object) -> str:
    return made if isinstance(made, str) else json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def differences(made: object, name: str) -> Sequence[str]:
    """The first lines that are not as they were reviewed; pytest's own comparison of long texts takes half a minute."""
    reviewed = (FOLDER / name).read_text(encoding="utf-8")
    lines = unified_diff(reviewed.splitlines(), _text(made).splitlines(), "reviewed", "made today", lineterm="", n=0)
    return [line[:200] for line, _ in zip(lines, range(_MOST), strict=False)]


def write(made: object, name: str) -> None:
    """Keep what is made today; read the difference before it is committed."""
    (FOLDER / name).write_text(_text(made), encoding="utf-8")
