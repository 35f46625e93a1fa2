"""What the fleet page shows, as plain values for its template. Core."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from monitor.feeds import Feed
from monitor.fleet import FeedCondition, FeedStatus, UnitStatus
from monitor.reading import Snapshot
from monitor.settings import ServeSettings
from monitor.tables import Incident
from schemas.clock import local_text
from schemas.register import UnitKind

_WORDS = {
    FeedCondition.SILENT: ("silent", "中断"),
    FeedCondition.NEVER_SEEN: ("never seen", "从未上传"),
    FeedCondition.AWAITED: ("awaited", "等待首次上传"),
    FeedCondition.ON_TIME: ("on time", "正常"),
    FeedCondition.INACTIVE: ("not in use", "未启用"),
}
_WORST_FIRST = list(FeedCondition)


def fleet_page(
    snapshot: Snapshot | None,
    problem: str | None,
    incidents: Sequence[Incident],
    settings: ServeSettings,
    now: datetime,
) -> dict[str, Any]:
    """The template's values: banners about ourselves first, then the units, worst first within their kind."""
    banners = [f"the ledger cannot be read: {problem}"] if problem else []
    if snapshot is None:
        return {"banners": [*banners, "nothing has been read yet"], "groups": [], "incidents": [], "counts": {}, "clock": None}
    fleet = snapshot.fleet
    standing = now - snapshot.clock_advanced_at
    if fleet.clock is None:
        banners.append("no event has been counted yet")
    elif standing > settings.stall_after:
        hours = standing.total_seconds() / 3600
        banners.append(f"the platform clock has stood still for {hours:.1f} h: we are not counting, and blame nobody meanwhile")
    if snapshot.watchdog_at is None:
        banners.append("no Watchdog alert has ever arrived: paging is not connected")
    elif now - snapshot.watchdog_at > settings.watchdog_after:
        banners.append(f"no Watchdog alert since {local_text(snapshot.watchdog_at)}: nobody is being paged")
    conditions = Counter(feed.condition for unit in fleet.units for feed in unit.feeds)
    groups = [
        (title, [_row(unit) for unit in sorted(fleet.units, key=_urgency) if unit.unit.kind is kind])
        for kind, title in ((UnitKind.DISTRICT, "Districts 各区"), (UnitKind.HOSPITAL, "Hospitals 医院"))
    ]
    return {
        "banners": banners,
        "clock": fleet.clock,
        "read_at": local_text(snapshot.read_at),
        "counts": [(_WORDS[c][0], _WORDS[c][1], c.value, conditions[c]) for c in FeedCondition if conditions[c]],
        "groups": groups,
        "feeds": list(Feed),
        "incidents": incidents,
        "local": local_text,
        "dead_letters": sum(snapshot.dead_letters.values()),
        "duplicates": sum(counts.duplicates for counts in snapshot.topics.values()),
        "accepted": sum(counts.accepted for counts in snapshot.topics.values()),
        "missing": sum(snapshot.missing.values()),
    }


def _urgency(status: UnitStatus) -> int:
    return min(_WORST_FIRST.index(feed.condition) for feed in status.feeds)


def _row(status: UnitStatus) -> dict[str, Any]:
    return {"unit": status.unit, "feeds": [_feed(feed) for feed in status.feeds]}


def _feed(feed: FeedStatus) -> dict[str, Any]:
    word, word_zh = _WORDS[feed.condition]
    return {
        "class": feed.condition.value,
        "word": word,
        "word_zh": word_zh,
        "last": local_text(feed.last_event_at),
        "deadline": local_text(feed.deadline),
    }
