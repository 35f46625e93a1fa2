"""Outages of many at once: a whole feed, or the units of one district or vendor on it. Core.

Judged against what was expected of each, so by night and at feasts too: the surprise at nobody's sending is the sum of all
surprises. A few strays make no feed alive, and one message ends no outage.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from monitor.counting.feeds import Feed
from monitor.judgement.activity import Bools, Floats
from monitor.judgement.expectation import Quiet
from schemas.events import UnitId

OUTAGE_LIMIT: Final = 14.0
GROUP_LIMIT: Final = 13.0
"""Surprise at which the silence of all is an outage."""
GROUP_MOST: Final = 5.5
"""So much one row may add to its group's surprise: two that are silent, and others quiet by chance, are no outage."""
OUTAGE_LEAST_UNITS: Final = 3.0
"""So many units of a feed must have been expected meanwhile (a sum of chances); of a group the bounds on one row see to that."""
BOTH_LEAST: Final = 2.0
"""A group's two feeds add up when each alone is quiet beyond so much surprise: one chance in seven."""
BOTH_MOST: Final = 4.0
"""So much one row may add to that, so that a single unit which is silent on both feeds makes no group."""
STRAYS: Final = 0.1
"""This share of a feed may still be heard in an outage: a message on its way, a clock that is slow."""


_OTHER: Final[Mapping[Feed, Feed]] = {Feed.SCHEDULED: Feed.REALTIME, Feed.REALTIME: Feed.SCHEDULED}


class Scope(NamedTuple):
    """Who is out: a whole feed, or the units of one district or vendor on it."""

    kind: str  # "feed", "district", "vendor"
    value: str
    feed: Feed


@dataclass
class Outage:
    """A time in which nobody of a group sent, but a few strays. Hours are local; `end` is None while it lasts.

    One failure may show on one feed first and on the other at night: such parts bear one `number`.
    """

    number: int
    scope: Scope
    start: float
    found: float
    rows: Bools
    other_feed: Bools  # the other feed of the same units: it may have stopped too, and be due only at night
    end: float | None = None


@dataclass(frozen=True)
class Heard:
    """What the search for outages looks at, row by row: the last upload, and since when it counts.

    `overdue`: since when a row is silent by itself (NaN: it is not). `expected`: whether the register expects anything of it.
    """

    last: Floats
    since: Floats
    overdue: Floats
    expected: Bools
    scheduled: Bools

    @property
    def silent(self) -> Bools:
        """Whose own silence is open, or who is expected to be quiet."""
        found: Bools = ~np.isnan(self.overdue) | ~self.expected
        return found


class _Stretch(NamedTuple):
    """Since when a group has said nothing but for strays, who of it is quiet, and how surprising that is, row by row."""

    members: Bools
    start: float
    surprise: Floats

    @property
    def units(self) -> float:
        """How many were expected meanwhile."""
        return float((1 - np.exp(-self.surprise)).sum())


def scopes_of(
    keys: Sequence[tuple[UnitId, Feed]], groups: Iterable[tuple[str, Mapping[UnitId, str]]]
) -> list[tuple[Scope, Bools]]:
    """Every scope, the widest first. `groups` gives, by kind ("district", "vendor"), the group of each unit that has one."""
    of_feed = {feed: np.array([key[1] is feed for key in keys], np.bool_) for feed in Feed}
    scopes = [(Scope("feed", feed.value, feed), rows) for feed, rows in of_feed.items()]
    for kind, members in groups:
        for value in sorted(set(members.values())):
            rows = np.array([members.get(key[0]) == value for key in keys])
            if len({key[0] for key, inside in zip(keys, rows, strict=True) if inside}) < 3:
                continue
            scopes += [(Scope(kind, value, feed), rows & of_feed[feed]) for feed in Feed]
    return scopes


def covered_by(outages: Sequence[Outage], heard: Heard) -> Bools:
    """Whose silence is that of an open outage."""
    covered = np.zeros_like(heard.silent)
    for outage in outages:
        if outage.end is None:
            covered |= quiet_in(outage, heard)
    return covered


def quiet_in(outage: Outage, heard: Heard) -> Bools:
    """The rows that have not been heard in an outage: its own, and those on the other feed that may have stopped with them."""
    found: Bools = (outage.rows | outage.other_feed) & (heard.last <= outage.found)
    return found


def other_feed_lives(outage: Outage, heard: Heard) -> bool:
    """Whether the other feed was heard while the outage lasts: then its silences are its units' own."""
    return int((outage.other_feed & (heard.last > outage.found)).sum()) > strays(outage.scope, outage.other_feed)


def end_of(outage: Outage, heard: Heard) -> float | None:
    """When more than the strays were heard again; None while they are not. A stray that came long before was not the end."""
    back = np.sort(heard.last[outage.rows & (heard.last > outage.found)])
    few = strays(outage.scope, outage.rows)
    return float(back[few]) if len(back) >= max(2, few + 1) else None


def strays(scope: Scope, rows: Bools) -> int:
    """How many of the rows may be heard though they are out."""
    return int(STRAYS * rows.sum()) if scope.kind == "feed" else 0


