"""Rhythms made by hand, for what is judged by them: how much an hour of silence says of each row, and nothing else."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from monitor.judgement.activity import Floats
from monitor.judgement.hour_weights import PROFILES
from monitor.judgement.learned_rhythm import LearnedRhythms

FIRST_DAY: Final = 19_850
"""2024-05-07, a Tuesday."""
MIDNIGHT: Final = FIRST_DAY * 24.0
_DAYS: Final = 10


def rhythms(pace: Sequence[float] | Floats, **overrides: Any) -> LearnedRhythms:
    """One row for each number, its surprise at every hour of silence, for ten days; or [row, hour] where hours differ."""
    weights = np.asarray(pace, np.float64)
    rows = len(weights)
    hours = np.broadcast_to(weights[:, None], (rows, _DAYS * 24)) if weights.ndim == 1 else weights
    cumulative = np.concatenate([np.zeros((rows, 1)), np.cumsum(hours, axis=1)], axis=1)
    values: dict[str, Any] = {
        "first_day": FIRST_DAY,
        "cumulative": cumulative,
        "by_hour": cumulative,
        "limit": np.full(rows, 7.0),
        "late_limit": np.full(rows, 4.0),
        "regular": np.zeros(rows, np.bool_),
        "anchor": np.zeros(rows),
        "due": np.full(rows, 20.0),
        "late_due": np.full(rows, 18.0),
        "owed": np.ones(rows, np.int64),
        "sure": np.ones((rows, hours.shape[1] // 24), np.bool_),
        "learned": np.ones(rows, np.bool_),
        "occupied": np.zeros((rows, PROFILES, 24)),
        "longest_quiet": np.full(rows, np.inf),
        "by_days_only": np.zeros(rows, np.bool_),
    }
    return LearnedRhythms(**{**values, **overrides})
