"""Times and spans as people say them, Chinese and English. Core. Times are Beijing time (Asia/Shanghai)."""

from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.clock import SHANGHAI

_STEPS: Final = ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分", "min"), (1, "秒", "s"))
_LATEST: Final = datetime(9990, 1, 1, tzinfo=UTC)
"""Behind it a time has no Beijing date any more."""


def span_zh(span: timedelta) -> str:
    """The two greatest parts: 2 天 3 小时, 3 小时 5 分, 45 秒. A negative span is none."""
    return " ".join(f"{count} {zh}" for count, zh, _ in _parts(span)) or "不足 1 秒"


def span_en(span: timedelta) -> str:
    """The two greatest parts: 2 d 3 h, 3 h 5 min, 45 s."""
    return " ".join(f"{count} {en}" for count, _, en in _parts(span)) or "less than 1 s"


def moment_zh(moment: datetime, now: datetime) -> str:
    """Beijing time such as 9月10日 12:00; with its year where that is not the present one."""
    local, year = _local(moment), _local(now).year
    day = f"{local.month}月{local.day}日 {local:%H:%M}"
    return day if local.year == year else f"{local.year}年{day}"


def moment_en(moment: datetime, now: datetime) -> str:
    """Beijing time such as 10 Sep 12:00; with its year where that is not the present one."""
    local, year = _local(moment), _local(now).year
    return f"{local.day} {local:%b}{'' if local.year == year else f' {local.year}'} {local:%H:%M}"


def _local(moment: datetime) -> datetime:
    return min(moment, _LATEST).astimezone(SHANGHAI)


def _parts(span: timedelta) -> list[tuple[int, str, str]]:
    left = max(int(span.total_seconds()), 0)
    found: list[tuple[int, str, str]] = []
    for size, zh, en in _STEPS:
        count, left = divmod(left, size)
        if count or found:
            found.append((count, zh, en))
    return [part for part in found[:2] if part[0]]
