"""Rules on what an upload says of itself: gaps in the sequence numbers, a clock that is wrong. Core."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.counting.unit_days import Arrivals
from monitor.judgement.facts import CityFacts, UnitFacts
from monitor.judgement.rules.verdict import Family, Outcome, Rule, Severity, Text, Verdict, counted

CLOCK, GAPS = "wrong_clock", "open_gaps"
_CLOCK_EVENTS: Final = 3
"""Uploads of one date with an impossible time; a single one is a slip."""
_CLOCK_DAYS: Final = 7
_GAP_AGE: Final = timedelta(days=2)
"""A gap younger than this may be an upload on its way, or sent again by the unit itself."""
_REQUESTS: Final = 5


def wrong_clock(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """Uploads of the last days were stamped after their receipt or before their business date."""
    for feed, facts in unit.feeds.items():
        since = facts.complete_until - timedelta(days=_CLOCK_DAYS)
        recent = [row for row in facts.arrivals if row.business_date >= since]
        newest = max((row.business_date for row in recent), default=None)
        wrong = [row for row in recent if row.ahead + row.behind]
        if newest is None or sum(row.ahead + row.behind for row in wrong) < _CLOCK_EVENTS:
            continue
        if max(row.business_date for row in wrong) < newest - timedelta(days=2):
            continue  # the clock has been set right
        yield _clock(unit, feed, wrong)


def _clock(unit: UnitFacts, feed: Feed, wrong: Sequence[Arrivals]) -> Verdict:
    ahead, behind = sum(row.ahead for row in wrong), sum(row.behind for row in wrong)
    fast = ahead >= behind
    seconds = median([row.ahead_seconds if fast else row.behind_seconds for row in wrong if (row.ahead if fast else row.behind)])
    zh, en = _span(seconds)
    word_zh, word_en = ("快约", "fast by about") if fast else ("至少慢", "slow by at least")
    since = min(row.business_date for row in wrong)
    return Verdict(
        CLOCK,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}:时钟{word_zh} {zh}({ahead + behind} 次上传)",
            f"{unit.unit.name_en}, {feed}: its clock is {word_en} {en} ({ahead + behind} uploads)",
        ),
        Text(f"请校准上传服务器时钟(NTP):{word_zh} {zh}。", f"Please set the upload server's clock (NTP): it is {word_en} {en}."),
        feed,
        unit.unit.unit_id,
        {"ahead": ahead, "behind": behind, "offset_seconds": round(seconds) * (1 if fast else -1)},
        0,
        6.0,
    )


def _span(seconds: float) -> tuple[str, str]:
    for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {zh}", f"{seconds / size:.1f} {en}"
    return f"{seconds:.0f} 秒", f"{seconds:.0f} s"


def open_gaps(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """Sequence numbers have been missing for two days or more."""
    for feed in unit.feeds:
        gaps = [gap for gap in unit.gaps if gap.feed is feed and gap.since <= city.today - _GAP_AGE]
        if not gaps:
            continue
        missing = sum(gap.last - gap.first + 1 for gap in gaps)
        ranges = [str(gap.first) if gap.first == gap.last else f"{gap.first}–{gap.last}" for gap in gaps]
        listed = ", ".join(ranges[:_REQUESTS]) + (f" (+{len(ranges) - _REQUESTS})" if len(ranges) > _REQUESTS else "")
        since = min(gap.since for gap in gaps)
        yield Verdict(
            GAPS,
            Severity.TICKET,
            since,
            Text(
                f"{unit.unit.name_zh}{FEED_ZH[feed]}:缺 {missing} 个序号({listed})",
                f"{unit.unit.name_en}, {feed}: {counted(missing, 'sequence number')} missing ({listed})",
            ),
            Text(f"请重传序号 {listed}。", f"Please re-send {listed}."),
            feed,
            unit.unit.unit_id,
            {"missing": missing, "gaps": len(gaps), "ranges": ranges[:50]},
            0,
            5.0,
        )


FAMILY: Final = Family(
    (
        Rule(
            GAPS,
            Text("序号缺口", "Open sequence gaps"),
            "sequence numbers have been missing for two days or more",
            "none",
            Severity.TICKET,
        ),
        Rule(
            CLOCK,
            Text("时钟错误", "Wrong clock"),
            "three uploads of the last week were stamped after their receipt or before their business date",
            "none",
            Severity.TICKET,
        ),
    ),
    (open_gaps, wrong_clock),
)
