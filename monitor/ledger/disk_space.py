"""How much room the disk has that the ledger lies on. Shell: asks the file system.

Only an SQLite ledger has a folder that we can ask about; PostgreSQL's disk is its server's.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from monitor.ledger.database import Engine


class DiskSpace(NamedTuple):
    """In bytes; `free` is what we may still write."""

    free: int
    size: int


def ledger_disk(engine: Engine) -> DiskSpace | None:
    """The disk under an SQLite ledger's folder; None for every other ledger, and while it cannot be asked."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    try:
        found = shutil.disk_usage(Path(name).parent)
    except OSError:
        return None
    return DiskSpace(found.free, found.total)
