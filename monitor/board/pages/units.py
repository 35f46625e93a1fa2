"""What the page of all units shows, as plain values for its template. Core."""

from collections import Counter
from datetime import datetime
from typing import Any

from monitor.board.pages.notices import strange_ledger
from monitor.counting.feeds import Feed
from monitor.judgement.judge import Snapshot
from monitor.judgement.unit_status import FeedCondition, FeedStatus, UnitStatus
from monitor.ledger.tables.paging import Incident
from monitor.settings import ServeSettings
from schemas.clock import local_text
from schemas.register import Life
from schemas.visible import one_line, visible

CONDITION_WORDS = {
    FeedCondition.SILENT: ("silent", "中断"),
    FeedCondition.NEVER_SEEN: ("never seen", "从未上传"),
    FeedCondition.IN_OUTAGE: ("in an outage", "整体中断"),
    FeedCondition.LATE: ("late", "迟到"),
    FeedCondition.AWAITED: ("awaited", "等待首次上传"),
    FeedCondition.ON_TIME: ("on time", "正常"),
    FeedCondition.INACTIVE: ("not in use", "未启用"),
    FeedCondition.NOT_EXPECTED: ("not expected", "不要求"),
}
"""In English and Chinese, as short as a badge."""
_LIVES = {Life.ONBOARDING: "onboarding 接入中", Life.PAUSED: "paused 暂停", Life.RETIRED: "retired 已退出"}
_MOST_STRANGERS = 20
"""Unknown senders on the page; `hipwatch unknown-senders` lists all."""
_WORST_FIRST = list(FeedCondition)


def units_page(snapshot: Snapshot | None, problem: str | None, settings: ServeSettings, now: datetime) -> dict[str, Any]:
    """The template's values: banners about ourselves first, then the units, worst first within their kind."""
    banners = [f"账本无法读取,以下为最后一次读到的内容 · the ledger cannot be read: {visible(problem)}"] if problem else []
    if snapshot is None:
        banners.append("尚未读到任何数据 · nothing has been read yet")
        return {"banners": banners, "groups": [], "incidents": [], "counts": {}, "clock": None}
    facts, status = snapshot.facts, snapshot.status
    banners += _banners(snapshot, settings, now)
    banners += strange_ledger((unit_id for unit_id, _ in facts.progress), snapshot.register)
    conditions = Counter(feed.condition for unit in status.units for feed in unit.feeds)
    worst_first = sorted(status.units, key=_urgency)
    groups = [
        (f"{kind.name_en} {kind.name_zh}", [_row(unit) for unit in worst_first if unit.unit.kind is kind.kind])
        for kind in snapshot.register.kinds.values()
    ]
    return {
        "banners": banners,
        "clock": status.clock,
        "read_at": local_text(facts.read_at),
        "counts": [
            (CONDITION_WORDS[c][0], CONDITION_WORDS[c][1], c.value, conditions[c]) for c in FeedCondition if conditions[c]
        ],
        "groups": groups,
        "feeds": list(Feed),
        "incidents": [_incident(incident) for incident in facts.open_incidents],
        "strangers": [s for s in facts.unknown_senders if s.claimed_unit_id not in snapshot.register.units][:_MOST_STRANGERS],
        "local": local_text,
        "dead_letters": sum(facts.dead_letters.values()),
        "duplicates": sum(counts.duplicates for counts in facts.topics.values()),
        "accepted": sum(counts.accepted for counts in facts.topics.values()),
        "missing": sum(facts.missing.values()),
    }


def _banners(snapshot: Snapshot, settings: ServeSettings, now: datetime) -> list[str]:
    """What is wrong with ourselves."""
    facts = snapshot.facts
    banners = []
    standing = now - facts.clock_advanced_at
    if snapshot.status.clock is None:
        banners.append("尚未计入任何事件 · no event has been counted yet")
    elif standing > settings.stall_after:
        hours = standing.total_seconds() / 3600
        banners.append(
            f"平台时钟已停 {hours:.1f} 小时:监测平台自身未在计数,期间不对任何单位告警 · "
            f"the platform clock has stood still for {hours:.1f} h: we are not counting, and blame nobody meanwhile"
        )
    if facts.watchdog_at is None:
        banners.append("从未收到 Watchdog 心跳告警:告警通道未接通 · no Watchdog alert has ever arrived: paging is not connected")
    elif now - facts.watchdog_at > settings.watchdog_after:
        since = local_text(facts.watchdog_at)
        banners.append(
            f"自 {since} 起未再收到 Watchdog 心跳告警:目前无人会收到告警 · no Watchdog alert since {since}: nobody is being paged"
        )
    return banners


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "number": incident.id,
        "what": one_line(incident.summary_zh or incident.summary),
        "alert": visible(incident.alertname),
        "platform_time": local_text(incident.platform_time),
        "since": local_text(incident.started_at),
        "deliveries": incident.deliveries,
    }


def _urgency(status: UnitStatus) -> int:
    return min(_WORST_FIRST.index(feed.condition) for feed in status.feeds)


def _row(status: UnitStatus) -> dict[str, Any]:
    return {"unit": status.unit, "life": _LIVES.get(status.life), "feeds": [_feed(feed) for feed in status.feeds]}


def _feed(feed: FeedStatus) -> dict[str, Any]:
    word, word_zh = CONDITION_WORDS[feed.condition]
    return {
        "class": feed.condition.value,
        "word": word,
        "word_zh": word_zh,
        "last": local_text(feed.last_event_at),
        "deadline": local_text(feed.deadline),
    }
