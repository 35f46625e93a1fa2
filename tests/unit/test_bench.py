"""The benchmark believes no contestant that failed."""

import sys
from pathlib import Path

import pytest

from bench.running import ContestantFailed, Running, measured


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_a_contestant_that_fails_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(ContestantFailed, match=r"ended with 3:\nno broker"):
        measured(python("print('no broker'); raise SystemExit(3)"), tmp_path / "log")


def test_a_contestant_that_a_signal_ended_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(ContestantFailed, match="ended with -9"):
        measured(python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), tmp_path / "log")


def test_a_contestant_that_ends_before_it_has_counted_all_is_no_result(tmp_path: Path) -> None:
    with Running(python("pass"), tmp_path / "log") as running, pytest.raises(ContestantFailed, match="ended with 0"):
        running.wait_until(lambda: False)


def test_a_contestant_is_told_to_end_when_it_has_counted_all(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"""
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path({str(ready)!r}).touch()
signal.pause()
"""
    with Running(python(script), tmp_path / "log") as running:
        assert running.wait_until(ready.exists) > 0
        before = running.cpu_seconds()
        running.stop()
        assert running.cpu_seconds() >= before > 0
        assert running.peak_mib() > 1


def test_what_is_left_running_is_ended(tmp_path: Path) -> None:
    with Running(python("import time; print(1, flush=True); time.sleep(3600)"), tmp_path / "log") as running:
        running.wait_until(lambda: (tmp_path / "log").read_text() == "1\n")
    with pytest.raises(ChildProcessError):
        running.ended()
