"""The trade-off: the same history judged at several limits, from quick and loud to slow and quiet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor.judgement.hour_weights import LEAST_LIMIT
from tests.judge.history import History
from tests.judge.run import hear, play
from tests.judge.score import score

LIMITS: Final = (4.5, 5.5, LEAST_LIMIT, 7.5, 9.0, 11.0)
"""Surprises. What ships lies among them."""
_HEADINGS: Final = ("limit", "false alarms per unit-month", "realtime: missed", "realtime: p95 delay, h", "scheduled: missed")
_GOAL_FALSE, _GOAL_DELAY = 0.01, 4.0


@dataclass(frozen=True)
class Point:
    """False alarms per unit-month after the first 28 days; silences missed, of those that had to be found; hours of delay."""

    limit: float
    false_alarms: float
    realtime_missed: int
    realtime_due: int
    realtime_p95: float
    scheduled_missed: int
    scheduled_due: int


def curve(history: History, limits: Sequence[float], tell: Callable[[str], None]) -> list[Point]:
    """Fold once, and judge at each limit."""
    heard = hear(history)
    points = []
    for limit in limits:
        found = score("", play(history, heard, limit), history).as_json()
        realtime, scheduled = (found["kinds"][f"silence, {feed}"] for feed in ("realtime", "scheduled"))
        points.append(
            Point(
                limit,
                found["false_alarms_per_unit_month"],
                realtime["missed"],
                realtime["due"],
                realtime.get("delay_p95", float("nan")),
                scheduled["missed"],
                scheduled["due"],
            )
        )
        tell(f"limit {limit:g}: {points[-1].false_alarms:.4f} false alarms per unit-month")
    return points


def caption(about: Mapping[str, Any]) -> str:
    """A sentence above the table."""
    return f"Seed {about['seed']}: {about['units']} units, {about['months']} months from {about['first_day']}."


def table(points: Sequence[Point]) -> str:
    """Markdown; what ships is bold."""
    lines = [f"| {' | '.join(_HEADINGS)} |", f"|{'---|' * len(_HEADINGS)}"]
    for point in points:
        limit = f"**{point.limit:g}**" if point.limit == LEAST_LIMIT else f"{point.limit:g}"
        missed = [f"{point.realtime_missed} of {point.realtime_due}", f"{point.scheduled_missed} of {point.scheduled_due}"]
        lines.append(f"| {limit} | {point.false_alarms:.4f} | {missed[0]} | {point.realtime_p95:.1f} | {missed[1]} |")
    return "\n".join(lines)


def draw(points: Sequence[Point], file: Path) -> None:
    """False alarms against delay and misses, with the goals; SVG, the same bytes for the same points."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "hipwatch"
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    false = [point.false_alarms for point in points]
    axes.plot(false, [point.realtime_p95 for point in points], marker="o", color="tab:blue", label="p95 delay, realtime")
    for point in points:
        words = f"{point.limit:g}" + (" (ships)" if point.limit == LEAST_LIMIT else "")
        axes.annotate(words, (point.false_alarms, point.realtime_p95), textcoords="offset points", xytext=(5, 6), fontsize=8)
    axes.set_xscale("symlog", linthresh=0.001)
    axes.axvline(_GOAL_FALSE, color="tab:gray", linestyle=":", label="goals")
    axes.axhline(_GOAL_DELAY, color="tab:gray", linestyle=":")
    axes.set(xlabel="false alarms per unit-month", ylabel="hours beyond the ideal moment", ylim=(0, None))
    shares = axes.twinx()
    missed = [100 * point.realtime_missed / max(point.realtime_due, 1) for point in points]
    shares.plot(false, missed, marker="s", color="tab:orange", label="missed, realtime")
    shares.set(ylabel="missed silences, %", ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(file, format="svg", metadata={"Date": None})
