"""What is killed and restarted while units come and go, and in which order. Core: the same seed gives the same schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """What goes wrong."""

    SERVE_KILLED = "serve kill -9"
    SERVE_RESTARTED = "serve restart"
    WORKER_KILLED = "worker kill -9"
    PROMETHEUS_KILLED = "Prometheus kill -9"
    PROMETHEUS_RESTARTED = "Prometheus restart"
    ALERTMANAGER_KILLED = "Alertmanager kill -9"
    ALERTMANAGER_RESTARTED = "Alertmanager restart"
    ROBOTS_AWAY = "robots away"
    MAIL_REFUSES = "mail server refuses"


@dataclass(frozen=True)
class Turn:
    """A unit falls silent, or comes back if it is silent; `calm` seconds later this goes wrong, for `away` seconds.

    `which`: the first or the second of what there are two of.
    """

    unit: str
    calm: float
    kind: Kind
    which: int
    away: float


def schedule(seed: int, units: Sequence[str], turns: int) -> list[Turn]:
    """The turns of a run. The first ones are one of each kind, so that a long run misses none."""
    dice = Random(f"delivery|{seed}")
    kinds = list(Kind)
    dice.shuffle(kinds)
    kinds += dice.choices(list(Kind), k=max(0, turns - len(kinds)))
    return [
        Turn(dice.choice(units), round(dice.uniform(2, 15), 1), kind, dice.randrange(2), round(dice.uniform(0, 12), 1))
        for kind in kinds[:turns]
    ]
