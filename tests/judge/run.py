"""Play a made-up city, hour by hour, through the real fold into the real judge. The judge sees uploads only."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.counting.changes import Arrival
from monitor.counting.feeds import Feed
from monitor.counting.fold import Known, fold
from monitor.counting.receipt_hash import KEY_BYTES, ReceiptHasher
from monitor.counting.streams import Stream, StreamKey
from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory
from monitor.judgement.calendar import Calendar
from monitor.judgement.conditions import CityState, Silence, evaluate
from monitor.judgement.whole_outages import Outage, scopes_of
from schemas.clock import local_date
from schemas.events import CdaDocuments, Event, FormCode, RealtimeForms, TableCode, UnitId
from schemas.topics import Topic
from tests.judge.city import Days, Sender, Unit
from tests.judge.faults import STALL, Fault

_TABLES = [TableCode(f"T{n}") for n in range(12)]
_FORMS = [FormCode(f"RT-{n:02d}") for n in range(1, 12)]


@dataclass
class Alarm:
    """A row that was called silent: its last upload, when it was called, and when it was heard again (local hours)."""

    row: int
    last_upload: float
    called: float


@dataclass
class Played:
    """What the judge said."""

    alarms: list[Alarm] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    ended: list[Silence] = field(default_factory=list)
    lates: int = 0
    events: int = 0


def play(units: list[Unit], senders: list[Sender], faults: list[Fault], days: Days, limit: float) -> Played:
    """Hour by hour: fold what has arrived, note the activity, judge. While we stall nothing happens at all."""
    keys = [(UnitId(f"u{row // 2:02d}"), (Feed.SCHEDULED, Feed.REALTIME)[row % 2]) for row in range(len(senders))]
    rows = {key: row for row, key in enumerate(keys)}
    districts = {UnitId(f"u{n:02d}"): unit.district for n, unit in enumerate(units)}
    vendors = {UnitId(f"u{n:02d}"): unit.vendor for n, unit in enumerate(units)}
    scheduled = np.array([key[1] is Feed.SCHEDULED for key in keys], np.bool_)
    scopes = scopes_of(keys, [("district", districts), ("vendor", vendors)])
    city = CityState(ActivityHistory(len(senders)), scheduled, scopes, Calendar())
    played, clock = Played(), _moment(days.start)
    streams: dict[StreamKey, Stream] = {}
    batches = _batches(keys, senders, days)
    stalls = [(fault.start, fault.end) for fault in faults if fault.kind == STALL]
    waiting: list[Arrival] = []
    for hour, arrivals in batches:
        waiting += arrivals
        now = hour + 1.0
        if any(start <= now < end for start, end in stalls):
            continue
        for event in (arrival.event for arrival in waiting):
            streams.setdefault(StreamKey(event.unit_id, _topic(event), ""), Stream())
        changes = fold(waiting, Known(streams, ReceiptHasher(bytes(KEY_BYTES)), clock=clock))
        city.history.add(
            ActiveHour(rows[unit, feed], at, a.first_minute, a.last_minute, a.events)
            for (unit, feed, at), a in changes.activity.items()
        )
        played.events += len(waiting)
        waiting, clock = [], _moment(now)
        verdicts = evaluate(city, now, limit)
        played.alarms += [Alarm(int(row), float(city.quiet_since[row]), now) for row in verdicts.began]
        played.ended += verdicts.ended
        played.lates += int(verdicts.late.sum())
    played.outages = city.outages
    return played


def _moment(hours: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(hours=hours - HOURS_EAST)


def _topic(event: Event) -> Topic:
    return Topic.CDA_DOCUMENTS if isinstance(event, CdaDocuments) else Topic.REALTIME_FORMS


def _batches(keys: list[tuple[UnitId, Feed]], senders: list[Sender], days: Days) -> Iterator[tuple[float, list[Arrival]]]:
    """The arrivals of each hour, all rows together, in order."""
    arrive = np.concatenate([sender.arrive for sender in senders])
    times = np.concatenate([sender.event_time for sender in senders])
    row = np.repeat(np.arange(len(senders)), [len(sender.arrive) for sender in senders])
    order = np.argsort(arrive, kind="stable")
    arrive, times, row = arrive[order], times[order], row[order]
    numbers = np.zeros(len(senders), np.int64)
    hours = days.start + np.arange(days.count * 24)
    cuts = np.searchsorted(arrive, np.append(hours, hours[-1] + 1))
    for index, hour in enumerate(hours):
        found = []
        for at in range(cuts[index], cuts[index + 1]):
            which = int(row[at])
            numbers[which] += 1
            event = _event(keys[which], int(numbers[which]), _moment(float(times[at])), senders[which].days_back)
            found.append(Arrival(at, event, _moment(float(arrive[at]))))
        yield float(hour), found


def _event(key: tuple[UnitId, Feed], number: int, moment: datetime, days_back: int) -> CdaDocuments | RealtimeForms:
    unit_id, feed = key
    day = local_date(moment) - timedelta(days=days_back)
    if feed is Feed.SCHEDULED:
        return CdaDocuments(f"e{number}", unit_id, _TABLES[number % 12], day, moment, "", number, 100)
    return RealtimeForms(f"e{number}", unit_id, _FORMS[number % 11], day, moment, "", number, 5)
