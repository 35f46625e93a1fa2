"""What the ledger says of an alert's condition: the same verdict that the page shows and the metrics export. Core.

An alert that is not about a unit's feeds or numbers or about an outage of many, or about a feed that is not judged now, is not
for the ledger to say.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from monitor.judgement.judge import Snapshot
from monitor.judgement.unit_status import FeedCondition, FeedStatus, PlatformStatus, UnitStatus
from monitor.paging.incidents import UNKNOWN, Ask, Truth, Verdict, know_nothing
from schemas.events import UnitId

_GAPS_OPEN: Final = "SequenceGapsOpen"
_OUT_TOGETHER: Final = "UnitsOutTogether"
_EVERYWHERE: Final = "FeedSilentEverywhere"
_STILL: Final = {
    "UnitFeedSilent": (FeedCondition.SILENT, FeedCondition.IN_OUTAGE),
    "UnitFeedNeverSeen": (FeedCondition.NEVER_SEEN,),
}
"""By alert: the conditions in which it still holds. A silent unit whose whole feed then fails has not recovered."""
SilenceEnd = Callable[[str, str], datetime | None]
"""When the latest silence of a unit's feed ended (platform time), as the ledger has it."""


def ask_snapshot(snapshot: Snapshot | None, silence_end: SilenceEnd = lambda _unit, _feed: None) -> Ask:
    """The answers of a snapshot; before the first one nothing is known. `silence_end` knows when a silence ended exactly."""
    if snapshot is None:
        return know_nothing
    units = {status.unit.unit_id: status for status in snapshot.status.units}

    def ask(alertname: str, labels: Mapping[str, str]) -> Truth:
        unit_id = UnitId(labels.get("unit_id", ""))
        if alertname == _GAPS_OPEN:
            return _gaps(snapshot, unit_id, labels.get("topic", ""))
        if alertname == _OUT_TOGETHER:
            return _outage(snapshot.status, labels.get("number", ""))
        if alertname == _EVERYWHERE:
            return _everywhere(snapshot.status, labels.get("feed", ""))
        status = units.get(unit_id)
        if status is None:
            return UNKNOWN
        if alertname == "UnitNeverSeen":
            return _never_seen(status)
        truth = _feed(alertname, feed_of(status, labels.get("feed", "")))
        if truth.verdict is Verdict.OVER and alertname == "UnitFeedSilent":
            return Truth(Verdict.OVER, ended_at=silence_end(unit_id, labels.get("feed", "")) or truth.ended_at)
        return truth

    return ask


def feed_of(status: UnitStatus, feed: str) -> FeedStatus | None:
    """The unit's feed of that name."""
    return next((one for one in status.feeds if one.feed.value == feed), None)


def _feed(alertname: str, feed: FeedStatus | None) -> Truth:
    if feed is None or alertname not in _STILL:
        return UNKNOWN
    if feed.condition in _STILL[alertname]:
        return Truth(Verdict.HOLDS, began_at=feed.since or feed.deadline)
    heard = (FeedCondition.ON_TIME, FeedCondition.LATE)
    if feed.last_event_at is not None and (feed.condition in heard or alertname == "UnitFeedNeverSeen"):
        return Truth(Verdict.OVER, ended_at=feed.last_event_at)
    return UNKNOWN


def _outage(status: PlatformStatus, number: str) -> Truth:
    """What stands of a failure of many, by its number: nothing of one that this judge has not found yet."""
    since = [outage.since for outage in status.open_outages if str(outage.number) == number]
    if since:
        return Truth(Verdict.HOLDS, began_at=min(since))
    ended_at = next((end for over, end in status.outages_over.items() if str(over) == number), None)
    return UNKNOWN if ended_at is None else Truth(Verdict.OVER, ended_at=ended_at)


def _everywhere(status: PlatformStatus, feed: str) -> Truth:
    """Its end is the sender's to say: the alert stays for a while, so that who returns last is not told one by one."""
    return Truth(Verdict.HOLDS) if any(of.value == feed for of in status.silent_everywhere) else UNKNOWN


def _never_seen(status: UnitStatus) -> Truth:
    seen = [feed.last_event_at for feed in status.feeds if feed.last_event_at is not None]
    if seen:
        return Truth(Verdict.OVER, ended_at=max(seen))
    never = [feed for feed in status.feeds if feed.condition is FeedCondition.NEVER_SEEN]
    due = [moment for feed in never if (moment := feed.since or feed.deadline) is not None]
    return Truth(Verdict.HOLDS, began_at=min(due)) if due else UNKNOWN


def _gaps(snapshot: Snapshot, unit_id: UnitId, topic: str) -> Truth:
    """A gap's age is not the ledger's to say: it has no time of its own."""
    if not any(unit == unit_id for unit, _ in snapshot.facts.progress) or not topic:
        return UNKNOWN
    return Truth(Verdict.HOLDS if snapshot.facts.missing.get((unit_id, topic), 0) else Verdict.OVER)
