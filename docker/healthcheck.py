"""Whether the hipwatch in this container is well: exit 0 or 1, with the reason on stdout.

`serve` is well while /healthz says so, that is, while it can read the ledger. Any other command has no port to ask: it is
well while its process lives and is not stopped or a zombie. Whether a worker also counts is the platform clock's matter
(the alert MonitorStalled), not this check's.
"""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

_FIRST = Path("/proc/1")


def main() -> str | None:
    """The reason why it is not well, or None."""
    if "serve" in (_FIRST / "cmdline").read_text().split("\0"):
        return _ask(f"http://127.0.0.1:{os.environ.get('HIPWATCH_PORT', '8080')}/healthz")
    state = (_FIRST / "stat").read_text().rpartition(")")[2].split()[0]
    return None if state in "RSD" else f"the process is in state {state}"


def _ask(url: str) -> str | None:
    try:
        with urllib.request.urlopen(url, timeout=4):
            return None
    except urllib.error.HTTPError as error:
        return error.read().decode(errors="replace")
    except OSError as error:
        return f"{url} does not answer: {error}"


if __name__ == "__main__":
    problem = main()
    print(problem or "ok")
    sys.exit(1 if problem else 0)
