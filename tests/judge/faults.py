"""What goes wrong in the made-up city, labelled: silences, outages, our own stalls, and what is only noise. Core, seeded."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.counting.feeds import Feed
from tests.judge.city import Days, Floats, Sender, Unit

SILENCE: Final = "silence"
OUTAGE_KINDS: Final = ("feed outage", "platform outage", "district outage", "vendor outage")
STALL: Final = "our own stall"


@dataclass
class Fault:
    """A labelled fault: which rows (unit × 2 + feed) say nothing from `start` to `end` (local hours)."""

    kind: str
    rows: list[int]
    start: float
    end: float


def senders_of(units: list[Unit]) -> list[Sender]:
    """The senders, row by row."""
    return [sender for unit in units for sender in unit.senders]


def make_faults(units: list[Unit], days: Days, random: np.random.Generator) -> list[Fault]:
    """Faults at any hour and of any length, none within three days of another one of the same row, none in the first 28 days."""
    months = days.count / 30.4
    busy: dict[int, list[tuple[float, float]]] = {}
    found: list[Fault] = []
    everyone = list(range(2 * len(units)))
    shares = {"platform outage": 0.35, "feed outage": 0.5, "district outage": 0.4, "vendor outage": 0.3, STALL: 1.0}
    wishes = [(kind, random.poisson(share * months)) for kind, share in shares.items()]
    wishes.append((SILENCE, random.poisson(0.25 * len(units) * months)))
    for kind, count in wishes:
        for _ in range(count):
            start = days.start + random.uniform(28 * 24, days.count * 24 - 24 * 12)
            length = float(np.clip(random.lognormal(2.2, 0.6), 3, 60))
            if kind == SILENCE:
                length = float(np.clip(random.lognormal(3.3, 1.2), 2, 24 * 12))
            elif kind == STALL:
                length = float(random.uniform(0.5, 9))
            rows = _rows(kind, units, everyone, random)
            if len(rows) >= (1 if kind == SILENCE else 6 if "outage" in kind and kind[0] in "dv" else 1) and _is_free(
                busy, rows, start, start + length
            ):
                found.append(Fault(kind, rows, start, start + length))
                for row in rows:
                    busy.setdefault(row, []).append((start, start + length))
    return sorted(found, key=lambda fault: fault.start)


def _rows(kind: str, units: list[Unit], everyone: list[int], random: np.random.Generator) -> list[int]:
    if kind in ("platform outage", STALL):
        return everyone
    if kind == "feed outage":
        return everyone[int(random.integers(0, 2)) :: 2]
    if kind in ("district outage", "vendor outage"):
        of = [unit.district if kind[0] == "d" else unit.vendor for unit in units]
        value = random.choice(sorted(set(of)))
        return [row for row in everyone if of[row // 2] == value]
    unit = int(random.integers(0, len(units)))
    which = random.random()
    return [2 * unit, 2 * unit + 1] if which < 0.3 else [2 * unit + int(which < 0.65)]


def _is_free(busy: dict[int, list[tuple[float, float]]], rows: list[int], start: float, end: float) -> bool:
    return all(end + 72 < s or e + 72 < start for row in rows for s, e in busy.get(row, []))


def apply_faults(senders: list[Sender], faults: list[Fault], random: np.random.Generator) -> None:
    """Take away what is not sent in a fault; some units send it afterwards, within an hour or two."""
    for fault in faults:
        if fault.kind == STALL:
            continue
        resend = random.random() < 0.5
        for row in fault.rows:
            sender = senders[row]
            inside = (sender.arrive >= fault.start) & (sender.arrive < fault.end)
            kept, times = sender.arrive[~inside], sender.event_time[~inside]
            if resend and sender.feed is Feed.REALTIME and inside.any():
                back = fault.end + random.uniform(0.02, 1.5, int(inside.sum()))
                kept, times = np.concatenate([kept, back]), np.concatenate([times, sender.event_time[inside]])
            order = np.argsort(kept, kind="stable")
            sender.arrive, sender.event_time = kept[order], times[order]


def apply_noise(senders: list[Sender], days: Days, random: np.random.Generator) -> None:
    """What is no fault: bursts, short restarts with a backlog, old dates sent again, clocks that are wrong."""
    for row, sender in enumerate(senders):
        if sender.feed is Feed.REALTIME:
            _restarts(sender, days, random)
        for _ in range(random.poisson(days.count / 40)):  # a burst beside an upload
            if len(sender.arrive):
                at = sender.arrive[random.integers(0, len(sender.arrive))]
                extra = at + np.sort(random.uniform(0, 0.5, int(random.integers(10, 40))))
                _merge(sender, extra)
        if row % 17 == 5:
            sender.clock = float(random.choice([-8.0, -0.4, 0.05, 3.0]))
            sender.event_time = sender.event_time + sender.clock


def _restarts(sender: Sender, days: Days, random: np.random.Generator) -> None:
    for _ in range(random.poisson(days.count / 20)):
        at = days.start + random.uniform(0, days.count * 24)
        until = at + random.uniform(0.1, 0.9)
        inside = (sender.arrive >= at) & (sender.arrive < until)
        sender.arrive = np.where(inside, until + (sender.arrive - at) * 0.01, sender.arrive)
    order = np.argsort(sender.arrive, kind="stable")
    sender.arrive, sender.event_time = sender.arrive[order], sender.event_time[order]


def _merge(sender: Sender, extra: Floats) -> None:
    arrive, times = np.concatenate([sender.arrive, extra]), np.concatenate([sender.event_time, extra])
    order = np.argsort(arrive, kind="stable")
    sender.arrive, sender.event_time = arrive[order], times[order]


def ideal_moment(sender: Sender, fault: Fault, last_upload: float, first: float) -> float:
    """The earliest moment at which somebody who knows the true rhythm could call; infinite if never.

    By the clock: when the first slot that is missed is past its latest time. By chance: when so many uploads are missing that
    calling then is wrong once in 6,100 feed-days, which makes 0.01 false alarms per unit-month: 8.7 and ln(uploads a day).
    """
    if sender.slot_sent is not None and sender.slot_latest is not None:
        missed = (sender.slot_sent >= fault.start) & (sender.slot_sent < fault.end)
        return float(sender.slot_latest[missed][0]) if missed.any() else float("inf")
    assert sender.intensity is not None
    total: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(sender.intensity)])
    hours = first + np.arange(len(total))
    reached = np.interp(last_upload, hours, total) + 8.7 + np.log(max(1.0, 24 * float(sender.intensity.mean())))
    return float("inf") if reached >= total[-1] else float(np.interp(reached, total, hours))
