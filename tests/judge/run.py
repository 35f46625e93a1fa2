"""Play a made-up city, hour by hour, through the real fold into the real judge. The judge sees uploads only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

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
from tests.judge.city import Days, Sender
from tests.judge.contents import unit_id_of
from tests.judge.faults import STALL
from tests.judge.history import History

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


class HeardHour(NamedTuple):
    """What the fold made of an hour's uploads, and the hour's end (local hours). While we stall there is no such hour."""

    now: float
    activity: Sequence[ActiveHour]
    events: int


def hear(history: History) -> list[HeardHour]:
    """Hour by hour, fold what has arrived."""
    senders, days = history.senders, history.days
    keys = _keys(senders)
    rows = {key: row for row, key in enumerate(keys)}
    heard, clock = list[HeardHour](), _moment(days.start)
    streams: dict[StreamKey, Stream] = {}
    stalls = [(fault.start, fault.end) for fault in history.faults if fault.kind == STALL]
    waiting: list[Arrival] = []
    for hour, arrivals in _batches(keys, senders, days):
        waiting += arrivals
        now = hour + 1.0
        if any(start <= now < end for start, end in stalls):
            continue
        for event in (arrival.event for arrival in waiting):
            streams.setdefault(StreamKey(event.unit_id, _topic(event), ""), Stream())
        changes = fold(waiting, Known(streams, ReceiptHasher(bytes(KEY_BYTES)), clock=clock))
        activity = [
            ActiveHour(rows[unit, feed], at, a.first_minute, a.last_minute, a.events)
            for (unit, feed, at), a in changes.activity.items()
        ]
        heard.append(HeardHour(now, activity, len(waiting)))
        waiting, clock = [], _moment(now)
    return heard


def city_of(history: History) -> CityState:
    """The history's rows and groups, of which nothing is known yet."""
    units, keys = history.units, _keys(history.senders)
    districts = {unit_id_of(n): unit.district for n, unit in enumerate(units)}
    vendors = {unit_id_of(n): unit.vendor for n, unit in enumerate(units)}
    scheduled = np.array([key[1] is Feed.SCHEDULED for key in keys], np.bool_)
    scopes = scopes_of(keys, [("district", districts), ("vendor", vendors)])
    return CityState(ActivityHistory(len(keys)), scheduled, scopes, Calendar())


def play(history: History, heard: Iterable[HeardHour], limit: float) -> Played:
    """Judge hour by hour. `limit`: the surprise at which a feed is silent."""
    city, played = city_of(history), Played()
    for now, activity, events in heard:
        city.history.add(activity)
        played.events += events
        verdicts = evaluate(city, now, limit)
        played.alarms += [Alarm(int(row), float(city.quiet_since[row]), now) for row in verdicts.began]
        played.ended += verdicts.ended
        played.lates += int(verdicts.late.sum())
    played.outages = city.outages
    return played


def _keys(senders: list[Sender]) -> list[tuple[UnitId, Feed]]:
    return [(unit_id_of(row // 2), (Feed.SCHEDULED, Feed.REALTIME)[row % 2]) for row in range(len(senders))]


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
