"""Judge the units by every rule, and keep the findings. Shell: reads the ledger's days, writes what has changed.

A platform day's findings are made once that day has ended, and again while it runs: the same facts give the same findings.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar, DayKind
from monitor.judgement.facts import LOOK_BACK, CityFacts
from monitor.judgement.findings import Finding, changes
from monitor.judgement.gather import gather
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.verdict import Severity, Text
from monitor.ledger.database import Engine
from monitor.ledger.findings import FindingFilter, last_judged, read_findings, write_findings
from monitor.ledger.tables.findings import FindingRow
from monitor.ledger.unit_days import read_unit_days
from schemas.clock import local_date, start_of_day
from schemas.events import UnitId
from schemas.register import Register

_LOOK_BACK: Final = timedelta(days=LOOK_BACK)
SUMMARY_HOUR: Final = 8
"""Local hour at which the day's summary is made: before the first calls."""
AGAIN_AFTER: Final = timedelta(hours=1)
"""Platform time after which the day that runs is judged again."""


def is_due(judged: datetime | None, clock: datetime | None) -> bool:
    """Whether the units should be judged at `clock`.

    1 a platform day has ended since `judged`, 2 the hour of the summary has come, 3 an hour has passed.
    """
    if clock is None:
        return False
    if judged is None or local_date(judged) != local_date(clock):
        return True
    return summary_is_due(judged, clock) or clock - judged >= AGAIN_AFTER


def summary_is_due(judged: datetime | None, clock: datetime) -> bool:
    """Whether the hour of the day's summary has come since `judged`."""
    moment = start_of_day(local_date(clock)) + timedelta(hours=SUMMARY_HOUR)
    return judged is not None and judged < moment <= clock


def read_city(
    engine: Engine,
    register: Register,
    overdue: Mapping[tuple[str, Feed], datetime] | None = None,
    calendar: Calendar | None = None,
    at: datetime | None = None,
) -> CityFacts | None:
    """The facts of every unit at the platform clock, or `at` an earlier moment; None before the first event.

    Raises LedgerUnavailable.
    """
    found = read_unit_days(engine, _LOOK_BACK, at)
    if found is None:
        return None
    found.rows.overdue = overdue or {}
    return gather(register, found.clock, found.rows, special_days(calendar or Calendar(), local_date(found.clock)))


def special_days(calendar: Calendar, today: date) -> frozenset[date]:
    """Days of the look-back that are like no other: holidays, make-up workdays, and the days around the long feasts."""
    days = [today - timedelta(days=n) for n in range(LOOK_BACK + 1)]
    named = {DayKind.HOLIDAY, DayKind.MAKE_UP}
    return frozenset(day for day in days if calendar.day(day).kind in named or calendar.near_long_feast(day))


def judge_units(
    engine: Engine, register: Register, overdue: Mapping[tuple[str, Feed], datetime], calendar: Calendar | None = None
) -> bool:
    """Judge at the platform clock and store what has changed. False when there is nothing to judge or somebody else did it."""
    before = last_judged(engine).clock
    city = read_city(engine, register, overdue, calendar)
    if city is None:
        return False
    known = open_findings(engine)
    new = changes(known, evaluate(city), city.clock)
    changed = [*map(row_of, new.updated), *map(row_of, new.closed)]
    return write_findings(engine, (before, city.clock), [row_of(finding) for finding in new.opened], changed, _LOOK_BACK)


def open_findings(engine: Engine, wanted: FindingFilter | None = None) -> list[Finding]:
    """The findings that are open now, or those that `wanted` says."""
    return [finding_of(row) for row in read_findings(engine, wanted or FindingFilter(open_only=True))]


def row_of(finding: Finding) -> FindingRow:
    """As the ledger keeps it."""
    return FindingRow(
        rule=finding.rule,
        unit_id=finding.unit_id or "",
        feed=finding.feed or "",
        opened_at=finding.opened_at,
        severity=finding.severity,
        since=finding.since,
        updated_at=finding.updated_at,
        closed_at=finding.closed_at,
        what_zh=finding.what.zh,
        what_en=finding.what.en,
        ask_zh=finding.ask.zh,
        ask_en=finding.ask.en,
        evidence=json.dumps(finding.evidence, ensure_ascii=False, sort_keys=True),
        lost=finding.lost,
        unusual=finding.unusual,
    )


def finding_of(row: FindingRow) -> Finding:
    """As the rules know it."""
    return Finding(
        row.rule,
        UnitId(row.unit_id) if row.unit_id else None,
        row.feed or None,
        row.opened_at,
        Severity(row.severity),
        row.since,
        row.updated_at,
        Text(row.what_zh, row.what_en),
        Text(row.ask_zh, row.ask_en),
        json.loads(row.evidence),
        row.lost,
        row.unusual,
        row.closed_at,
    )
