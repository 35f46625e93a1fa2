"""Commands on what is wrong and what to do about it: findings, calls, summary, score, owed, forecast. Shell."""

from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from hipwatch.cli.finding_list import call_lines, finding_lines, forecast_lines, owed_lines, said, score_lines
from hipwatch.cli.options import ReadDatabase, RegisterFolder, RhythmsFile, register_in
from hipwatch.cli.printed import say, say_json
from hipwatch.cli.reports import read_from
from hipwatch.cli.units import UnitOption, unit_in
from monitor.bulletin.render import Language
from monitor.judgement.daily_summary import call_values, finding_values, summary_lines, summary_values
from monitor.judgement.facts import MONTH_SETTLES, CityFacts
from monitor.judgement.find import judge_units, open_findings, read_city
from monitor.judgement.finding_keeper import overdue_feeds
from monitor.judgement.forecast import forecast as forecast_of
from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.rhythms_file import read_rhythms
from monitor.judgement.rules import RANK
from monitor.judgement.rules.evaluation import evaluate
from monitor.judgement.rules.missing_days import owed as owed_parts
from monitor.judgement.score import FORMULA, scores
from monitor.judgement.summary_reader import read_calls, read_summary, summary_moment
from monitor.ledger.database import Engine, open_database
from monitor.ledger.findings import FindingFilter, last_judged
from schemas.clock import start_of_day
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import Register

Lang = Annotated[Language, typer.Option(envvar="HIPWATCH_LANG", help="Language of sentences and names.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]
Day = Annotated[str | None, typer.Option("--date", help="A platform day, YYYY-MM-DD. Without it, now.")]


def findings(
    unit: UnitOption = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only this rule, by name; docs/findings.md lists them.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are still open.")] = False,
    judge: Annotated[bool, typer.Option("--judge", help="Judge now first, as serve does on schedule.")] = False,
    rhythms: RhythmsFile = None,
    lang: Lang = Language.ZH,
    as_json: AsJson = False,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """What is wrong with whom since when: every finding of the rules, opened and closed."""
    register, engine = register_in(register_folder), open_database(read_from(database), create=False)
    if rule is not None and rule not in RANK:
        raise HipwatchError(f"there is no rule '{rule}'; there are {', '.join(RANK)}")
    unit_id = unit_in(register, unit)
    if judge:
        known = _known(rhythms, register)
        judge_units(engine, register, overdue_feeds(take_snapshot(engine, register, known).status), known.calendar)
    _note_unjudged(engine)
    found = open_findings(engine, FindingFilter(unit_id, rule, open_only))
    if as_json:
        say_json([finding_values(finding) for finding in found])
    elif found:
        _print_lines(finding_lines(found, lang))
    else:
        typer.echo("no open finding" if open_only else "no finding")


def calls(
    day: Day = None,
    lang: Lang = Language.ZH,
    as_json: AsJson = False,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """Whom to call, most urgent first: one line a unit, and what to say."""
    register, engine = register_in(register_folder), open_database(read_from(database), create=False)
    _note_unjudged(engine)
    found = read_calls(engine, register, _day(day))
    if as_json:
        say_json([call_values(call) for call in found])
    elif found:
        _print_lines(call_lines(found, lang))
    else:
        typer.echo("nobody has to be called")


def summary(
    day: Day = None,
    lang: Lang = Language.ZH,
    as_json: AsJson = False,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """The day in words: what changed in 24 hours, what is open, who is new, how we are ourselves."""
    register, engine = register_in(register_folder), open_database(read_from(database), create=False)
    of_day = _day(day)
    found = read_summary(engine, register, None if of_day is None else summary_moment(of_day))
    if found is None:
        raise HipwatchError("the units have not been judged yet: serve does it, or hipwatch findings --judge")
    if as_json:
        say_json(summary_values(found))
    else:
        _print_lines([said(line, lang) for line in summary_lines(found)])


def score(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The month, YYYY-MM.")],
    rhythms: RhythmsFile = None,
    lang: Lang = Language.ZH,
    as_json: AsJson = False,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """Every unit's month in one number: timeliness, completeness, consistency; the formula beside it."""
    register, month = register_in(register_folder), Period.parse(period)
    city = _city_of(open_database(read_from(database), create=False), register, _known(rhythms, register), month)
    found = scores(city, evaluate(city).verdicts)
    if as_json:
        say_json({"period": period, "formula": FORMULA._asdict(), "scores": [asdict(one) for one in found]})
        return
    _print_lines([*score_lines(found, register, lang), said(FORMULA, lang)])


def owed(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit's id, or its Chinese or English name.")],
    rhythms: RhythmsFile = None,
    as_json: AsJson = False,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """Which tables and forms a unit owes for which dates, by its own habits and no others."""
    register = register_in(register_folder)
    unit_id = unit_in(register, unit)
    city = _city(open_database(read_from(database), create=False), register, _known(rhythms, register))
    (facts,) = [known for known in city.units if known.unit.unit_id == unit_id]
    found = {feed: owed_parts(of_feed, city) for feed, of_feed in facts.feeds.items()}
    if as_json:
        say_json({feed: {str(day): list(codes) for day, codes in sorted(days.items())} for feed, days in found.items()})
        return
    lines = [line for feed, days in found.items() for line in owed_lines(feed, days)]
    _print_lines(lines or [f"{facts.unit.name_zh} owes nothing"])


def forecast(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The running month, YYYY-MM.")],
    unit: UnitOption = None,
    rhythms: RhythmsFile = None,
    lang: Lang = Language.ZH,
    as_json: AsJson = False,
    database: ReadDatabase = None,
    register_folder: RegisterFolder = None,
) -> None:
    """What the running month will come to, if every unit goes on as it does: days, forms, records."""
    register, month = register_in(register_folder), Period.parse(period)
    city = _city_of(open_database(read_from(database), create=False), register, _known(rhythms, register), month)
    only = unit_in(register, unit)
    chosen = [known for known in city.units if known.seen and only in (None, known.unit.unit_id)]
    found = [forecast_of(known, city, month) for known in chosen]
    if as_json:
        say_json([asdict(one) for one in found])
    else:
        _print_lines(forecast_lines(found, register, lang))


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HipwatchError(f"'{text}' is not a day: write it as YYYY-MM-DD") from None


def _known(rhythms: Path | None, register: Register) -> Rhythms:
    return read_rhythms(rhythms, register) if rhythms else Rhythms()


def _city(engine: Engine, register: Register, known: Rhythms, at: datetime | None = None) -> CityFacts:
    city = read_city(engine, register, calendar=known.calendar, at=at)
    if city is None:
        raise HipwatchError("this ledger has counted nothing yet")
    return city


def _city_of(engine: Engine, register: Register, known: Rhythms, month: Period) -> CityFacts:
    """The city when `month` was settled, or as it is now."""
    settled = start_of_day(month.last + timedelta(days=MONTH_SETTLES))
    city = _city(engine, register, known, settled)
    if city.clock < start_of_day(month.first):
        raise HipwatchError(f"the platform clock has not come to {month} yet")
    return city


def _note_unjudged(engine: Engine) -> None:
    if last_judged(engine).clock is None:
        typer.echo("note: the units have not been judged yet: serve does it, or hipwatch findings --judge", err=True)


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        say(line)
