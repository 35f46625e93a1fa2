"""Rules on the table ladder, required → declared → ever uploaded → this month, and on the forms that never came. Core."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from monitor.counting.feeds import Feed
from monitor.judgement.facts import CityFacts, UnitFacts
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

DECLARED_ONLY, UNDECLARED_TABLES, UNDECLARED = "declared_not_uploaded", "uploaded_not_declared", "never_declared"
FORMS_MISSING = "forms_never_sent"
_TIME: Final = timedelta(days=14)
"""To deliver a table for the first time after declaring it."""
_TICKET_SHARE: Final = 0.7
"""Of the declared tables, or of the eleven forms: with less, somebody is asked."""
_LEAST_DAYS: Final = 7
_DECLARING: Final = 1 / 3
"""Where fewer of the units have declared anything, declaring is not the city's custom."""
_USING: Final = 0.5


def ladder(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """1 declared and never uploaded, 2 uploaded and never declared anything, 3 uploaded beside what was declared."""
    if unit.declared is not None:
        yield from _declared_not_uploaded(unit, city, unit.declared)
        beside = unit.ever - unit.declared
        if beside:
            yield _beside(unit, city, sorted(beside))
    elif unit.ever and _declaring(city):
        yield _undeclared(unit)


def _declared_not_uploaded(unit: UnitFacts, city: CityFacts, declared: frozenset[str]) -> Iterable[Outcome]:
    missing = sorted(declared - unit.ever)
    if not missing or unit.declared_on is None:
        return
    if city.today - unit.declared_on < _TIME:
        yield NotEnoughHistory(DECLARED_ONLY, Feed.SCHEDULED)
        return
    names, done = named_tables(missing, city.register), len(declared) - len(missing)
    yield Verdict(
        DECLARED_ONLY,
        Severity.TICKET if done < _TICKET_SHARE * len(declared) else Severity.SUMMARY,
        unit.declared_on,
        Text(
            f"{unit.unit.name_zh}:申明 {len(declared)} 张表,只上传过 {done} 张;未上传:{names.zh}",
            f"{unit.unit.name_en} has uploaded {done} of {counted(len(declared), 'declared table')}; never: {names.en}",
        ),
        Text(
            f"请上传已申明的表,或更正申明:{names.zh}。",
            f"Please upload what was declared, or correct the declaration: {names.en}.",
        ),
        Feed.SCHEDULED,
        unit.unit.unit_id,
        {"declared": len(declared), "uploaded": done, "codes": missing},
        0,
        2.0 + 2.0 * len(missing) / len(declared),
    )


def _undeclared(unit: UnitFacts) -> Verdict:
    since = min(unit.feeds[Feed.SCHEDULED].own_days, default=unit.feeds[Feed.SCHEDULED].complete_until)
    return Verdict(
        UNDECLARED,
        Severity.SUMMARY,
        since,
        Text(
            f"{unit.unit.name_zh}:未反馈申明,已上传 {len(unit.ever)} 张表",
            f"{unit.unit.name_en} has uploaded {counted(len(unit.ever), 'table')} and never declared any",
        ),
        Text("请补报数据表申明。", "Please declare your tables."),
        Feed.SCHEDULED,
        unit.unit.unit_id,
        {"uploaded": len(unit.ever)},
        0,
        1.0,
    )


def _beside(unit: UnitFacts, city: CityFacts, codes: list[str]) -> Verdict:
    names = named_tables(codes, city.register)
    return Verdict(
        UNDECLARED_TABLES,
        Severity.SUMMARY,
        unit.declared_on or date.min,
        Text(
            f"{unit.unit.name_zh}:上传了 {len(codes)} 张未申明的表:{names.zh}",
            f"{unit.unit.name_en} uploads {counted(len(codes), 'table')} that it did not declare: {names.en}",
        ),
        Text(f"请在申明中补充:{names.zh}。", f"Please add to the declaration: {names.en}."),
        Feed.SCHEDULED,
        unit.unit.unit_id,
        {"codes": codes},
        0,
        1.0,
    )


def _declaring(city: CityFacts) -> bool:
    seen = [unit for unit in city.units if unit.ever]
    return sum(unit.declared is not None for unit in seen) >= _DECLARING * len(seen)


def forms_never_sent(unit: UnitFacts, city: CityFacts) -> Iterable[Outcome]:
    """The realtime feed lives, and some of the required forms did not come all month."""
    month = city.months[unit.unit.unit_id]
    required = [form.code for form in city.register.expected_forms(unit.unit, city.period.last)]
    if not month.realtime_days:
        return
    if len(month.realtime_days) < _LEAST_DAYS:
        yield NotEnoughHistory(FORMS_MISSING, Feed.REALTIME)
        return
    missing = sorted(code for code in required if code not in month.forms)
    users = [other for other in city.months.values() if len(other.forms) >= _USING * len(required)]
    if not missing or len(users) < _USING * sum(1 for other in city.months.values() if other.realtime_days):
        return
    names = named_tables(missing, city.register)
    yield Verdict(
        FORMS_MISSING,
        Severity.TICKET if len(month.forms) < _TICKET_SHARE * len(required) else Severity.SUMMARY,
        city.period.first,
        Text(
            f"{unit.unit.name_zh}:实时表单 {len(month.forms)}/{len(required)},{city.period} 未见:{names.zh}",
            f"{unit.unit.name_en}: {len(month.forms)} of {len(required)} realtime forms in {city.period}; not seen: {names.en}",
        ),
        Text(f"请接入以下实时表单:{names.zh}。", f"Please connect these realtime forms: {names.en}."),
        Feed.REALTIME,
        unit.unit.unit_id,
        {"forms": len(month.forms), "required": len(required), "codes": missing},
        0,
        2.0 + len(missing) / 4,
    )


FAMILY: Final = Family(
    (
        Rule(
            FORMS_MISSING,
            Text("实时表单不全", "Forms never sent"),
            "the realtime feed lives and some of the 11 forms were not seen all month; a ticket below 70 %",
            "7 realtime days",
            Severity.TICKET,
        ),
        Rule(
            DECLARED_ONLY,
            Text("申明未上传", "Declared, never uploaded"),
            "tables were declared two weeks ago and never came; a ticket when less than 70 % ever came",
            "14 days since the declaration",
            Severity.TICKET,
        ),
        Rule(
            UNDECLARED,
            Text("未反馈申明", "Never declared"),
            "the unit uploads, a third of the units have declared, and it never has",
            "none",
            Severity.SUMMARY,
        ),
        Rule(
            UNDECLARED_TABLES,
            Text("未申明的表", "Uploaded, not declared"),
            "tables are uploaded that the last declaration does not name",
            "none",
            Severity.SUMMARY,
        ),
    ),
    (forms_never_sent, ladder),
)
