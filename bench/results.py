"""What a measurement found: rows of plain values, kept as JSON with the machine they were found on. Core but for the files."""

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench.stage import Sizes

RESULTS: Final = Path(__file__).parent / "results"
Rows = Sequence[Mapping[str, Any]]
Result = Mapping[str, Any]
"""`part`, `broker`, `sizes`, `machine` and `rows`."""


def write(part: str, broker: str, sizes: Sizes, rows: Rows) -> Path:
    """Keep what a part found; what it found before is replaced."""
    RESULTS.mkdir(exist_ok=True)
    result = {"part": part, "broker": broker, "sizes": asdict(sizes), "machine": machine(), "rows": rows}
    path = RESULTS / f"{part}-{broker}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> Result:
    """One that was written."""
    result: Result = json.loads(path.read_text(encoding="utf-8"))
    return result


def machine() -> dict[str, object]:
    """What this machine is, without its name."""
    facts = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.partition(":")[2].strip() for line in facts.splitlines() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"Linux {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that so large a share of them does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """In Markdown."""
    return [_line(headings), "|---" * len(headings) + "|", *(_line(row) for row in rows)]


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def times(cost: float, first: float) -> str:
    """A cell for how many times the first's a cost is; empty when the first took nothing that could be measured."""
    return f"× {cost / first:.1f}" if first > 0 else ""


def more(cost: float, first: float) -> str:
    """A cell for how much more than the first's a cost is; empty when the first took nothing that could be measured."""
    return f"{cost / first - 1:+.0%}" if first > 0 else ""


def yes(holds: bool) -> str:
    """A cell for what has to hold."""
    return "yes" if holds else "NO"
