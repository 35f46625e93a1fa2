"""Run `python -m tests.exact` as a user would, and hold it to its word."""

import subprocess
import sys


def run_exact(least: int, *options: str, seconds: float) -> None:
    """Fails unless at least so many events, with faults of every kind among them, were counted exactly."""
    command = [sys.executable, "-m", "tests.exact", "--events", str(least), *options]
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    told = run.stdout + run.stderr
    assert run.returncode == 0, told
    assert run.stdout.splitlines()[-1:] == ["every counter is exact"], told
    rows = [line.rsplit(maxsplit=2) for line in run.stdout.splitlines() if line[-1:].isdigit()]
    ledger = {row[0].strip(): int(row[2]) for row in rows if row[1].isdigit()}
    assert ledger["accepted"] >= least
    assert ledger["duplicates"] > 0.008 * least
    assert ledger["gaps opened"] > 0.008 * least, "what was reordered, and what came late"
    assert sum(total for name, total in ledger.items() if name.startswith("dead letters")) > 0.0008 * least
    assert ledger["cells"] == 408
