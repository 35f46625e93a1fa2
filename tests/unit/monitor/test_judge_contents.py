"""The scoring of what the rules find in a made-up city: what counts as found, late, missed, false, and as a right call."""

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
import pytest

from monitor.counting.unit_days import Measures
from monitor.judgement.findings import Finding
from monitor.judgement.rules import RANK
from monitor.judgement.rules.verdict import Severity, Text
from schemas.clock import to_days
from schemas.events import UnitId
from schemas.register import load_register
from tests.judge.city import Days, Sender, make_city
from tests.judge.contents import Delivery, unit_id_of
from tests.judge.contents_judged import Contents
from tests.judge.documents import moment_of
from tests.judge.faults import SILENCE, Fault, senders_of
from tests.judge.half_dead import HALF_DEAD_KINDS, HISTORY_DAYS, HalfDead, make_half_dead
from tests.judge.history import History
from tests.judge.mornings import Called, Judged
from tests.judge.run import Played
from tests.judge.score_findings import Labels, score_findings, verdict_on_findings

DAYS: Final = Days(date(2024, 3, 1), 120)
START: Final = DAYS.start + 24 * 60
DUE: Final = START + 24 * 2
DROP: Final = HalfDead("sudden_drop", 0, START, START + 24 * 5, DUE)
OWES: Final = HalfDead("missing_days", 0, START, START + 24 * 2, DUE, frozenset({"2024-04-30"}))
U0: Final = unit_id_of(0)


def labels(*half_dead: HalfDead, faults: tuple[Fault, ...] = ()) -> Labels:
    return Labels(half_dead, faults, senders_of(make_city(2, DAYS, np.random.default_rng(1))))


def finding(rule: str, unit_id: UnitId | None = U0, severity: Severity = Severity.TICKET, **evidence: list[str]) -> Finding:
    now, nothing = moment_of(START), Text("", "")
    return Finding(rule, unit_id, None, now, severity, date(2024, 4, 30), now, nothing, nothing, evidence)


def told(morning: float, found: Finding) -> Judged:
    return Judged([(morning, found)], [(morning, found)])


@pytest.mark.parametrize(
    ("morning", "counts"),
    [
        (START - 1, (0, 0, 1)),
        (START, (1, 0, 0)),
        (DUE, (1, 0, 0)),
        (DUE + 24, (0, 1, 0)),
        (DUE + 24 * 8, (0, 0, 1)),
    ],
)
def test_found_by_its_hour_later_or_not(morning: float, counts: tuple[int, int, int]) -> None:
    found = score_findings(told(morning, finding("sudden_drop")), labels(DROP), DAYS)
    (drop,) = [kind for kind in found.kinds if kind.faults]
    assert (drop.in_time, drop.later, len(drop.missed)) == counts


@pytest.mark.parametrize("other", [finding("surge"), finding("sudden_drop", unit_id_of(1))])
def test_another_rule_or_unit_does_not_count(other: Finding) -> None:
    found = score_findings(told(DUE, other), labels(DROP), DAYS)
    assert [kind.kind for kind in found.kinds if kind.missed] == ["sudden_drop"]


def test_a_finding_that_lists_dates_has_to_list_one_of_the_faults() -> None:
    right, wrong = (finding("missing_days", dates=[day]) for day in ("2024-04-30", "2024-04-12"))
    assert sum(kind.in_time for kind in score_findings(told(DUE, right), labels(OWES), DAYS).kinds) == 1
    assert sum(kind.in_time for kind in score_findings(told(DUE, wrong), labels(OWES), DAYS).kinds) == 0


def test_a_fault_that_is_due_after_the_history_is_not_scored() -> None:
    after = replace(DROP, due=DAYS.start + 24 * DAYS.count)
    assert not any(kind.faults for kind in score_findings(Judged(), labels(after), DAYS).kinds)


def test_false_is_a_ticket_that_nothing_explains() -> None:
    nobody = finding("surge", unit_id_of(1))
    assert [found for _, found in score_findings(told(START, nobody), labels(DROP), DAYS).false] == [nobody]
    assert score_findings(told(START, finding("surge")), labels(DROP), DAYS).false == []  # its unit has a label
    summary = replace(nobody, severity=Severity.SUMMARY)
    assert score_findings(told(START, summary), labels(DROP), DAYS).false == []
    early = DAYS.start + 24 * (HISTORY_DAYS - 1)
    assert score_findings(told(early, nobody), labels(DROP), DAYS).false == []


