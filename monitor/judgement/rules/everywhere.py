"""One finding for what stops at many units at once: an imaging platform is one incident, not one for each hospital. Core."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from monitor.counting.feeds import Feed
from monitor.judgement.facts import CityFacts
from monitor.judgement.rules.dead_parts import DEAD_FORMS, DEAD_TABLES
from monitor.judgement.rules.verdict import Family, Rule, Severity, Text, Verdict, named_tables

EVERYWHERE: Final = "tables_dead_everywhere"
_LEAST_UNITS: Final = 4
_SHARE: Final = 0.5
"""Of the units that used to deliver the part."""
_SPREAD: Final = timedelta(days=3)
"""Units of one outage notice it on the same days, but for weekends."""


def merge_everywhere(verdicts: Sequence[Verdict], city: CityFacts) -> list[Verdict]:
    """Take the parts that are dead at half of their units out of the units' findings, and say it once for the city."""
    dead = [verdict for verdict in verdicts if verdict.rule in (DEAD_TABLES, DEAD_FORMS)]
    at = Counter(code for verdict in dead for code in _codes(verdict))
    users = _users(city) if at else {}
    wide = {code for code, units in at.items() if units >= max(_LEAST_UNITS, _SHARE * users.get(code, 0))}
    if not wide:
        return list(verdicts)
    merged = [_without(verdict, wide) for verdict in verdicts]
    found = [verdict for verdict in merged if verdict is not None]
    for feed in Feed:
        members = [verdict for verdict in dead if verdict.feed is feed and wide & set(_codes(verdict))]
        starts = sorted(verdict.since for verdict in members)
        if members:
            middle = starts[len(starts) // 2]
            together = [verdict for verdict in members if abs(verdict.since - middle) <= _SPREAD]
            codes = sorted({code for verdict in together for code in _codes(verdict)} & wide)
            found.append(_everywhere(feed, codes, middle, together, city))
    return found


def _codes(verdict: Verdict) -> list[str]:
    codes = verdict.evidence["codes"]
    return [] if isinstance(codes, str | int | float) else list(codes)


def _without(verdict: Verdict, wide: set[str]) -> Verdict | None:
    """A unit's own dead parts; None when the city's finding says it all."""
    if verdict.rule not in (DEAD_TABLES, DEAD_FORMS):
        return verdict
    left = [code for code in _codes(verdict) if code not in wide]
    if len(left) == len(_codes(verdict)):
        return verdict
    return replace(verdict, evidence={**verdict.evidence, "codes": left}) if left else None


def _users(city: CityFacts) -> Mapping[str, int]:
    """How many units delivered each part on at least five dates of the look-back."""
    found: Counter[str] = Counter()
    for unit in city.units:
        for facts in unit.feeds.values():
            days = Counter(code for codes in facts.days.values() for code, sums in codes.items() if sums.records)
            found.update(code for code, count in days.items() if count >= 5)
    return found


def _everywhere(feed: Feed, codes: Sequence[str], since: date, members: Sequence[Verdict], city: CityFacts) -> Verdict:
    names = named_tables(codes, city.register)
    units = sorted(str(verdict.unit_id) for verdict in members)
    return Verdict(
        EVERYWHERE,
        Severity.TICKET,
        since,
        Text(
            f"{len(units)} 家单位自 {since} 起同时停传 {len(codes)} 张表:{names.zh}",
            f"{len(units)} units stopped {len(codes)} tables together on {since}: {names.en}",
        ),
        Text(
            "多家单位同时停传,请先检查平台侧或共用厂商的采集,而非逐家询问。",
            "Many units at once: look at the platform or a shared vendor first, before asking each unit.",
        ),
        feed,
        None,
        {"codes": list(codes), "units": units},
        sum(verdict.lost for verdict in members),
        10.0,
    )


FAMILY: Final = Family(
    (
        Rule(
            EVERYWHERE,
            Text("多家同时停传", "Dead at many units"),
            "the same tables or forms are dead at half of their units (four or more); the units' own findings leave them out",
            "11 own days",
            Severity.TICKET,
        ),
    ),
    (),
)
