"""A labelled history: a made-up city, what it uploads, and what goes wrong in it. Core; a seed is a history."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from tests.judge.city import Days, Sender, Unit, make_city
from tests.judge.contents import uploads_by_day
from tests.judge.faults import Fault, apply_faults, apply_noise, make_faults, senders_of


@dataclass(frozen=True)
class History:
    """`senders` has two rows a unit, its scheduled and its realtime feed; `uploads`: how many each has to send, by day."""

    seed: int
    units: list[Unit]
    senders: list[Sender]
    faults: list[Fault]
    uploads: list[NDArray[np.int64]]
    days: Days

    @classmethod
    def make(cls, seed: int, months: int, units: int) -> "History":
        """Always the same for the same numbers."""
        random = np.random.default_rng(seed)
        days = Days(date(2023, 9, 1) + timedelta(days=int(random.integers(0, 90))), int(months * 30.4))
        city = make_city(units, days, random)
        senders = senders_of(city)
        apply_noise(senders, days, random)
        uploads = [uploads_by_day(sender, days) for sender in senders]
        faults = make_faults(city, days, random)
        apply_faults(senders, faults, random)
        return cls(seed, city, senders, faults, uploads, days)