def test_what_a_fault_explains_ends_with_it_but_for_what_is_owed() -> None:
    long_after = DROP.end + 24 * 20
    assert score_findings(told(long_after, finding("surge")), labels(DROP), DAYS).false
    assert score_findings(told(long_after, finding("missing_days")), labels(DROP), DAYS).false == []


def test_silences_explain_findings_of_their_units_and_wide_ones_those_of_the_platform() -> None:
    silence = Fault(SILENCE, [2], START, START + 30)
    assert score_findings(told(START + 40, finding("silent", unit_id_of(1))), labels(faults=(silence,)), DAYS).false == []
    assert score_findings(told(START + 40, finding("silent", U0)), labels(faults=(silence,)), DAYS).false
    assert score_findings(told(START + 40, finding("silent", None)), labels(faults=(silence,)), DAYS).false
    outage = Fault("platform outage", list(range(6)), START, START + 30)
    assert score_findings(told(START + 40, finding("silent", None)), labels(faults=(outage,)), DAYS).false == []


def test_the_share_of_right_calls() -> None:
    right, wrong = Called(START, U0, "sudden_drop"), Called(START, unit_id_of(1), "sudden_drop")
    found = score_findings(Judged(calls=[right] * 8 + [wrong] * 2), labels(DROP), DAYS)
    assert found.precision == 0.8
    assert found.wrong_calls == [wrong] * 2
    assert "0.80 of the first five calls right" in verdict_on_findings(found)
    assert verdict_on_findings(score_findings(Judged(calls=[right] * 9 + [wrong]), labels(), DAYS)) != []
    assert score_findings(Judged(), labels(), DAYS).precision == 0


def test_one_of_nineteen_missed_is_too_many() -> None:
    faults = [replace(DROP, start=START + n, due=DUE + n) for n in range(20)]
    calls = [Called(START + 20, U0, "sudden_drop")]
    all_told = Judged(told=[(DUE, finding("sudden_drop"))], calls=calls)
    assert verdict_on_findings(score_findings(all_told, labels(*faults), DAYS)) == []
    missed = [replace(DROP, start=DUE + 24 * n + 1, due=DUE + 24 * n + 2) for n in (1, 2)]
    found = verdict_on_findings(score_findings(all_told, labels(*faults, *missed), DAYS))
    assert found == ["sudden_drop: 20 of 22 found within two own days"]


def test_every_kind_is_one_of_the_rules() -> None:
    assert set(HALF_DEAD_KINDS) <= RANK.keys()


def steady_rows(units: int, days: Days) -> list[list[Delivery]]:
    first, carried = to_days(days.first), Measures(300, 20, 9_000_000, 24_000_000)
    return [
        [
            Delivery(first + n, (first + n + 1 - row % 2) * 24.0 + 20, {f"C{k}": 100 + n for k in range(9)}, carried)
            for n in range(days.count)
        ]
        for row in range(2 * units)
    ]


def test_faults_of_every_kind_are_drawn_and_leave_their_units_time() -> None:
    rows = steady_rows(40, DAYS)
    silence = Fault(SILENCE, [0], START, START + 24 * 50)
    found = make_half_dead(rows, [silence], DAYS, np.random.default_rng(3))
    assert {fault.kind for fault in found} == set(HALF_DEAD_KINDS)
    assert not [fault for fault in found if fault.row < 2 and START < fault.start < START + 24 * 50]
    for fault in found:
        assert fault.start < fault.due
        others = [other for other in found if other.row // 2 == fault.row // 2 and other is not fault]
        assert all(other.end + 24 * 13 < fault.start or fault.end + 24 * 13 < other.start for other in others)
    untouched = [row for row in range(2, 80) if row // 2 not in {fault.row // 2 for fault in found}]
    before = steady_rows(40, DAYS)
    assert untouched
    assert all(rows[row] == before[row] for row in untouched)
    changed = {fault.row for fault in found if fault.kind != "totals_fell"}
    assert all(rows[row] != before[row] for row in changed)


def test_a_city_without_faults_has_its_contents_as_events_in_order() -> None:
    units = make_city(2, DAYS, np.random.default_rng(5))
    senders: list[Sender] = senders_of(units)
    uploads = [np.ones(DAYS.count, np.int64) for _ in senders]
    contents = Contents.make(History(5, units, senders, [], uploads, DAYS))
    moments = [moment for moment, _ in contents.events]
    assert moments == sorted(moments)
    assert {str(event.unit_id) for _, event in contents.events} == set(contents.register.units)
    known = load_register()
    assert all(getattr(event, "table_code", None) in {None, *known.tables} for _, event in contents.events)
    assert contents.judge("never", Played()) == Judged()
