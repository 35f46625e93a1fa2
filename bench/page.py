"""docs/benchmark.md with its picture, made from what was measured: nothing in it is typed by hand. Shell: files."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import results, scale
from bench.parts import PARTS
from bench.plot import draw
from bench.results import Result
from schemas.errors import HipwatchError

_DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = _DOCS / "benchmark.md"
FOUND: Final = _DOCS / "benchmark.json"
_PICTURE: Final = _DOCS / "benchmark.svg"
_BROKERS: Final = {"kafka": "Apache Kafka", "embedded": "the embedded broker (Tansu)"}
_WIDTH: Final = 160
_HEAD: Final = """# Benchmark

What counting costs, beside the peers, and what hipwatch takes while it lives. `make bench BROKER=kafka` measures everything
anew and writes this page from what it found ([benchmark.json](benchmark.json)); `make bench PART=latency` measures one part.
CPU-seconds are those of whole processes by the operating system's account; wall times and events a second depend on what else
the machine does.

![CPU-seconds per million events, and how they grow](benchmark.svg)
"""


def write_page() -> Sequence[Path]:
    """Write page, picture and data from the results that there are; which files. Raises HipwatchError when there are none."""
    found = gathered(results.RESULTS)
    if not found:
        raise HipwatchError("nothing has been measured yet")
    FOUND.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
    draw(found, _PICTURE)
    return [FOUND, PAGE, _PICTURE]


def gathered(folder: Path) -> list[Result]:
    """The results of a folder in the order of the page, Apache Kafka's first."""
    paths = (folder / f"{part}-{broker}.json" for part in PARTS for broker in _BROKERS)
    return [results.read(path) for path in paths if path.exists()]


def page(found: Sequence[Result]) -> str:
    """The whole page."""
    sections = [_HEAD]
    told: set[str] = set()
    for result in found:
        part = PARTS[result["part"]]
        if result["part"] not in told:
            told.add(result["part"])
            sections.append(f"\n## {part.title}\n\n{_filled(part.note)}\n")
        sections.append("\n" + "\n".join([_measured(result), "", *part.lines(result["rows"])]) + "\n")
    costs = scale.costs_of(found)
    if costs is not None:
        sections.append(f"\n## {scale.TITLE}\n\n{_filled(scale.NOTE)}\n\n" + "\n".join(scale.lines(costs)) + "\n")
    return "".join(sections)


def _filled(note: str) -> str:
    return textwrap.fill(" ".join(note.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _measured(result: Result) -> str:
    sizes: Mapping[str, Any] = result["sizes"]
    machine: Mapping[str, Any] = result["machine"]
    rounds = "1 round" if sizes["rounds"] == 1 else f"{sizes['rounds']} rounds"
    size = f"{sizes['events']:,} events, {rounds}, {sizes['seconds']:g} s of each live phase"
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    return f"On {_BROKERS[result['broker']]}, asked for {size}; {place}, {machine['system']}, Python {machine['python']}."
