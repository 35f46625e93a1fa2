"""Which faults happen, and in which order. Core: the same seed and count give the same schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Kind(StrEnum):
    """What goes wrong."""

    WORKER_KILLED = "worker kill -9"
    WORKER_TERMINATED = "worker SIGTERM"
    WORKER_FROZEN = "worker SIGSTOP for twice its session timeout"
    REBALANCE_STORM = "rebalance storm: other workers join and leave"
    BROKER_RESTARTED = "broker restart"
    BROKER_KILLED = "broker kill -9"
    BROKER_FROZEN = "broker SIGSTOP"
    BROKER_UNREACHABLE = "broker unreachable for a minute"
    DATABASE_RESTARTED = "database restart"
    DATABASE_KILLED = "database kill -9"
    DATABASE_FROZEN = "database SIGSTOP"
    DATABASE_UNREACHABLE = "database unreachable for a minute"
    DATABASE_READ_ONLY = "database read-only"
    UNITS_SEND_AGAIN = "units stop, and send the month again from its start"


_WEIGHTS: Final = {
    Kind.WORKER_KILLED: 18,
    Kind.WORKER_TERMINATED: 10,
    Kind.WORKER_FROZEN: 24,
    Kind.REBALANCE_STORM: 11,
    Kind.BROKER_RESTARTED: 5,
    Kind.BROKER_KILLED: 5,
    Kind.BROKER_FROZEN: 5,
    Kind.BROKER_UNREACHABLE: 1,
    Kind.DATABASE_RESTARTED: 5,
    Kind.DATABASE_KILLED: 5,
    Kind.DATABASE_FROZEN: 5,
    Kind.DATABASE_UNREACHABLE: 1,
    Kind.DATABASE_READ_ONLY: 4,
    Kind.UNITS_SEND_AGAIN: 3,
}


@dataclass(frozen=True)
class Fault:
    """One fault: which worker it befalls (where it befalls one), and the seconds of calm before it."""

    number: int
    kind: Kind
    worker: int
    calm: float


def schedule(seed: int, faults: int, workers: int, of: Sequence[Kind] = tuple(Kind)) -> list[Fault]:
    """The faults of a run. The first ones of a long run are one of each kind, so that no kind is ever missed."""
    random = Random(f"chaos|{seed}")
    kinds = list(of)
    random.shuffle(kinds)
    kinds += random.choices(of, [_WEIGHTS[kind] for kind in of], k=max(0, faults - len(kinds)))
    return [
        Fault(number, kind, random.randrange(workers), round(random.uniform(0.2, 1.2), 2))
        for number, kind in enumerate(kinds[:faults], 1)
    ]