def find_outages(
    scopes: Sequence[tuple[Scope, Bools]], known: Sequence[Outage], quiet: Quiet, heard: Heard, now: float
) -> list[Outage]:
    """The outages that are not known yet, the widest first."""
    found: list[Outage] = []
    candidates = ~np.isnan(heard.since) & ~heard.silent
    stretches = {scope: _stretch(scope, rows, candidates, quiet, heard, now) for scope, rows in scopes}
    for scope, rows in scopes:
        stretch, other_feed = stretches[scope], stretches.get(scope._replace(feed=_OTHER[scope.feed]))
        if other_feed is not None and _is_explained(other_feed, [*known, *(one for one in found if one.scope.kind == "feed")]):
            other_feed = None
        if stretch is None or not _is_out(scope, stretch, other_feed) or _is_explained(stretch, [*known, *found]):
            continue
        if scope.kind != "feed" and not _others_live(heard, rows, scope.feed, stretch.start):
            continue
        number = _number([*known, *found], scope, stretch.members, stretch.start)
        found.append(Outage(number, scope, stretch.start, now, stretch.members, _other_feed(scopes, scope) & ~heard.silent))
    return found


def _stretch(scope: Scope, rows: Bools, candidates: Bools, quiet: Quiet, heard: Heard, now: float) -> _Stretch | None:
    """The time in which the group has been quiet; None when that are too few to say anything.

    Who fell silent meanwhile, before it was known that all are, is one of them.
    """
    members = rows & candidates
    if np.count_nonzero(members) < 2:
        return None
    start = _quiet_since(scope, members, quiet, now)
    members = members | (rows & heard.expected & (heard.overdue > start) & (heard.since <= start))
    if np.count_nonzero(members) < 3:
        return None
    surprise = np.where(members & (heard.since <= start), quiet.surprise(start, now), 0.0)
    return _Stretch(members, start, surprise)


def _is_explained(stretch: _Stretch, outages: Sequence[Outage]) -> bool:
    """Whether half of a group is in outages of this feed that are open.

    That the other feed of the same units is out explains nothing: each comes back by itself.
    """
    out = np.zeros_like(stretch.members)
    for outage in outages:
        if outage.end is None:
            out |= outage.rows
    return int((stretch.members & out).sum()) > 0.5 * int(stretch.members.sum())


def _quiet_since(scope: Scope, members: Bools, quiet: Quiet, now: float) -> float:
    """The moment since which all but the strays said nothing; so many strays as the units expected since then allow."""
    if not strays(scope, members):
        return float(quiet.since[members].max())
    latest = np.sort(quiet.since[members])[::-1]
    for number in range(strays(scope, members), 0, -1):
        expected = 1 - np.exp(-quiet.surprise(float(latest[number]), now)[members])
        if number <= STRAYS * expected.sum():
            return float(latest[number])
    return float(latest[0])


def is_part_of(narrow: Outage, wide: Outage) -> bool:
    """Whether an open outage of a group turns out to be one of its whole feed."""
    return (
        narrow.end is None and narrow.scope.kind != "feed" and wide.scope.kind == "feed" and bool((narrow.rows & wide.rows).any())
    )


def _other_feed(scopes: Sequence[tuple[Scope, Bools]], scope: Scope) -> Bools:
    """The other feed of the same units: what stops one will have stopped the other, which may be due only at night."""
    others = [rows for other, rows in scopes if other.kind == scope.kind and other.feed is not scope.feed]
    same = [rows for other, rows in scopes if other[:2] == scope[:2] and other.feed is not scope.feed]
    found: Bools = np.logical_or.reduce(others if scope.kind == "feed" else same)
    return found


def _number(known: Sequence[Outage], scope: Scope, rows: Bools, start: float) -> int:
    """The number of the failure that this is a part of: one on the other feed, or of some of these rows, that it overlaps."""
    for other in known:
        overlaps = other.end is None or other.end > start
        both_feeds = other.scope.kind == scope.kind == "feed"
        if overlaps and (both_feeds or other.scope[:2] == scope[:2] or ((other.rows | other.other_feed) & rows).any()):
            return other.number
    return 1 + max((outage.number for outage in known), default=-1)


def _is_out(scope: Scope, stretch: _Stretch, other_feed: _Stretch | None) -> bool:
    """Whether so long a silence of all of them is beyond chance. What stops a group mostly stops both its feeds."""
    surprise = float(stretch.surprise.sum())
    if scope.kind == "feed":
        return surprise >= OUTAGE_LIMIT and stretch.units >= OUTAGE_LEAST_UNITS
    if float(np.minimum(stretch.surprise, GROUP_MOST).sum()) >= GROUP_LIMIT:
        return True
    if other_feed is None or min(surprise, float(other_feed.surprise.sum())) < BOTH_LEAST:
        return False
    return sum(float(np.minimum(one.surprise, BOTH_MOST).sum()) for one in (stretch, other_feed)) >= GROUP_LIMIT


def _others_live(heard: Heard, rows: Bools, feed: Feed, start: float) -> bool:
    """Whether units outside the group were heard since: otherwise it is more than the group that is out."""
    outside = ~rows & (heard.last > start + 0.2) & (heard.scheduled == (feed is Feed.SCHEDULED))
    return int(outside.sum()) >= 2
