"""Play the contents of the made-up city through the real fold, and let the real rules judge every morning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from monitor.counting.changes import Arrival, Changes, FeedProgress
from monitor.counting.feeds import FEED_OF_TOPIC, Feed
from monitor.counting.fold import Known, fold
from monitor.counting.kept import merge
from monitor.counting.receipt_hash import KEY_BYTES, ReceiptHasher
from monitor.counting.sent_days import Sent, SentOn
from monitor.counting.streams import Stream, StreamKey, stream_of
from monitor.counting.unit_days import (
    Arrivals,
    DeclarationRow,
    FeedRow,
    FormRow,
    GapFacts,
    HealthDay,
    Measures,
    UnitDays,
    UploadRow,
)
from monitor.judgement.calendar import Calendar
from monitor.judgement.call_list import call_list
from monitor.judgement.facts import LOOK_BACK
from monitor.judgement.find import SUMMARY_HOUR, special_days
from monitor.judgement.findings import Finding, changes
from monitor.judgement.gather import gather
from monitor.judgement.rules.evaluation import Key, evaluate
from monitor.judgement.rules.verdict import Severity
from schemas.clock import local_date
from schemas.events import Event, TableCode, UnitId
from schemas.register import Register
from schemas.topics import Topic
from tests.judge.city import Days
from tests.judge.documents import moment_of

FIRST_CALLS: Final = 5
"""So many units are called on a day."""


class Silent(NamedTuple):
    """A row that the judge called silent: from when to when (local hours)."""

    row: int
    called: float
    end: float


class Called(NamedTuple):
    """One of a morning's first calls: whom (None: the platform), and the rule of the finding that leads."""

    morning: float
    unit_id: UnitId | None
    rule: str


@dataclass
class Judged:
    """What the rules said: each finding with the morning on which it opened (or said something new), and the first calls.

    `tickets`: the rules of which a ticket was open on each morning.
    """

    opened: list[tuple[float, Finding]] = field(default_factory=list)
    told: list[tuple[float, Finding]] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    tickets: list[tuple[float, frozenset[str]]] = field(default_factory=list)


@dataclass
class _Books:
    """What the ledger would hold: sums by key, as the fold makes them; dates older than the rules look are dropped."""

    sums: dict[Topic, dict[tuple[Any, ...], tuple[Any, ...]]] = field(default_factory=dict)
    sent: dict[SentOn, Sent] = field(default_factory=dict)
    progress: dict[tuple[UnitId, Feed], FeedProgress] = field(default_factory=dict)
    streams: dict[StreamKey, Stream] = field(default_factory=dict)
    ever: set[tuple[str, TableCode]] = field(default_factory=set)

    def add(self, new: Changes) -> None:
        """Take in what a batch changes."""
        for topic, rows in new.kept.items():
            kept = self.sums.setdefault(topic, {})
            for key, values in rows.items():
                kept[key] = merge(topic, kept[key], values) if key in kept else values
            if topic is Topic.CDA_DOCUMENTS:
                self.ever.update((key[0], key[1]) for key, values in rows.items() if values[1])
        for days, sent in new.sent.items():
            if (known := self.sent.setdefault(days, sent)) is not sent:
                known.extend(sent)
        for feed, progress in new.progress.items():
            if (reached := self.progress.setdefault(feed, progress)) is not progress:
                reached.extend(progress.last_event_at, progress.last_business_date)

    def forget(self, since: date) -> None:
        """Drop what lies before `since`."""
        for topic in (Topic.CDA_DOCUMENTS, Topic.REALTIME_FORMS, Topic.HEALTH_RECORDS):
            kept = self.sums.get(topic, {})
            self.sums[topic] = {key: values for key, values in kept.items() if key[-1] >= since}
        self.sent = {days: sent for days, sent in self.sent.items() if days.business_date >= since}

    def rows(self, today: date, overdue: Mapping[tuple[str, Feed], datetime]) -> UnitDays:
        """As the ledger reads them for the rules."""
        uploads, forms = self.sums.get(Topic.CDA_DOCUMENTS, {}), self.sums.get(Topic.REALTIME_FORMS, {})
        return UnitDays(
            [
                UploadRow(key[0], key[1], key[2], values[0], values[1], Measures(*values[2:]))
                for key, values in uploads.items()
                if key[2] <= today
            ],
            [FormRow(*key, *values) for key, values in forms.items() if key[2] <= today],
            [(days.unit_id, days.feed, _arrivals(days, sent)) for days, sent in self.sent.items() if days.business_date <= today],
            [FeedRow(unit, feed, found.first_event_at, found.last_event_at) for (unit, feed), found in self.progress.items()],
            self.ever,
            [
                DeclarationRow(key[0], key[1], frozenset(map(TableCode, values[0].split())))
                for key, values in self.sums.get(Topic.DECLARATIONS, {}).items()
            ],
            [(key[0], HealthDay(key[1], *values[1:])) for key, values in self.sums.get(Topic.HEALTH_RECORDS, {}).items()],
            [
                (key.unit_id, GapFacts(FEED_OF_TOPIC[key.topic], gap.first, gap.last, gap.before or gap.after or today))
                for key, stream in self.streams.items()
                for gap in stream.gaps
            ],
            overdue,
        )


