"""Read what the call list and the daily summary are made of. Shell, read-only."""

from datetime import date, datetime, timedelta
from typing import Final

from monitor.judgement.call_list import Call, call_list
from monitor.judgement.daily_summary import DailySummary, OurHealth
from monitor.judgement.find import SUMMARY_HOUR, finding_of
from monitor.ledger.database import Engine
from monitor.ledger.findings import FindingFilter, count_findings, last_judged, read_findings
from monitor.ledger.snapshot import read_facts
from schemas.clock import local_date, start_of_day
from schemas.codec.reasons import Reason
from schemas.events import UnitId
from schemas.register import Register

_DAY: Final = timedelta(days=1)
_ONBOARDING: Final = timedelta(days=7)


def summary_moment(day: date, hour: int = SUMMARY_HOUR) -> datetime:
    """When the summary of `day` is made: at `hour` o'clock of it, for the 24 hours before."""
    return start_of_day(day) + timedelta(hours=hour)


def read_calls(engine: Engine, register: Register, day: date | None = None) -> list[Call]:
    """The call list now, or as it was at the end of `day`. Raises LedgerUnavailable."""
    wanted = FindingFilter(open_only=True) if day is None else FindingFilter(on=day)
    judged = last_judged(engine).clock
    if judged is None:
        return []
    findings = [finding_of(row) for row in read_findings(engine, wanted)]
    return call_list(findings, _times(engine), register, day or local_date(judged))


def read_summary(engine: Engine, register: Register, until: datetime | None = None) -> DailySummary | None:
    """The summary of the 24 hours before `until` (now: the last evaluation); None before the first evaluation."""
    judged = last_judged(engine).clock
    if judged is None:
        return None
    until = judged if until is None else min(until, judged)
    findings = [finding_of(row) for row in read_findings(engine, FindingFilter())]
    begin = until - _DAY
    open_then = [found for found in findings if found.opened_at <= until and (found.closed_at is None or found.closed_at > until)]
    facts = read_facts(engine)
    first: dict[UnitId, datetime] = {}
    for (unit_id, _), progress in facts.progress.items():
        first[unit_id] = min(progress.first_event_at, first.get(unit_id, progress.first_event_at))
    started = min(first.values(), default=until)
    new = {unit_id for unit_id, moment in first.items() if max(until - _ONBOARDING, started + _ONBOARDING) < moment <= until}
    return DailySummary(
        until,
        [found for found in findings if begin < found.opened_at <= until],
        [found for found in findings if found.closed_at is not None and begin < found.closed_at <= until],
        open_then,
        call_list(open_then, _times(engine), register, local_date(until)),
        [unit.name_zh for unit in register.units.values() if unit.unit_id in new],
        OurHealth(
            facts.clock,
            judged,
            sum(facts.dead_letters.values()),
            sum(count for (_, reason), count in facts.dead_letters.items() if reason == Reason.UNKNOWN_UNIT),
            sum(facts.missing.values()),
        ),
        register,
    )


def _times(engine: Engine) -> dict[tuple[str, str | None, str | None], int]:
    return {(rule, unit_id or None, feed or None): times for (rule, unit_id, feed), times in count_findings(engine).items()}
