"""Where this installation keeps what it makes: logs and the ledgers of replays. Shell."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

from monitor.ledger.database import make_private_folder
from schemas.errors import HipwatchError

_KEPT_RUNS: Final = 5
_MARKER: Final = ".hipwatch-run"
_MARKED: Final = "This folder belongs to one run of hipwatch, which removes it when newer ones have come.\n"
DEFAULT_DATABASE: Final = "sqlite:///hipwatch.db"


def home() -> Path:
    """`HIPWATCH_HOME`, or the user's state folder."""
    return Path(os.environ["HIPWATCH_HOME"]) if os.environ.get("HIPWATCH_HOME") else user_state_path("hipwatch")


def new_run(name: str) -> Path:
    """A new folder for one run of the command `name`; all but the latest few are removed. Raises HipwatchError."""
    runs = home() / "runs"
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    folder = runs / f"{stamp}-{name}-{os.getpid()}"
    try:
        make_private_folder(folder)
        (folder / _MARKER).write_text(_MARKED, encoding="ascii")
    except OSError as error:
        raise HipwatchError(f"no folder can be made in {runs} ({error.strerror}); HIPWATCH_HOME names another place") from None
    for old in sorted(filter(_is_ours, runs.iterdir()))[:-_KEPT_RUNS]:
        _remove_if_ended(old)
    return folder


def _is_ours(folder: Path) -> bool:
    """Whether a command of ours made it: whatever else lies there is somebody's, and stays."""
    marker = folder / _MARKER
    try:
        return not folder.is_symlink() and not marker.is_symlink() and marker.read_text(encoding="ascii") == _MARKED
    except (OSError, UnicodeDecodeError):
        return False


def latest_ledger() -> str | None:
    """The database URL of the latest replay's or demo's ledger, or None when there is none. A recount's is but scratch."""
    ledgers = sorted(ledger for name in ("replay", "demo") for ledger in (home() / "runs").glob(f"*-{name}-*/ledger.db"))
    return f"sqlite:///{ledgers[-1]}" if ledgers else None


def _remove_if_ended(folder: Path) -> None:
    """Remove a run's folder, unless the process that made it still lives."""
    pid = folder.name.rsplit("-", 1)[-1]
    if not (pid.isdigit() and Path(f"/proc/{pid}").exists()):
        shutil.rmtree(folder, ignore_errors=True)
