"""The shape of the code: one idea a module, one word for one thing."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("broker", "hipwatch", "ingest", "monitor", "schemas")
MODULES: Final = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
MOST_LINES: Final = 300
FORMER_NAMES: Final = {
    "Aside", "LetterBudget", "Letters", "Kept", "Fleet", "Hole", "find_holes", "FeedMark", "mark_published", "mark_complete",
    "entering", "Strange", "sentences", "stage_play", "set_stage", "Theatre", "Watch",
}  # fmt: skip
"""Words that meant several things, or nothing to a newcomer; docs/words.md has those that took their place."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(text)), "a module says what it is for"


def test_no_former_name_comes_back() -> None:
    defined = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.add(node.id)
    assert FORMER_NAMES & defined == set()


def test_the_wiring_is_done_in_composition_roots_only() -> None:
    roots = ("hipwatch/", "monitor/app/", "schemas/register")
    for path in MODULES:
        place = str(path.relative_to(ROOT))
        if not place.startswith(roots):
            called = re.findall(r"\b(open_database|Ledger|load_register)\(", re.sub(r"\b(class|def) \w+\(", "", path.read_text()))
            assert called == [] or place == "monitor/ledger/database.py", f"{place} calls {called}"
