"""Run it: `python -m tests.delivery --seed 1`. Exit 0 only if everything was told once, in time, and nothing else was."""

import argparse
import logging
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from schemas.errors import HipwatchError
from tests.delivery.city import HOSPITALS
from tests.delivery.play import Play
from tests.delivery.schedule import schedule
from tests.delivery.stage import staged
from tests.delivery.watch import Failed, Row
from tests.services.process import ServiceFailed

_UNITS = 6
"""So many hospitals come and go under restarts: each message has room for all their names."""


def main() -> int:
    options = _options()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # the mail server warns of itself
    if options.dead_minutes:
        return _run(options.seed, options.day_seconds or 150.0, lambda play: _dead(play, options.dead_minutes))
    return _run(options.seed, options.day_seconds or 75.0, lambda play: _month(play, options.seed, options.turns))


def _month(play: Play, seed: int, turns: int) -> None:
    dice = Random(f"delivery units|{seed}")
    play.begin()
    play.qinhuai()
    play.own_death()
    play.whole_feed()
    play.workers_are_back()
    play.storm(dice)
    play.whole_feed_is_back()
    play.nothing_else()
    play.under_restarts(schedule(seed, dice.sample(sorted(HOSPITALS), _UNITS), turns))


def _dead(play: Play, minutes: float) -> None:
    play.begin()
    play.dead_prometheus(minutes)


def _run(seed: int, day_seconds: float, acts: Callable[[Play], None]) -> int:
    begun = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {line}", flush=True)

    say(f"seed {seed}, a day in {day_seconds:g} s")
    with tempfile.TemporaryDirectory(prefix="hipwatch-delivery-") as folder, staged(Path(folder)) as stage:
        say("Kafka, PostgreSQL, two workers, two serves, Prometheus, Alertmanager, three robots and a mail server run")
        play = Play(stage, stage.units(seed, day_seconds), say)
        try:
            acts(play)
            play.finish()
        except (Failed, ServiceFailed, HipwatchError) as error:
            play.problems.append(str(error))
            _explain(play)
        finally:
            play.units.stop()
        return _verdict(play)


def _verdict(play: Play) -> int:
    print(f"\n{'event':28} {'target':9} {'delay':>9} {'at most':>9} {'messages':>9}")
    for row in play.rows:
        print(f"{row.event:28} {row.target:9} {_seconds(row.delay)} {_seconds(row.limit)} {row.messages:9d}{_mark(row)}")
    for problem in play.problems:
        print(problem)
    good = bool(play.rows) and all(row.good for row in play.rows) and not play.problems
    print("everything was told once and in time, and nothing else" if good else "NOT as it has to be")
    return 0 if good else 1


def _explain(play: Play) -> None:
    for channel in play.stage.channels():
        print(f"--- {channel.name}", *(told.title for told in channel.read()), sep="\n")
    for process in play.stage.processes:
        print(f"--- {process.name}\n{process.last_words()}")


def _seconds(value: float | None) -> str:
    return f"{'—':>9}" if value is None else f"{value:7.1f} s"


def _mark(row: Row) -> str:
    return "" if row.good else "  NOT SO"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.delivery", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of who and what is hit (default: any)")
    parser.add_argument("--turns", type=int, default=12, help="restarts while units come and go (default: 12)")
    parser.add_argument("--dead-minutes", type=float, default=0.0, help="instead: Prometheus is dead for so long, in real time")
    parser.add_argument("--day-seconds", type=float, default=0.0, help="that a day of the month takes (default: 75, dead: 150)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
