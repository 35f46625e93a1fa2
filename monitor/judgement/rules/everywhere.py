"""One finding for what stops at many units at once: an imaging platform is one incident, not one for each hospital. Core."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from statistics import median_high
from typing import Final

from monitor.counting.feeds import Feed
from monitor.judgement.facts import CityFacts
from monitor.judgement.rules.dead_parts import DEAD_FORMS, DEAD_TABLES
from monitor.judgement.rules.verdict import Family, Rule, Severity, Text, Verdict, counted, named_tables

EVERYWHERE: Final = "tables_dead_everywhere"
_LEAST_UNITS: Final = 4
_SHARE: Final = 0.5
"""Of the units that used to deliver the part."""
_USES: Final = 5
"""Dates of the look-back on which a unit delivers a part that it uses."""
_SPREAD: Final = timedelta(days=3)
"""Units of one outage notice it on the same days, but for weekends."""


def merge_everywhere(verdicts: Sequence[Verdict], city: CityFacts) -> list[Verdict]:
    """Take the parts that died together at many units out of the units' findings, and say it once for the city.

    1 the parts that are dead at half of their units, 2 the middle day on which they died, 3 of the units that lost them
    around that day, those parts that still are four units' or more.
    """
    merged = list(verdicts)
    for feed in Feed:
        dead = [verdict for verdict in verdicts if verdict.rule in (DEAD_TABLES, DEAD_FORMS) and verdict.feed is feed]
        wide = {code for code, units in _at(dead).items() if units >= max(_LEAST_UNITS, _SHARE * _users(code, feed, city))}
        hit = _with(wide, dead)
        if not hit:
            continue
        middle = median_high(verdict.since for verdict in hit)
        together = [verdict for verdict in hit if abs(verdict.since - middle) <= _SPREAD]
        codes = {code for code, units in _at(together).items() if units >= _LEAST_UNITS} & wide
        members = _with(codes, together)
        if members:
            left = [_without(verdict, codes) if verdict in members else verdict for verdict in merged]
            merged = [verdict for verdict in left if verdict is not None]
            merged.append(_everywhere(feed, sorted(codes), middle, members, city))
    return merged


def _at(dead: Sequence[Verdict]) -> Mapping[str, int]:
    """At how many units each part is dead."""
    return Counter(code for verdict in dead for code in _codes(verdict))


def _with(codes: set[str], dead: Sequence[Verdict]) -> Sequence[Verdict]:
    """The units' findings that name one of `codes`."""
    return [verdict for verdict in dead if codes & set(_codes(verdict))]


def _users(code: str, feed: Feed, city: CityFacts) -> int:
    """How many units delivered the part on at least five dates of the look-back."""
    dates = [sum(1 for sums in unit.feeds[feed].days.values() if code in sums and sums[code].records) for unit in city.units]
    return sum(count >= _USES for count in dates)


def _codes(verdict: Verdict) -> list[str]:
    codes = verdict.evidence["codes"]
    return [] if isinstance(codes, str | int | float) else list(codes)


def _without(verdict: Verdict, wide: set[str]) -> Verdict | None:
    """A unit's own dead parts; None when the city's finding says it all."""
    left = [code for code in _codes(verdict) if code not in wide]
    return replace(verdict, evidence={**verdict.evidence, "codes": left}) if left else None


def _everywhere(feed: Feed, codes: Sequence[str], since: date, members: Sequence[Verdict], city: CityFacts) -> Verdict:
    names = named_tables(codes, city.register)
    units = sorted(str(verdict.unit_id) for verdict in members)
    things_zh, thing_en = ("张表", "table") if feed is Feed.SCHEDULED else ("张表单", "form")
    return Verdict(
        EVERYWHERE,
        Severity.TICKET,
        since,
        Text(
            f"{len(units)} 家单位自 {since} 起同时停传 {len(codes)} {things_zh}:{names.zh}",
            f"{len(units)} units stopped {counted(len(codes), thing_en)} together on {since}: {names.en}",
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
            "the same tables or forms are dead at half of their units, and died together at four or more; "
            "the units' own findings leave them out",
            "11 own days",
            Severity.TICKET,
        ),
    ),
    (),
)
