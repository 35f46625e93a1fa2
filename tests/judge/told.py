"""How many messages a day the played city would bring to the targets of the example: `python -m tests.judge.told`.

What the judge and the rules said becomes alerts, as Prometheus' rules make them; the real incident log and the real planner, on a
clock of their own, decide what is told to whom.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from monitor.counting.feeds import Feed
from monitor.judgement.hour_weights import LEAST_LIMIT
from monitor.ledger.database import Engine, open_database
from monitor.ledger.incident_book import incident_book
from monitor.ledger.incidents import list_incidents
from monitor.ledger.outbox import Outbox
from monitor.paging.message import Message, MessageKind, Severity
from monitor.paging.planning import Planner
from monitor.paging.receive import record
from monitor.paging.sender import LEASE, per_minute
from monitor.paging.target import Kind, Target
from monitor.paging.targets_file import read_targets
from monitor.paging.webhook_message import Alert, WebhookMessage
from schemas.clock import local_date
from schemas.register import Register
from tests.judge.contents import unit_id_of
from tests.judge.contents_judged import Contents
from tests.judge.documents import moment_of
from tests.judge.faults import STALL
from tests.judge.history import History
from tests.judge.mornings import Judged
from tests.judge.run import Played, hear, play
from tests.judge.score import FIRST_DAYS
from tests.ops.tools import OPS

MOST_PAGES: Final = 2
"""A day brings no more pages to a phone in a normal month, and one summary."""
_BUSY_DAYS: Final = 0.02
"""The share of days that may bring more: chance puts three faults on one day now and then."""
_PHONES: Final = frozenset({Kind.DINGTALK, Kind.WECOM, Kind.FEISHU})
_STALLED_HOURS: Final = 1.0
_TICKET_HOURS: Final = 1.0
"""How long a stall and a finding last before the rules make an alert of them, and a finding's alert holds on."""
_SETTLE: Final = (0, 15, 60, 180, 360)
"""Seconds after a change at which the planner is asked, besides every half hour."""
_HALF_HOUR: Final = timedelta(minutes=30)


class Change(NamedTuple):
    """An alert begins to fire, or is over."""

    at: datetime
    alert: Alert


class Sent(NamedTuple):
    """A message that left."""

    at: datetime
    target: str
    kind: MessageKind
    severity: Severity


