from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from monitor.counting.feeds import Feed
from monitor.judgement.findings import Finding, changes
from monitor.judgement.rules.evaluation import Judged
from monitor.judgement.rules.verdict import Severity, Text, Verdict
from schemas.clock import start_of_day
from tests.factories import OTHER_UNIT, UNIT

NOW: Final = start_of_day(date(2024, 9, 10))
LATER: Final = NOW + timedelta(hours=5)
NOTHING: Final = Judged([], frozenset())


def verdict(**overrides: Any) -> Verdict:
    values: dict[str, Any] = {
        "rule": "sudden_drop",
        "severity": Severity.TICKET,
        "since": date(2024, 9, 8),
        "what": Text("骤降", "dropped"),
        "ask": Text("请核对", "please check"),
        "feed": Feed.SCHEDULED,
        "unit_id": UNIT,
        "evidence": {"days": 2},
        "lost": 100,
        "unusual": 5.0,
    }
    return Verdict(**{**values, **overrides})


def judged(*verdicts: Verdict) -> Judged:
    return Judged(verdicts, frozenset())


def opened(*verdicts: Verdict, at: datetime = NOW) -> list[Finding]:
    return list(changes([], judged(*verdicts), at).opened)


def test_what_holds_opens_once() -> None:
    held = verdict()
    (finding,) = opened(held)
    said = (held.severity, held.since, NOW, held.what, held.ask, held.evidence, held.lost, held.unusual)
    assert finding == Finding("sudden_drop", UNIT, Feed.SCHEDULED, NOW, *said)
    assert finding.closed_at is None
    again = changes([finding], judged(verdict()), LATER)
    assert not again.opened
    assert not again.updated
    assert not again.closed


def test_new_evidence_updates_and_keeps_the_beginning() -> None:
    (finding,) = opened(verdict())
    (updated,) = changes([finding], judged(verdict(evidence={"days": 3}, since=date(2024, 9, 9))), LATER).updated
    assert (updated.opened_at, updated.updated_at, updated.since) == (NOW, LATER, date(2024, 9, 8))
    assert updated.evidence == {"days": 3}


def test_what_no_longer_holds_closes() -> None:
    (finding,) = opened(verdict())
    (closed,) = changes([finding], NOTHING, LATER).closed
    assert closed == replace(finding, closed_at=LATER)


def test_what_cannot_be_told_closes_nothing() -> None:
    (finding,) = opened(verdict())
    for key in (finding.key, ("sudden_drop", UNIT, None)):
        assert not changes([finding], Judged([], frozenset({key})), LATER).closed
    elsewhere = ("sudden_drop", OTHER_UNIT, None)
    assert changes([finding], Judged([], frozenset({elsewhere})), LATER).closed


def test_another_feed_is_another_finding() -> None:
    found = opened(verdict(), verdict(feed=Feed.REALTIME))
    assert len({finding.key for finding in found}) == 2
    assert [finding.feed for finding in changes(found, judged(verdict()), LATER).closed] == [Feed.REALTIME]


def test_what_comes_back_is_a_new_finding() -> None:
    (again,) = opened(verdict(), at=LATER)
    assert again.opened_at == LATER
