"""The systemd units, as systemd's own tools see them; no systemd runs here as the first process."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hipwatch.cli.main import load_all
from tests.ops.tools import OPS

UNITS: Final = sorted((OPS / "systemd").glob("*.service"))
ENVIRONMENT: Final = OPS / "systemd" / "hipwatch.env"
PROGRAM: Final = "/opt/hipwatch/bin/hipwatch"
EXPOSURE: Final = 2.0
"""Of 10, as `systemd-analyze security` counts; below 4 it says OK."""


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return found


def installed(unit: Path, folder: Path) -> Path:
    """A copy whose program and settings are there, as they are after an installation."""
    (folder / "hipwatch").write_text("#!/bin/sh\n", encoding="ascii")
    (folder / "hipwatch").chmod(0o755)
    text = unit.read_text(encoding="utf-8").replace(PROGRAM, str(folder / "hipwatch"))
    copy = folder / unit.name.replace("@.", "@8081.")
    copy.write_text(text.replace("/etc/hipwatch/hipwatch.env", str(ENVIRONMENT)), encoding="utf-8")
    return copy


def analyzed(*command: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_accepts_the_unit_without_a_remark(unit: Path, analyze: str, tmp_path: Path) -> None:
    assert analyzed(analyze, "verify", "--man=no", installed(unit, tmp_path)) == ""


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_the_unit_may_do_little(unit: Path, analyze: str, tmp_path: Path) -> None:
    said = analyzed(analyze, "security", "--no-pager", "--offline=true", installed(unit, tmp_path))
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert level, said
    assert float(level[1]) <= EXPOSURE, said


def options(command: Any) -> Iterator[Any]:
    yield from command.params
    for inner in getattr(command, "commands", {}).values():
        yield from options(inner)


def test_what_the_units_start_and_set_exists() -> None:
    commands = load_all().commands
    for unit in UNITS:
        (start,) = re.findall(rf"^ExecStart={PROGRAM} (.+)$", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)
        name, *rest = start.split()
        known = {name for option in commands[name].params for name in option.opts}
        assert {word for word in rest if word.startswith("--")} <= known
    set_there = set(re.findall(r"^#?(HIPWATCH_\w+)=", ENVIRONMENT.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set_there <= {option.envvar for option in options(load_all())}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_the_command_for_root_runs_as_the_services_user_with_their_settings(tmp_path: Path) -> None:
    settings, command = tmp_path / "hipwatch.env", tmp_path / "hipwatch"
    url, hosts = "postgresql+psycopg://hipwatch@db/hipwatch?sslmode=verify-full&sslrootcert=/ca.crt", "one.example two.example"
    settings.write_text(f"# a remark\n\nHIPWATCH_DATABASE={url}\nHIPWATCH_ALLOWED_HOSTS={hosts}\n#HIPWATCH_CANARY=yes\n")
    text = (OPS / "systemd" / "hipwatch").read_text(encoding="utf-8").replace("--user hipwatch", "--user nobody")
    command.write_text(text.replace(PROGRAM, "/bin/sh").replace("/etc/hipwatch/hipwatch.env", str(settings)), encoding="utf-8")
    command.chmod(0o755)
    said = analyzed(
        command, "-c", 'id -un; echo "$HIPWATCH_DATABASE"; echo "$HIPWATCH_ALLOWED_HOSTS"; echo "$HIPWATCH_HOME $1"', "sh", "a b"
    )
    assert said.splitlines() == ["nobody", url, hosts, "/var/lib/hipwatch a b"]


def test_all_units_are_confined_in_the_same_way() -> None:
    confined = [unit.read_text(encoding="utf-8").partition("# What it may do")[2] for unit in UNITS]
    assert len(set(confined)) == 1
    assert confined[0]
