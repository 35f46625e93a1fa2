"""Run it: `python -m bench.judging --units 10000`. What it costs to judge every feed once, warm, whatever the ledger's age.

The history is that of `make judge`. Days before the last one are given to the judge without a verdict, as when `serve` starts.
"""

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from monitor.judgement.activity import HOURS_EAST, ActiveHour
from monitor.judgement.conditions import CityState, evaluate
from tests.judge.history import History
from tests.judge.run import city_of

RESULTS: Final = Path(__file__).parent / "results"
_SEED: Final = 1


@dataclass(frozen=True)
class Cost:
    """CPU-seconds of one process: learning all rhythms anew, once a day; an evaluation in each of the other hours of the day."""

    units: int
    days: int
    learn: float
    evaluate_median: float
    evaluate_most: float


def main() -> int:
    options = _options()
    costs = []
    for months in options.months:
        costs.append(_measure(options.units, months))
        print(f"{options.units} units, {costs[-1].days} days old: evaluated in {costs[-1].evaluate_median:.3f} CPU-s", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "judging.json").write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n", encoding="utf-8")
    lines = _table(costs)
    (RESULTS / "judging.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


def _measure(units: int, months: int) -> Cost:
    history = History.make(_SEED, months, units)
    city = city_of(history)
    last_day = int(history.days.start) + (history.days.count - 1) * 24
    by_hour: dict[int, list[ActiveHour]] = defaultdict(list)
    for heard in _heard(history):
        city.history.add(one for one in heard if one.hour + HOURS_EAST < last_day)
        for one in heard:
            if one.hour + HOURS_EAST >= last_day:
                by_hour[one.hour + HOURS_EAST].append(one)
    learn = _evaluated(city, last_day)
    warm = []
    for hour in range(last_day, last_day + 23):
        began = time.process_time()
        city.history.add(by_hour[hour])
        evaluate(city, hour + 1.0)
        warm.append(time.process_time() - began)
    return Cost(units, history.days.count, learn, statistics.median(warm), max(warm))


def _evaluated(city: CityState, now: float) -> float:
    began = time.process_time()
    evaluate(city, now)
    return time.process_time() - began


def _heard(history: History) -> Iterator[list[ActiveHour]]:
    """Row by row, each hour in which it was heard, as the ledger keeps it."""
    for row, sender in enumerate(history.senders):
        hours, counts = np.unique(np.floor(sender.arrive).astype(np.int64), return_counts=True)
        hours_and_counts = zip(hours.tolist(), counts.tolist(), strict=True)
        yield [ActiveHour(row, hour - HOURS_EAST, 0, 59, count) for hour, count in hours_and_counts]


def _table(costs: Sequence[Cost]) -> list[str]:
    lines = [
        "| units | days of history | learn all rhythms (once a day), CPU-s | evaluate: median, CPU-s | most |",
        "|---" * 5 + "|",
    ]
    for cost in costs:
        seconds = f"{cost.learn:.1f} | {cost.evaluate_median:.3f} | {cost.evaluate_most:.3f}"
        lines.append(f"| {cost.units:,} | {cost.days} | {seconds} |")
    return lines


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.judging", description=__doc__)
    parser.add_argument("--units", type=int, default=10_000, help="with two feeds each (%(default)s)")
    parser.add_argument("--months", type=int, nargs="+", default=[2, 6], help="how old the ledger is (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
