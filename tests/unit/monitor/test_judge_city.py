"""The harness of `make judge` must be able to fail, and a short city must come out well. The full measure is `make judge`."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("judge", ["never", "always"])
def test_a_judge_that_never_or_always_calls_fails(judge: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.judge", "--months", "3", "--units", "12", "--judge", judge], capture_output=True, text=True
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "Failed:" in run.stdout
