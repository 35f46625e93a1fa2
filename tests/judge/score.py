"""Compare what was said with what was done: faults found and missed, false alarms, delays, incidents. Core."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from monitor.counting.feeds import Feed
from tests.judge.city import Days, Sender
from tests.judge.faults import SILENCE, STALL, Fault, ideal_moment
from tests.judge.history import History
from tests.judge.run import Alarm, Played

REALTIME_SLACK: Final = 4.0
FIRST_DAYS: Final = 28


@dataclass
class Line:
    """One kind of fault: how many, how many that had to be found, found, missed; delays in hours beyond the ideal moment."""

    kind: str
    faults: int = 0
    due: int = 0
    found: int = 0
    missed: int = 0
    delays: list[float] = field(default_factory=list)
    incidents: list[int] = field(default_factory=list)


@dataclass
class SplitOutage:
    """An outage that did not count as one incident: not found, found in parts, or with silences called one by one."""

    fault: Fault
    ideal: float
    numbers: list[int]
    singles: list[Alarm]


@dataclass
class Score:
    """All of one judge's figures on one history."""

    name: str
    lines: dict[str, Line]
    false_alarms: list[Alarm]
    missed: list[tuple[Fault, int, float]]
    slow: list[tuple[Fault, int, float]]
    split: list[SplitOutage]
    unit_months: float
    first_unit_months: float
    false_first: int
    false_later: int
    false_outages: int
    pages_a_day: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        lines = {}
        for name, line in self.lines.items():
            values = asdict(line)
            delays, incidents = values.pop("delays"), values.pop("incidents")
            if delays:
                values["delay_median"], values["delay_p95"] = (float(np.percentile(delays, q)) for q in (50, 95))
            if incidents:
                values["incidents_least"], values["incidents_most"] = min(incidents), max(incidents)
            lines[name] = values
        return {
            "judge": self.name,
            "kinds": lines,
            "false_alarms_per_unit_month": self.false_later / self.unit_months,
            "false_alarms_per_unit_month_first_28_days": self.false_first / max(self.first_unit_months, 0.01),
            "false_outages": self.false_outages,
            "pages_a_day": self.pages_a_day,
        }


def score(name: str, played: Played, history: History) -> Score:
    """Hold the alarms against the labels."""
    senders, faults, days = history.senders, history.faults, history.days
    lines: dict[str, Line] = defaultdict(lambda: Line(""))
    by_row: dict[int, list[Fault]] = defaultdict(list)
    for fault in faults:
        for row in fault.rows:
            by_row[row].append(fault)
    explained = [explaining(alarm, senders, by_row) for alarm in played.alarms]
    alarms_of: dict[tuple[int, int], list[Alarm]] = defaultdict(list)
    for alarm, reason in zip(played.alarms, explained, strict=True):
        if reason is not None:
            alarms_of[id(reason), alarm.row].append(alarm)
    missed, slow = [], list[tuple[Fault, int, float]]()
    for fault in faults:
        if fault.kind == SILENCE:
            missed += _score_silence(fault, senders, alarms_of, lines, days, slow)
    split = list[SplitOutage]()
    false_outages = _score_outages(played, faults, explained, lines, senders, split)
    false = [alarm for alarm, fault in zip(played.alarms, explained, strict=True) if fault is None]
    border = days.start + FIRST_DAYS * 24
    first = sum(alarm.called < border for alarm in false)
    units = len(senders) / 2
    pages = (len(played.alarms) + len(played.outages)) / days.count
    months = units * (days.count - FIRST_DAYS) / 30.4
    return Score(
        name,
        dict(lines),
        false,
        missed,
        slow,
        split,
        months,
        units * FIRST_DAYS / 30.4,
        first,
        len(false) - first,
        false_outages,
        pages,
    )


def explaining(alarm: Alarm, senders: list[Sender], by_row: dict[int, list[Fault]]) -> Fault | None:
    """The fault that the alarm's quiet stretch touches: of several the last that had begun when it was called.

    An outage amid a feast on which the unit rests has nothing to do with the silence in which it begins its first workday.
    """
    arrive = senders[alarm.row].arrive
    following = np.searchsorted(arrive, alarm.last_upload + 1.0)
    end = float(arrive[following]) if following < len(arrive) else float("inf")
    end = max(end, alarm.called)
    touching = [f for f in by_row[alarm.row] if f.kind != STALL and f.start < end and f.end > alarm.last_upload - 1.0]
    begun = [fault for fault in touching if fault.start < alarm.called]
    return begun[-1] if begun else touching[0] if touching else None


