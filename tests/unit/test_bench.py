"""The benchmark believes no contestant that failed."""

import sys
from pathlib import Path

import pytest

from bench.contestants import ContestantFailed, measured


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_a_contestant_that_fails_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(ContestantFailed, match=r"ended with 3:\nno broker"):
        measured(python("print('no broker'); raise SystemExit(3)"), tmp_path / "log")


def test_a_contestant_that_a_signal_ended_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(ContestantFailed, match="ended with -9"):
        measured(python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), tmp_path / "log")


def test_a_contestant_that_ends_before_it_has_counted_all_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(ContestantFailed, match="ended with 0"):
        measured(python("pass"), tmp_path / "log", lambda: False)


def test_a_contestant_is_told_to_end_when_it_has_counted_all(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"""
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path({str(ready)!r}).touch()
signal.pause()
"""
    cpu, seconds, peak = measured(python(script), tmp_path / "log", ready.exists)
    assert cpu > 0
    assert seconds > 0
    assert peak > 1
