"""Make the mutants of one module, try them, and say which survive: mutmut in a folder of its own, for it changes what it runs."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.mutants.modules import ROOT
from tests.mutants.survivors import Survivor

_COPIED: Final = ("monitor", "schemas", "broker", "ingest", "hipwatch", "ops", "docs", "tests")
_UNTRUE: Final = ("unused-ignore", "no-redef")
"""What mypy says of unchanged code, too, where a function stands many times: each declares the attributes that have a type."""
_LESS: Final = [word for code in _UNTRUE for word in ("--disable-error-code", code)]
_TYPES: Final = (sys.executable, "-m", "mypy", "--output", "json", *_LESS, "--cache-dir")
_KILLED: Final = "killed"
_BY_TYPES: Final = "caught by type check"
_BY_TIME: Final = "timeout"
_SPINNER: Final = tuple("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
_TRIED: Final = "mutations/second"
_NOTHING_TO_TRY: Final = "could not find any test case for any mutant"
"""It says so where there is no function too."""
_STATUS: Final = re.compile(r"^\s+(\S+): (.+)$", re.MULTILINE)


class NotTried(Exception):
    """What mutmut said when it did not come to try the mutants."""


class Mutants(NamedTuple):
    """What became of the mutants of one module: how many there were, what killed how many, and which survived."""

    total: int
    by_tests: int
    by_types: int
    by_time: int
    survivors: Sequence[Survivor]


def run(module: str, tests: Sequence[str], processes: int) -> Mutants:
    """Try every mutant of `module` with `tests`. Raises NotTried when none could be, as when the tests fail without one."""
    with tempfile.TemporaryDirectory(prefix="hipwatch-mutants-") as name:
        folder = Path(name)
        _lay_out(folder, module, [test for test in tests if (ROOT / test).exists()])
        said = _mutmut(folder, "run", "--max-children", str(processes))
        found = dict(_STATUS.findall(_mutmut(folder, "results", "--all", "true")))
        if _TRIED not in said and (found or _NOTHING_TO_TRY not in said):
            raise NotTried("\n".join(line for line in said.splitlines() if line[:1] not in _SPINNER))
        lost = [mutant for mutant, status in found.items() if status not in (_KILLED, _BY_TYPES, _BY_TIME)]
        ends = Counter(found.values())
        survivors = [_survivor(folder, mutant, found[mutant]) for mutant in lost]
        return Mutants(len(found), ends[_KILLED], ends[_BY_TYPES], ends[_BY_TIME], survivors)


def _lay_out(folder: Path, module: str, tests: Sequence[str]) -> None:
    """Copy what the tests need, and say to mutmut what to change and how to try it."""
    for part in _COPIED:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    types = [*_TYPES, str(ROOT / ".mypy_cache" / "mutants"), "-m", module.removesuffix(".py").replace("/", ".")]
    pytest = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.mutants.plugin", "-k", "not postgresql"]
    pytest.append("--snapshot-warn-unused")  # it runs a few tests of a file, whose other golden sentences nobody asks for
    settings = {
        "source_paths": ["monitor", "schemas"],
        "only_mutate": [module],
        "also_copy": list(_COPIED),
        "pytest_add_cli_args": pytest,
        "pytest_add_cli_args_test_selection": list(tests),
        "type_check_command": types,
        "timeout_multiplier": 10.0,
        "timeout_constant": 6.0,
        "use_git_change_detection": False,
    }
    # JSON's strings, lists and numbers are TOML's
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = project.replace('"ignore-without-code", ', "")  # mutmut's own code has such a comment
    (folder / "pyproject.toml").write_text(f"{project}\n[tool.mutmut]\n{lines}", encoding="utf-8")


def _mutmut(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


def _survivor(folder: Path, mutant: str, status: str) -> Survivor:
    module, _, mangled = mutant.rpartition(".")
    function = mangled.partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    lines = _mutmut(folder, "show", mutant).splitlines()
    was = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    now = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return Survivor(f"{module.replace('.', '/')}.py", function, "\n".join(was), "\n".join(now), status)