def changes_of(history: History, played: Played, judged: Judged) -> list[Change]:
    """The alerts of a history, in order: silences, outages, our own stalls, findings by their rules."""
    ends = {(one.row, round(one.last_upload, 3)): one.end for one in played.ended}
    found: list[Change] = []
    for alarm in played.alarms:
        unit, feed = unit_id_of(alarm.row // 2), (Feed.SCHEDULED, Feed.REALTIME)[alarm.row % 2]
        labels = {"alertname": "UnitFeedSilent", "severity": "page", "scope": "unit", "unit_id": unit, "feed": feed.value}
        found += _fires(labels, alarm.called, ends.get((alarm.row, round(alarm.last_upload, 3))))
    for number in sorted({outage.number for outage in played.outages}):
        parts = [outage for outage in played.outages if outage.number == number]
        over = [outage.end for outage in parts if outage.end is not None]
        labels = {"alertname": "UnitsOutTogether", "severity": "page", "scope": "feed", "number": str(number)}
        found += _fires(labels, min(outage.found for outage in parts), max(over) if len(over) == len(parts) else None)
    for stall in (fault for fault in history.faults if fault.kind == STALL and fault.end - fault.start > _STALLED_HOURS):
        labels = {"alertname": "MonitorStalled", "severity": "page", "scope": "monitor"}
        found += _fires(labels, stall.start + _STALLED_HOURS, stall.end)
    for (_, before), (morning, now) in pairwise([(0.0, frozenset[str]()), *judged.tickets]):
        for rule in before ^ now:
            labels = {"alertname": "FindingsOpen", "severity": "ticket", "scope": "city", "rule": rule}
            found.append(change_at(moment_of(morning + _TICKET_HOURS), labels, firing=rule in now))
    return sorted(found, key=lambda change: change.at)


def tell(
    changes: Sequence[Change], targets: Sequence[Target], register: Register, begin: datetime, end: datetime
) -> Iterator[Sent]:
    """Deliver the alerts to a ledger of its own, and let the planner plan. Somebody acknowledges every page within an hour."""
    with tempfile.TemporaryDirectory(prefix="hipwatch-judge-") as folder:
        engine = open_database(f"sqlite:///{Path(folder) / 'ledger.db'}", create=True)
        outbox, planner = Outbox(engine), Planner(engine, lambda: register, lambda: None, _summary)
        waiting = list(changes)
        for now in _moments(changes, begin, end):
            due = [change.alert for change in waiting if change.at <= now]
            if due:
                waiting = waiting[len(due) :]
                record(engine, WebhookMessage(alerts=due), now)
            _acknowledge(engine, now)
            for target in targets:
                if planner.plan(target, per_minute(target), now):
                    yield from _send(outbox, target, now)
        engine.dispose()


def _send(outbox: Outbox, target: Target, now: datetime) -> Iterator[Sent]:
    while (claimed := outbox.claim(target.name, "judge", now, LEASE)) is not None:
        message = Message.model_validate_json(claimed.body)
        outbox.settle(claimed.number, "judge", "sent", now)
        yield Sent(now, target.name, message.kind, message.severity)


def _acknowledge(engine: Engine, now: datetime) -> None:
    late = [
        incident.id
        for incident in list_incidents(engine, open_only=True)
        if incident.acknowledged_at is None and now - incident.opened_at >= timedelta(hours=1)
    ]
    if late:
        with incident_book(engine, now) as book:
            for number in late:
                book.acknowledge(number or 0, "duty")


def _summary(now: datetime) -> Message:
    return Message(kind=MessageKind.SUMMARY, title_zh="日报", title_en="the day", created_at=now)


def _moments(changes: Sequence[Change], begin: datetime, end: datetime) -> list[datetime]:
    found = {change.at + timedelta(seconds=seconds) for change in changes for seconds in _SETTLE}
    found |= {begin + _HALF_HOUR * number for number in range(int((end - begin) / _HALF_HOUR))}
    return sorted(moment for moment in found if begin <= moment < end)


def _fires(labels: dict[str, str], begin: float, end: float | None) -> list[Change]:
    over = [] if end is None else [change_at(moment_of(end), labels, firing=False)]
    return [change_at(moment_of(begin), labels, firing=True), *over]


def change_at(at: datetime, labels: dict[str, str], *, firing: bool) -> Change:
    """An alert with these labels begins to fire then, or is over."""
    alert = {"status": "firing" if firing else "resolved", "labels": labels, "annotations": {"summary": labels["alertname"]}}
    return Change(at, Alert.model_validate(alert | {"startsAt": at, "fingerprint": "|".join(labels.values())}))


def example_targets() -> tuple[Target, ...]:
    """Those of the example that ships, with made-up secrets."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "targets.toml"
        path.write_text((OPS / "paging" / "targets.toml").read_text(encoding="utf-8"), encoding="utf-8")
        for name in ("dingtalk", "wecom", "feishu", "duty-system"):
            for part, text in (("url", f"https://{name}.example/robot?key=k"), ("secret", "SEC"), ("token", "TOK")):
                (Path(folder) / f"{name}-{part}").write_text(text)
        return read_targets(path, {"HIPWATCH_SMTP_PASSWORD": "made-up"})


def main() -> int:
    options = _options()
    history = History.make(options.seed, options.months, options.units)
    played = play(history, hear(history), LEAST_LIMIT)
    contents = Contents.make(history)
    changes = changes_of(history, played, contents.judge("hipwatch", played))
    days = history.days
    first, begin, end = (moment_of(days.start + 24.0 * day) for day in (0, FIRST_DAYS, days.count))
    targets = [replace(target, routes=()) if options.everything else target for target in example_targets()]
    sent = [one for one in tell(changes, targets, contents.register, first, end) if one.at >= begin]
    counted = days.count - FIRST_DAYS
    print(f"seed {options.seed}, {options.units} units, {counted} days after the first {FIRST_DAYS}")
    print("messages a day, in brackets those of the busiest")
    print(f"{'target':18} {'pages':>12} {'recoveries':>12} {'reminders':>12} {'tickets':>12} {'summaries':>12}")
    calm = [_row(target, [one for one in sent if one.target == target.name], counted) for target in targets]
    print("a phone is left alone" if all(calm) else "MORE than a phone should ring")
    return 0 if all(calm) else 1


def _row(target: Target, sent: Sequence[Sent], days: int) -> bool:
    """Print the target's line. False for a robot that rings too often."""
    pages = [one for one in sent if one.severity is Severity.PAGE]
    kinds = [
        [one for one in pages if one.kind is kind] for kind in (MessageKind.OPENED, MessageKind.RECOVERED, MessageKind.REMINDER)
    ]
    kinds.append([one for one in sent if one.severity is not Severity.PAGE and one.kind is not MessageKind.SUMMARY])
    kinds.append([one for one in sent if one.kind is MessageKind.SUMMARY])
    by_day = [Counter(local_date(one.at) for one in some) for some in kinds]
    cells = [f"{counts.total() / days:.2f} ({max(counts.values(), default=0)})" for counts in by_day]
    print(f"{target.name:18} {' '.join(f'{cell:>12}' for cell in cells)}")
    if target.kind not in _PHONES:
        return True
    opened, tickets, summaries = by_day[0], by_day[3], by_day[4]
    busy = sum(count > MOST_PAGES for count in opened.values())
    print(f"{'':18} more than {MOST_PAGES} pages on {busy} of {days} days")
    return busy <= days * _BUSY_DAYS and not tickets and max(summaries.values(), default=0) <= 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.judge.told", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--units", type=int, default=52)
    parser.add_argument("--everything", action="store_true", help="without routes: every target is told of everything")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
