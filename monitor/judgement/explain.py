"""Why a feed is what it is, in plain words: what is usual, what was last seen, what is expected by when, and why. Core."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import numpy as np

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.activity import Floats
from monitor.judgement.conditions import CityState
from monitor.judgement.hour_weights import FEAST, SATURDAY, SUNDAY, WORKDAY
from monitor.judgement.learned_rhythm import LearnedRhythms
from monitor.judgement.unit_status import FeedCondition, FeedStatus
from schemas.clock import local_text
from schemas.register import Unit

USUAL_SHARE: Final = 0.4
"""An hour counts as usual when it brought an upload on so many of its days (shares are taken from below)."""
_KINDS: Final = (
    (WORKDAY, "on workdays", "工作日"),
    (SATURDAY, "on Saturdays", "周六"),
    (SUNDAY, "on Sundays", "周日"),
    (FEAST, "on public holidays", "法定节假日"),
)
_WORDS: Final = {
    FeedCondition.SILENT: ("is silent", "中断"),
    FeedCondition.NEVER_SEEN: ("has never uploaded", "从未上传"),
    FeedCondition.IN_OUTAGE: ("is quiet in an outage of many", "处于多家同时中断之中"),
    FeedCondition.LATE: ("is later than usual", "迟于往常"),
    FeedCondition.AWAITED: ("is awaited: never seen yet, still within its time", "等待首次上传"),
    FeedCondition.ON_TIME: ("is on time", "正常"),
    FeedCondition.INACTIVE: ("is not in use by anybody yet", "通道尚未启用"),
    FeedCondition.NOT_EXPECTED: ("owes nothing: the register expects nothing of it", "按登记册不要求上传"),
}


class Tongue(StrEnum):
    """The language of an explanation."""

    ZH = "zh"
    EN = "en"


def explain(unit: Unit, status: FeedStatus, city: CityState | None, row: int, tongue: Tongue) -> list[str]:
    """The sentences, the verdict first. `row` is the feed's place in `city`, which is None before the first event."""
    zh = tongue is Tongue.ZH
    word, word_zh = _WORDS[status.condition]
    name, feed = (unit.name_zh, FEED_ZH[status.feed]) if zh else (unit.name_en, f"{status.feed} feed")
    lines = [f"{name}{feed}：{word_zh}。" if zh else f"{name}, {feed}: {word}."]
    if status.last_event_at is not None:
        last = local_text(status.last_event_at)
        lines.append(f"最近一次上传：{last}。" if zh else f"Last upload: {last}.")
    lines += _when(status, zh)
    if city is not None and city.rhythms is not None and not np.isnan(city.history.last_seen[row]):
        lines += _why(city.rhythms, row, status.feed, zh)
    return lines


def _when(status: FeedStatus, zh: bool) -> list[str]:
    if status.since is not None:
        since = local_text(status.since)
        return [f"自 {since} 起超时。" if zh else f"Overdue since {since}."]
    if status.deadline is not None:
        due = local_text(status.deadline)
        return [f"若到 {due} 仍无上传，即判为中断。" if zh else f"Without an upload it becomes silent at {due}."]
    return []


def _why(rhythms: LearnedRhythms, row: int, feed: Feed, zh: bool) -> list[str]:
    if not rhythms.learned[row]:
        hours = f"{rhythms.limit[row]:.0f}"
        return [
            f"观察不足 14 天，尚未学得其规律：工作日累计 {hours} 小时无上传才判为中断。"
            if zh
            else f"Its rhythm is not known yet (that takes 14 days): {hours} hours of workdays without an upload make it silent."
        ]
    lines = [_usual(rhythms.occupied[row], zh)]
    if rhythms.regular[row]:
        lines.append(_missed(int(rhythms.owed[row]), float(rhythms.anchor[row] + rhythms.due[row]), zh))
    if np.isfinite(rhythms.longest_quiet[row]):
        pause = f"{rhythms.longest_quiet[row]:.1f}"
        lines.append(
            f"它节奏均匀：停顿超过 {pause} 小时即异常。" if zh else f"It keeps a steady pace: {pause} hours without are too long."
        )
    return lines


def _missed(days: int, due: float, zh: bool) -> str:
    """How many of its days without an upload are too many. `due`: hours from midnight."""
    minutes = round(due * 60)
    clock = f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
    if zh:
        which = "一个应传日" if days == 1 else f"连续 {days} 个应传日"
        return f"它几乎每个应传日都有上传：{which}到 {clock} 仍没有，即为缺报。"
    which = f"one of them with nothing by {clock} is" if days == 1 else f"{days} of them in a row with nothing by {clock} are"
    return f"It nearly always uploads on its days: {which} missed."


def _usual(occupied: Floats, zh: bool) -> str:
    parts = []
    for code, words, words_zh in _KINDS:
        hours = _spans(np.flatnonzero(occupied[code] >= USUAL_SHARE))
        if hours:
            parts.append(f"{words_zh} {'、'.join(hours)} 时" if zh else f"{words} at {', '.join(hours)} h")
    if not parts:
        return "近八周其上传零散，没有固定钟点。" if zh else "Its uploads of the last eight weeks came at no particular hours."
    return (
        f"近八周通常上传时段：{'；'.join(parts)}。" if zh else f"In the last eight weeks it usually uploaded {'; '.join(parts)}."
    )


def _spans(hours: Iterable[int]) -> list[str]:
    """Hours as spans: 8, 9, 10, 14 are 8–11 and 14–15."""
    spans: list[list[int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1][1] = int(hour) + 1
        else:
            spans.append([int(hour), int(hour) + 1])
    return [f"{first}–{last}" for first, last in spans]
