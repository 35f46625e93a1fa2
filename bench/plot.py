"""The picture of the page: who takes how much, and how it grows. SVG, the same bytes for the same results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.results import Result

_OURS: Final = "hipwatch"


def bars(found: Sequence[Result]) -> Mapping[str, float]:
    """CPU-seconds per million of each contestant, the dearest first; of the first result that counts. Empty without one."""
    rows = next((result["rows"] for result in found if result["part"] == "counting"), ())
    costs = {row["name"]: row["cpu_seconds_per_million"] for row in rows}
    return dict(sorted(costs.items(), key=lambda item: -item[1]))


def curves(found: Sequence[Result]) -> Mapping[str, tuple[list[float], list[float]]]:
    """For each database, millions of events and CPU-seconds per million of the stretch that ends there."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for row in next((result["rows"] for result in found if result["part"] == "growth"), ()):
        millions, costs = lines.setdefault(row["database"], ([], []))
        millions.append(row["messages"] / 1e6)
        costs.append(row["cpu_seconds_per_million"])
    return lines


def draw(found: Sequence[Result], file: Path) -> None:
    """Write it."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "hipwatch"
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_bars(left, bars(found))
    for database, (millions, costs) in curves(found).items():
        right.plot(millions, costs, marker="o", label=database)
    right.set(xlabel="million events counted", ylabel="CPU-s per million", ylim=(0, None), title="as they become more")
    if right.lines:
        right.legend(frameon=False)
    figure.savefig(file, format="svg", metadata={"Date": None})


def _draw_bars(axes: Any, costs: Mapping[str, float]) -> None:
    colours = ["tab:blue" if name.startswith(_OURS) else "tab:gray" for name in costs]
    drawn = axes.barh(list(costs), list(costs.values()), color=colours)
    axes.bar_label(drawn, fmt="%.1f", padding=3)
    axes.set(xlabel="CPU-s per million events", title="counting a backlog", xmargin=0.12)
