"""Rules on parts of a feed: tables or forms that are dead while the others live, and uploads that hold no document. Core.

A part is dead when the chance that the unit, by its own history, sent none of it on those days is below one in a million
(`absence.py`). Several that stop on the same day weigh together.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from statistics import median
from typing import Final

from monitor.counting.feeds import FEED_ZH, Feed
from monitor.judgement.facts import CityFacts, FeedFacts, UnitFacts
from monitor.judgement.rules.absence import Absence, absences, proven
from monitor.judgement.rules.usual import HISTORY, LEAST_HISTORY, ordinary_days
from monitor.judgement.rules.verdict import (
    Family,
    NotEnoughHistory,
    Outcome,
    Rule,
    Severity,
    Text,
    Verdict,
    counted,
    named_tables,
)

DEAD_TABLES, DEAD_FORMS, EMPTY = "dead_tables", "dead_forms", "empty_uploads"
_ALIVE: Final = 0.4
"""The other parts must bring this share of their usual: otherwise it is the feed that fails, not a part of it."""


def dead_parts(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """1 empty uploads (they come and hold nothing), 2 dead parts (they do not come): the stretch with the best proof of each."""
    for feed, facts in unit.feeds.items():
        days = ordinary_days(facts, city)
        dead_rule = DEAD_TABLES if feed is Feed.SCHEDULED else DEAD_FORMS
        if len(days) <= LEAST_HISTORY:
            if days:
                yield NotEnoughHistory(dead_rule, feed)
                yield NotEnoughHistory(EMPTY, feed)
            continue
        absent, unknown = absences(facts, days, city)
        if unknown:
            yield NotEnoughHistory(dead_rule, feed)
        empty = proven([absence for absence in absent if absence.empty])
        if empty:
            yield _verdict(EMPTY, unit, feed, days, empty, city)
        dead = proven([absence for absence in absent if not absence.empty])
        if dead and _others_live(facts, days, {absence.code for absence in absent}, dead, city):
            yield _verdict(dead_rule, unit, feed, days, dead, city)


def _others_live(facts: FeedFacts, days: Sequence[date], absent: set[str], dead: Sequence[Absence], city: CityFacts) -> bool:
    length = min(absence.days for absence in dead)
    recent, before = days[-min(length, 3) :], days[:-length][-HISTORY:]
    kinds = {city.kind(day) for day in recent}
    usual = [_rest(facts, day, absent) for day in before if city.kind(day) in kinds] or [0]
    return median([_rest(facts, day, absent) for day in recent]) >= _ALIVE * median(usual) > 0


def _rest(facts: FeedFacts, day: date, absent: set[str]) -> int:
    return sum(sums.records for code, sums in facts.days[day].items() if code not in absent)


def _verdict(rule: str, unit: UnitFacts, feed: Feed, days: Sequence[date], gone: Sequence[Absence], city: CityFacts) -> Verdict:
    codes = [absence.code for absence in gone]
    length = max(absence.days for absence in gone)
    since = days[-length]
    names = named_tables(codes, city.register)
    things_zh, things_en = ("表", "table") if feed is Feed.SCHEDULED else ("表单", "form")
    state_zh, state_en = (
        ("只传空包", f"empty since {since}")
        if rule == EMPTY
        else ("停止上传,其余正常", f"missing since {since} while others live")
    )
    return Verdict(
        rule,
        Severity.TICKET,
        since,
        Text(
            f"{unit.unit.name_zh}{FEED_ZH[feed]}:{len(codes)} 张{things_zh}自 {since} 起{state_zh}:{names.zh}",
            f"{unit.unit.name_en}, {feed}: {counted(len(codes), things_en)} {state_en}: {names.en}",
        ),
        Text(
            f"请检查以下{things_zh}的抽取与上传:{names.zh};自 {since} 起补传。",
            f"Please check the export of {names.en}, and send again from {since} on.",
        ),
        feed,
        unit.unit.unit_id,
        {"codes": codes, "days": length, "usual_a_day": round(sum(absence.usual for absence in gone))},
        round(sum(absence.usual * absence.days for absence in gone)),
        min(10.0, 4.0 + length + len(codes) / 4),
    )


FAMILY: Final = Family(
    (
        Rule(
            DEAD_TABLES,
            Text("部分表停传", "Some tables dead"),
            "by its own history the chance of these tables being absent together for so long is below one in a million, "
            "and the others bring at least 40 % of their usual",
            "11 own days",
            Severity.TICKET,
        ),
        Rule(
            DEAD_FORMS,
            Text("部分表单停传", "Some forms dead"),
            "the same for the realtime forms",
            "11 own days",
            Severity.TICKET,
        ),
        Rule(
            EMPTY,
            Text("空包上传", "Empty uploads"),
            "uploads of tables that always held documents come and hold none, with the same proof",
            "11 own days",
            Severity.TICKET,
        ),
    ),
    (dead_parts,),
)