def _score_silence(
    fault: Fault,
    senders: list[Sender],
    alarms_of: dict[tuple[int, int], list[Alarm]],
    lines: dict[str, Line],
    days: Days,
    slow: list[tuple[Fault, int, float]],
) -> list[tuple[Fault, int, float]]:
    missed = []
    for row in fault.rows:
        sender = senders[row]
        name = f"{sender.feed.value}: {sender.kind}"
        before = np.searchsorted(sender.arrive, fault.start)
        if before == 0 or before >= len(sender.arrive):
            continue
        last, following = float(sender.arrive[before - 1]), float(sender.arrive[before])
        ideal = ideal_moment(sender, fault, last, days.start)
        realtime = sender.feed is Feed.REALTIME
        due = ideal + REALTIME_SLACK if realtime else _business_day_after(ideal, days)
        alarms = alarms_of.get((id(fault), row), [])
        for line in (lines[name], lines[f"{SILENCE}, {sender.feed.value}"]):
            line.kind = SILENCE
            line.faults += 1
            line.found += bool(alarms)
            if following > due:
                line.due += 1
                line.missed += not alarms
                if alarms:
                    late = alarms[0].called - ideal if realtime else _business_hours(ideal, alarms[0].called, days)
                    line.delays.append(max(0.0, late))
        if following > due and alarms:
            late = alarms[0].called - ideal if realtime else _business_hours(ideal, alarms[0].called, days)
            slow.append((fault, row, late))
        if following > due and not alarms:
            missed.append((fault, row, ideal))
    return missed


def _business_hours(start: float, end: float, days: Days) -> float:
    """The hours from `start` to `end` that lie on workdays."""
    if end <= start:
        return 0.0
    total = np.concatenate([[0.0], np.cumsum(np.repeat(~days.off, 24).astype(np.float64))])
    at = np.interp([start - days.start, end - days.start], np.arange(len(total)), total)
    return float(at[1] - at[0])


def _business_day_after(ideal: float, days: Days) -> float:
    if not np.isfinite(ideal):
        return ideal
    total = np.concatenate([[0.0], np.cumsum(np.repeat(~days.off, 24).astype(np.float64) + 1e-9)])
    reached = np.interp(ideal - days.start, np.arange(len(total)), total) + 24.0
    return float("inf") if reached >= total[-1] else days.start + float(np.interp(reached, total, np.arange(len(total))))


def _score_outages(
    played: Played,
    faults: list[Fault],
    explained: list[Fault | None],
    lines: dict[str, Line],
    senders: list[Sender],
    split: list[SplitOutage],
) -> int:
    matched = set()
    for fault in faults:
        if "outage" not in fault.kind:
            continue
        line = lines[fault.kind]
        line.kind = fault.kind
        line.faults += 1
        own = [
            o
            for o in played.outages
            if o.found > fault.start and o.start < fault.end and o.found < fault.end + 24 and o.rows[fault.rows].any()
        ]
        matched |= {outage.number for outage in own}
        singles = [alarm for alarm, one in zip(played.alarms, explained, strict=True) if one is fault]
        numbers = sorted({outage.number for outage in own})
        ideal = _outage_ideal(fault, senders)
        due = ideal + REALTIME_SLACK < fault.end
        line.found += bool(own)
        line.due += due
        line.missed += due and not own
        if due or own or singles:
            line.incidents.append(len(numbers) + len(singles))
        if due and own:
            line.delays.append(max(0.0, min(o.found for o in own) - ideal))
        if (due and not own) or singles or len(numbers) > 1:
            split.append(SplitOutage(fault, ideal, numbers, singles))
    return len({o.number for o in played.outages} - matched)


def _outage_ideal(fault: Fault, senders: list[Sender]) -> float:
    """When at least three uploads of the group were due that did not come."""
    moments = []
    for row in fault.rows:
        sender = senders[row]
        last = sender.arrive[np.searchsorted(sender.arrive, fault.start) - 1]
        ideal = ideal_moment(sender, fault, float(last), float(np.floor(senders[0].arrive[0] / 24) * 24))
        moments.append(ideal)
    ordered = sorted(moments)
    return ordered[min(2, len(ordered) - 1)]
