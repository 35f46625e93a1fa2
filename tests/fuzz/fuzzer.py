"""The process that fuzzes: libFuzzer, led by the coverage of `schemas`, never comes back, so it has a process of its own."""

import os
import sys
import time
from collections import Counter
from random import Random
from typing import Final

import atheris

with atheris.instrument_imports(include=["schemas"], enable_loader_override=False):
    from schemas.topics import Topic
    from tests.fuzz.judge import ACCEPTED, Verdicts, judge
    from tests.fuzz.messages import mutated, topic_and_message

_LONGEST: Final = 4_096
"""Bytes of an input. What megabytes may cost is asked by unit tests; here it is many inputs that count."""
_LIMITS: Final = ("-timeout=30", "-rss_limit_mb=1024")
"""Seconds that one input may take, and memory that all may take: beyond, the run fails and keeps the input."""
KEPT: Final = "fuzz-"
"""What the file of an input that broke the decoder begins with."""


class Run:
    """Judges inputs, and ends the process with a report after the last."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._begun = time.monotonic()
        self._verdicts: Verdicts = Counter()

    def take(self, data: bytes) -> None:
        """Judge one input; what is raised here, libFuzzer reports as a crash."""
        topic, message = topic_and_message(data)
        self._verdicts[topic, judge(topic, message)] += 1
        if self._verdicts.total() == self._runs:
            print(_report(self._verdicts, time.monotonic() - self._begun), flush=True)
            os._exit(0)


def _report(verdicts: Verdicts, seconds: float) -> str:
    """Inputs by outcome and topic: a run that never got past the header shows."""
    outcomes = sorted({outcome for _, outcome in verdicts}, key=lambda outcome: (outcome != ACCEPTED, outcome))
    lines = [" ".join([f"{'':20}", *(f"{topic:>14}" for topic in Topic), f"{'all':>10}"])]
    for outcome in outcomes:
        counts = [verdicts[topic, outcome] for topic in Topic]
        lines.append(" ".join([f"{outcome:20}", *(f"{count:14}" for count in counts), f"{sum(counts):10}"]))
    runs = verdicts.total()
    return "\n".join([*lines, f"{runs} inputs, {runs / seconds:.0f} a second, no error but the documented one"])


def _mutate(data: bytes, most: int, seed: int) -> bytes:
    return mutated(data, most, Random(seed), atheris.Mutate)


def main() -> None:
    """`fuzzer.py RUNS SEED FOLDER`; the folder holds the first inputs and takes those that reach new code."""
    runs, seed, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    atheris.Setup(
        [sys.argv[0], f"-seed={seed}", f"-max_len={_LONGEST}", *_LIMITS, f"-artifact_prefix={KEPT}", folder],
        Run(runs).take,
        custom_mutator=_mutate,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
