"""The canary's events of one partition, each counted once. Core."""

from dataclasses import dataclass, replace
from datetime import datetime

from schemas.codec.canary import Canary


@dataclass(frozen=True)
class CanaryCounts:
    """How far the canary has come in a partition: its latest series and number, and the time of its latest event.

    `events` were counted, each once; `duplicates` came again; `missing` are numbers that a later one of its series has passed.
    """

    series: str
    sequence: int
    event_at: datetime
    events: int = 1
    duplicates: int = 0
    missing: int = 0


def count_canary(counts: CanaryCounts | None, found: Canary) -> CanaryCounts:
    """Count an event that came behind those of `counts`. Another series is another run of the canary, from its 1 on."""
    if counts is None:
        return CanaryCounts(found.series, found.sequence, found.event_at)
    same = found.series == counts.series
    if same and found.sequence <= counts.sequence:
        return replace(counts, duplicates=counts.duplicates + 1)
    return replace(
        counts,
        series=found.series,
        sequence=found.sequence,
        event_at=max(found.event_at, counts.event_at),
        events=counts.events + 1,
        missing=counts.missing + (found.sequence - counts.sequence - 1 if same else 0),
    )
