"""The modules that mutants are made of, and the tests that have to notice them.

Few tests and fast ones: each mutant is tried with those that reach the changed function. Of contract tests only SQLite's.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = ("monitor/counting", "monitor/judgement", "monitor/judgement/rules", "schemas/codec")
_ALONE: Final = ("monitor/ledger/gaps.py",)
_UNIT: Final = "tests/unit/monitor"
_OF_FOLDER: Final[Mapping[str, Sequence[str]]] = {
    "monitor/counting": (f"{_UNIT}/counting", f"{_UNIT}/test_fold.py", f"{_UNIT}/test_kinds.py"),
    "monitor/judgement": (f"{_UNIT}/judgement",),
    "monitor/judgement/rules": (f"{_UNIT}/judgement/rules",),
    "schemas/codec": ("tests/unit/schemas",),
}
_RHYTHMS: Final = f"{_UNIT}/judgement/test_learned_rhythm.py"
_SCHEMAS: Final = "tests/unit/schemas"
_COLUMNAR: Final = (f"{_SCHEMAS}/codec/test_columnar_layouts.py", f"{_SCHEMAS}/test_columnar.py")
_DECODE: Final = (f"{_SCHEMAS}/test_decode.py", f"{_SCHEMAS}/test_golden.py", f"{_SCHEMAS}/test_evolution.py")
_FOLD: Final = f"{_UNIT}/counting/test_column_fold.py"
_OF_MODULE: Final[Mapping[str, Sequence[str]]] = {
    "monitor/counting/column_changes.py": (f"{_UNIT}/counting/test_column_changes.py", _FOLD),
    "monitor/counting/column_streams.py": (f"{_UNIT}/counting/test_column_streams.py", _FOLD),
    "monitor/counting/event_columns.py": (_FOLD,),
    "monitor/counting/fold.py": (f"{_UNIT}/counting/test_folding.py", f"{_UNIT}/test_fold.py"),
    "monitor/judgement/hour_weights.py": (f"{_UNIT}/judgement/test_hour_weights.py", _RHYTHMS),
    "monitor/judgement/own_days.py": (f"{_UNIT}/judgement/test_own_days.py", _RHYTHMS),
    "monitor/judgement/rhythms.py": (f"{_UNIT}/judgement/test_rhythms_file.py", f"{_UNIT}/judgement/test_unit_status.py"),
    "monitor/ledger/gaps.py": ("tests/contract/test_gaps.py",),
    "schemas/codec/records.py": (f"{_SCHEMAS}/codec/test_records.py", *_DECODE),
    **dict.fromkeys((f"schemas/codec/{name}.py" for name in ("decode", "encode", "single_object")), _DECODE),
    **dict.fromkeys((f"schemas/codec/{name}.py" for name in ("columnar", "column_checks")), _COLUMNAR),
}


def _modules() -> Sequence[str]:
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py")) if path.name != "__init__.py"]
    return (*(path.relative_to(ROOT).as_posix() for path in found), *_ALONE)


MODULES: Final = _modules()


def tests_of(module: str) -> Sequence[str]:
    """The tests that have to notice a mutant of `module`: those named here, else its own, else those of its folder."""
    if module in _OF_MODULE:
        return _OF_MODULE[module]
    folder, _, name = module.removesuffix(".py").rpartition("/")
    own = f"tests/unit/{folder}/test_{name}.py"
    if (ROOT / own).exists():
        return [own]
    return _OF_FOLDER[folder]