def _arrivals(days: SentOn, sent: Sent) -> Arrivals:
    return Arrivals(
        days.sent_on,
        days.business_date,
        sent.events,
        sent.records,
        sent.empty,
        sent.ahead,
        sent.behind,
        sent.ahead_seconds,
        sent.behind_seconds,
    )


def judge_mornings(events: Sequence[tuple[float, Event]], silences: Sequence[Silent], register: Register, days: Days) -> Judged:
    """Fold each day's events, then judge every unit at the hour of the summary, and keep the findings."""
    books, calendar, judged = _Books(), Calendar(), Judged()
    open_now: dict[tuple[Key, datetime], Finding] = {}
    times: dict[Key, int] = {}
    position = 0
    units = list(register.units)
    for day in range(1, days.count):
        morning = days.start + 24.0 * day + SUMMARY_HOUR
        clock, upto = moment_of(morning), position
        while upto < len(events) and events[upto][0] < morning:
            upto += 1
        arrivals = [Arrival(place, events[place][1], moment_of(events[place][0])) for place in range(position, upto)]
        position = upto
        for arrival in arrivals:
            books.streams.setdefault(stream_of(arrival.event), Stream())
        books.add(fold(arrivals, Known(books.streams, ReceiptHasher(bytes(KEY_BYTES)), clock=clock)))
        today = local_date(clock)
        books.forget(today - timedelta(days=LOOK_BACK))
        overdue = {
            (str(units[one.row // 2]), (Feed.SCHEDULED, Feed.REALTIME)[one.row % 2]): moment_of(one.called)
            for one in silences
            if one.called <= morning < one.end
        }
        city = gather(register, clock, books.rows(today, overdue), special_days(calendar, today))
        new = changes(list(open_now.values()), evaluate(city), clock)
        judged.opened += [(morning, finding) for finding in new.opened]
        judged.told += [(morning, finding) for finding in (*new.opened, *new.updated)]
        for finding in new.opened:
            times[finding.key] = times.get(finding.key, 0) + 1
        for finding in (*new.opened, *new.updated, *new.closed):
            open_now[finding.key, finding.opened_at] = finding
        for closed in new.closed:
            del open_now[closed.key, closed.opened_at]
        tickets = {finding.rule for finding in open_now.values() if finding.severity is Severity.TICKET}
        judged.tickets.append((morning, frozenset(tickets)))
        calls = call_list(list(open_now.values()), times, register, today)[:FIRST_CALLS]
        judged.calls += [Called(morning, call.unit_id, call.findings[0].rule) for call in calls]
    return judged
