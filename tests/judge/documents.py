"""The events of the made-up city's contents, in the order of their arrival. Core."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Measures
from monitor.judgement.activity import HOURS_EAST
from schemas.clock import from_days
from schemas.events import CdaDocuments, Declaration, Event, FormCode, HealthRecords, RealtimeForms, TableCode
from tests.judge.city import Days
from tests.judge.contents import DISTRICTS, Delivery, unit_id_of
from tests.judge.half_dead import TOTALS, HalfDead

FELL_BY = 3_000
BETWEEN_PARTS = 0.001
"""Hours between two uploads of one delivery."""


def moment_of(hours: float) -> datetime:
    """The UTC moment of local hours since 1970."""
    return datetime.fromtimestamp(0, UTC) + timedelta(hours=hours - HOURS_EAST)


def events_of(
    deliveries: Sequence[list[Delivery]], half_dead: Sequence[HalfDead], days: Days, random: np.random.Generator
) -> list[tuple[float, Event]]:
    """Every event with the local hour of its arrival, in order."""
    found: list[tuple[float, Event]] = []
    for row, of_row in enumerate(deliveries):
        found += _of_row(row, of_row)
    for number in range(min(DISTRICTS, len(deliveries) // 2)):
        fallen = [fault for fault in half_dead if fault.kind == TOTALS and fault.row // 2 == number]
        found += _totals(number, fallen, days, random)
    for number in range(len(deliveries) // 2):
        codes = sorted({code for sent in deliveries[2 * number][:30] for code in sent.counts})
        at = days.start + 9
        found.append((at, Declaration(f"d{number}", unit_id_of(number), moment_of(at), "", 1, tuple(map(TableCode, codes)))))
    return sorted(found, key=lambda event: event[0])


def _of_row(row: int, of_row: Sequence[Delivery]) -> Iterator[tuple[float, Event]]:
    """The deliveries of one feed, part by part, numbered as they are sent."""
    feed, unit_id = (Feed.SCHEDULED, Feed.REALTIME)[row % 2], unit_id_of(row // 2)
    sequence, lost = 0, list[int]()
    everything = [*of_row, *(sent.rest for sent in of_row if sent.rest is not None)]
    for sent in sorted(everything, key=lambda sent: sent.sent):
        if sent.skipped:
            lost = list(range(sequence + 1, sequence + 1 + sent.skipped))
            sequence += sent.skipped
        codes = [*sent.counts]
        numbers = list(range(sequence + 1, sequence + 1 + len(codes)))
        sequence += len(codes)
        parts = [(number, code, sent.counts[code], sent.measures) for number, code in zip(numbers, codes, strict=True)]
        parts[1:] = [(number, code, count, Measures()) for number, code, count, _ in parts[1:]]  # one table carries them
        if sent.fills and codes:
            parts, lost = [(number, codes[0], 1, Measures()) for number in lost] + parts, []
        for place, (number, code, count, measures) in enumerate(parts):
            at = sent.sent + place * BETWEEN_PARTS
            stamped, day = moment_of(at + sent.clock), from_days(sent.day)
            if feed is Feed.REALTIME:
                yield at, RealtimeForms(f"r{row}-{number}", unit_id, FormCode(code), day, stamped, "", number, count)
            else:
                yield at, CdaDocuments(f"s{row}-{number}", unit_id, TableCode(code), day, stamped, "", number, count, *measures)


def _totals(
    number: int, fallen: Sequence[HalfDead], days: Days, random: np.random.Generator
) -> Iterator[tuple[float, HealthRecords]]:
    """A district's cumulative totals, each morning at three for the day before."""
    base = int(random.integers(50_000, 900_000))
    for day in range(days.count):
        base += int(random.integers(1, 40))
        at = days.start + 24 * day + 27
        fell = FELL_BY if any(fault.start <= at <= fault.end for fault in fallen) else 0
        date = from_days(int(days.start) // 24 + day)
        yield (
            at,
            HealthRecords(
                f"h{number}-{day}", unit_id_of(number), date, moment_of(at), "", day + 1, base - fell, base // 10, base // 20
            ),
        )
