"""A past month as OpenMetrics: each day's samples are what the month was when that day had been counted. On every database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import Engine

from hipwatch.cli.main import load_command
from ingest.scenario import find_scenario, load_scenario
from monitor.bulletin.build import build_bulletin, listed_units
from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.ledger.append import Ledger
from monitor.ledger.flips import store_flips
from monitor.ledger.month import MonthFacts, read_month
from monitor.ledger.tables import Flip
from monitor.paging.metrics import SnapshotCollector
from monitor.paging.month_history import month_history
from monitor.paging.month_metrics import MonthCollector
from schemas.bulletin.columns import Absent
from schemas.clock import start_of_day
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import Register
from schemas.topics import TOPIC_OF
from tests.contract.test_bulletin import LONG_AFTER
from tests.contract.test_reading import advance
from tests.factories import (
    HOSPITAL,
    NOON,
    OTHER_UNIT,
    TOPIC_IDS,
    UNIT,
    make_batch,
    make_declaration,
    make_event,
    make_forms,
    make_health_records,
)
from tests.played_months import play

SEPTEMBER, JANUARY = Period(2024, 9), Period(2020, 1)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
Key = tuple[str, tuple[tuple[str, str], ...]]
"""A series: its name, and its labels in order."""
PRINTED = {
    "tables_required": "tables_required",
    "tables_declared": "tables_declared",
    "tables_ever_uploaded": "tables_uploaded",
    "records": "records_uploaded",
    "upload_days": "upload_days",
    "outpatient_visits": "outpatient_visits",
    "discharges": "discharges",
    "health_records base": "health_records_base",
    "health_records hypertension": "health_records_hypertension",
    "health_records diabetes": "health_records_diabetes",
    "realtime_days": "realtime_days",
    "realtime_forms": "realtime_forms_uploaded",
    "revenue_yuan outpatient": "outpatient_revenue_kcny",
    "revenue_yuan inpatient": "inpatient_revenue_kcny",
}
"""The bulletin's columns, by the metric's name and its further label."""


def text_of(engine: Engine, register: Register, period: Period = SEPTEMBER) -> str:
    units = listed_units(read_month(engine, period), register)
    return "".join(month_history(engine, register, period, units))


def parsed(text: str) -> Iterable[Metric]:
    families: Iterable[Metric] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return families


def key_of(sample: Any) -> Key:
    return sample.name, tuple(sorted(sample.labels.items()))


def history(engine: Engine, register: Register, period: Period = SEPTEMBER) -> dict[datetime, dict[Key, float]]:
    """What is told of each moment, as prometheus_client reads it back."""
    told: dict[datetime, dict[Key, float]] = {}
    for family in parsed(text_of(engine, register, period)):
        for sample in family.samples:
            moment = start_of_day(date(1970, 1, 1)) + timedelta(hours=8, seconds=float(sample.timestamp or 0))
            told.setdefault(moment, {})[key_of(sample)] = sample.value
    return told


def append(ledger: Ledger, *uploads: Any) -> None:
    """Each is the first of a series of its own."""
    for upload in uploads:
        first = ledger.next_offsets()[TOPIC_IDS[TOPIC_OF[type(upload)]], 0]
        named = replace(upload, event_id=f"{first}", series=f"{first}")
        assert ledger.append(make_batch(named, first=first, received_at=LONG_AFTER)).accepted == 1


def day_by_day() -> Iterator[tuple[date, Sequence[Any]]]:
    """Business dates, and what is sent for them on the same day."""
    first, third, fifth = (date(2024, 9, day) for day in (1, 3, 5))
    yield (
        first,
        [
            make_event(business_date=first, table_code="C0001", record_count=5),
            make_event(business_date=first, table_code="C0002", record_count=0),
            make_event(business_date=date(2024, 8, 31), table_code="C0009"),
            make_health_records(business_date=first, base_total=900, hypertension_total=3),
        ],
    )
    yield (
        third,
        [
            make_event(business_date=third, table_code="C0001", outpatient_visits=0, outpatient_revenue_cents=123_45),
            make_event(business_date=third, table_code="C0002", record_count=7),
            make_event(unit_id=HOSPITAL, business_date=third, discharges=2, inpatient_revenue_cents=2**62 + 1),
            make_forms(business_date=third),
            make_declaration(table_codes=("C0001", "C0002"), event_time=at_noon(third)),
            make_health_records(business_date=third, base_total=950, hypertension_total=None),
        ],
    )
    yield (
        fifth,
        [
            make_event(unit_id=HOSPITAL, business_date=fifth, inpatient_revenue_cents=2**62 + 1),
            make_forms(business_date=fifth, unit_id=OTHER_UNIT),
            make_declaration(table_codes=("C0001",), event_time=at_noon(fifth)),
        ],
    )


def exposed(facts: MonthFacts, register: Register) -> Iterable[Metric]:
    """What `/metrics` says of a running month."""
    return MonthCollector(lambda: facts, lambda: register).collect()


def at_noon(day: date) -> datetime:
    return start_of_day(day) + timedelta(hours=12)


def test_each_day_is_the_month_as_it_was_when_that_day_had_been_counted(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    then: dict[date, dict[Key, float]] = {}
    for day, uploads in day_by_day():
        append(ledger, *(replace(upload, event_time=at_noon(day)) for upload in uploads))
        listed = {unit.unit_id for unit in listed_units(read_month(engine, SEPTEMBER), register)}
        facts = read_month(engine, SEPTEMBER)
        samples = [sample for family in exposed(facts, register) for sample in family.samples]
        then[day] = {key_of(s): s.value for s in samples if s.labels.get("unit_id") in listed | {None}}
    advance(ledger, start_of_day(date(2024, 9, 6)))
    told = history(engine, register)
    for day, expected in then.items():
        for told_on in (day, day + timedelta(days=1)):
            moment = start_of_day(told_on + timedelta(days=1)) - SECOND
            if told_on == date(2024, 9, 6):
                moment = start_of_day(told_on)  # the platform clock has come no further
            found = {key: value for key, value in told[moment].items() if key[0].startswith(("hip_unit_month_", "hip_month"))}
            assert found == expected, told_on
    assert len(told) == 6
    assert max(told) == start_of_day(date(2024, 9, 6))


@pytest.mark.parametrize("period", [JANUARY, SEPTEMBER], ids=str)
def test_the_last_day_of_a_played_month_is_the_report(ledger: Ledger, engine: Engine, register: Register, period: Period) -> None:
    scenario = load_scenario(find_scenario(str(period)), register)
    of_kind = [[unit.unit_id for unit in register.units_of(period) if unit.kind is kind] for kind in register.kinds]
    play(ledger, scenario, register, [unit_id for unit_ids in of_kind for unit_id in unit_ids[:3]])
    advance(ledger, start_of_day(period.next().first) + timedelta(hours=5))
    bulletin = build_bulletin(read_month(engine, period), register)
    told = history(engine, register, period)
    assert [moment + SECOND for moment in sorted(told)] == [start_of_day(day + timedelta(days=1)) for day in period.days]
    last = told[max(told)]
    compared = 0
    for rows in bulletin.rows.values():
        for row in rows:
            for metric, column in PRINTED.items():
                name, _, label = metric.partition(" ")
                further = {"source": label} if name == "revenue_yuan" else {"sort": label} if label else {}
                labels = tuple(sorted({"unit_id": str(row.unit_id), **further}.items()))
                cell, value = row.cells[column], last.get((f"hip_unit_month_{name}", labels))
                if isinstance(cell, Absent) or (cell == 0 and column in ("outpatient_visits", "discharges") and value is None):
                    assert value is None, (row.unit_id, metric)
                else:
                    thousands = 1000 if name == "revenue_yuan" else 1
                    assert value == pytest.approx(float(cell) * thousands, rel=1e-12), (row.unit_id, metric)
                    compared += value != 0
    assert compared > 50
    assert {key[1] for key in last if key[0] == "hip_unit_info"} == {
        (("kind", unit.kind), ("name_en", unit.name_en), ("name_zh", unit.name_zh), ("unit_id", unit.unit_id))
        for unit in register.units_of(period)
    }


def test_who_was_seen_and_who_was_silent_on_which_day(ledger: Ledger, engine: Engine, register: Register) -> None:
    second = date(2024, 9, 2)
    append(ledger, make_forms(business_date=second, event_time=at_noon(second)), make_event(unit_id=HOSPITAL))
    advance(ledger, at_noon(date(2024, 9, 11)))
    began, ended = at_noon(date(2024, 9, 4)), at_noon(date(2024, 9, 8))
    over = Flip(unit_id=UNIT, feed="realtime", quiet_since=at_noon(date(2024, 9, 2)), started_at=began, ended_at=ended)
    still = over.model_copy(update={"unit_id": HOSPITAL, "started_at": ended, "ended_at": None})
    before = over.model_copy(update={"unit_id": OTHER_UNIT, "started_at": NOON - 60 * DAY, "ended_at": NOON - 50 * DAY})
    store_flips(engine, [over, still, before], [])
    told = history(engine, register)
    moments = sorted(told)

    def values(name: str, **labels: str) -> list[float | None]:
        return [told[moment].get((name, tuple(sorted(labels.items())))) for moment in moments]

    def silent(name: str, unit_id: str) -> list[float | None]:
        return values(name, unit_id=unit_id, feed="realtime", condition="silent")

    assert silent("hip_feed_condition", UNIT) == [*[None] * 3, *[1] * 4, *[None] * 4]
    assert silent("hip_feed_condition", HOSPITAL) == [*[None] * 7, *[1] * 4]
    since = "hip_feed_condition_since_timestamp_seconds"
    assert silent(since, UNIT) == [*[None] * 3, *[began.timestamp()] * 4, *[None] * 4]
    assert silent(since, OTHER_UNIT) == [None] * 11
    assert values("hip_unit_seen", unit_id=UNIT) == [0, *[1] * 10]
    assert values("hip_unit_seen", unit_id=OTHER_UNIT) == [0] * 11
    assert values("hip_feed_seen", unit_id=UNIT, feed="scheduled") == [0] * 11
    assert values("hip_platform_clock_timestamp_seconds") == [moment.timestamp() for moment in moments]
    assert moments[-1] == at_noon(date(2024, 9, 11)), "of the running day it is told at the platform clock"


def test_the_order_is_what_the_format_demands(ledger: Ledger, engine: Engine, register: Register) -> None:
    for _, uploads in day_by_day():
        append(ledger, *uploads)
    advance(ledger, start_of_day(date(2024, 9, 20)))
    text = text_of(engine, register)
    assert text.endswith("\n# EOF\n")
    assert text.count("# EOF") == 1
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    families: list[str] = []
    series: list[str] = []
    for line in lines:
        before = line.rsplit(" ", 2)[0]
        if not series or series[-1] != before:
            series.append(before)
        if not families or families[-1] != before.partition("{")[0]:
            families.append(before.partition("{")[0])
    assert len(series) == len(set(series)), "the samples of a series stand together"
    assert len(families) == len(set(families)), "the series of a family stand together"
    assert [line[7:].split()[0] for line in text.splitlines() if line.startswith("# TYPE")] == families
    times = [(line.rsplit(" ", 2)[0], int(line.rsplit(" ", 1)[1])) for line in lines]
    assert all(one[0] != other[0] or one[1] < other[1] for one, other in pairwise(times))


def test_names_labels_and_help_are_those_of_the_running_month(ledger: Ledger, engine: Engine, register: Register) -> None:
    for _, uploads in day_by_day():
        append(ledger, *uploads)
    advance(ledger, NOON)
    snapshot, month = take_snapshot(engine, register, Rhythms()), read_month(engine, SEPTEMBER)
    collectors = (
        SnapshotCollector(lambda: snapshot, timedelta(hours=1), timedelta(minutes=2)),
        MonthCollector(lambda: month, lambda: register),
    )
    live = {
        family.name: (family.type, family.documentation, {frozenset(sample.labels) for sample in family.samples})
        for collector in collectors
        for family in collector.collect()
    }
    for family in parsed(text_of(engine, register)):
        kind, told, labels = live[family.name]
        assert (family.type, family.documentation) == (kind, told)
        assert {frozenset(sample.labels) for sample in family.samples} <= labels


def test_a_month_that_the_clock_has_not_come_to_has_no_day(ledger: Ledger, engine: Engine, register: Register) -> None:
    append(ledger, make_event(business_date=date(2024, 9, 1)))
    with pytest.raises(HipwatchError, match="the platform clock has not come to 2024-09 yet"):
        text_of(engine, register)


def test_the_command_writes_a_file(
    database_url: str, ledger: Ledger, engine: Engine, register: Register, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    append(ledger, make_event())
    advance(ledger, NOON)
    options = ["--database", database_url, "--period"]
    load_command("history").main([*options, "2024-09", "--out", str(tmp_path / "month.txt")], standalone_mode=False)
    expected = text_of(engine, register)
    assert (tmp_path / "month.txt").read_text(encoding="utf-8") == expected
    assert capsys.readouterr().out == ""
    load_command("history").main([*options, "2024-09"], standalone_mode=False)
    assert capsys.readouterr().out == expected
    with pytest.raises(HipwatchError, match="holds no event of 2031-01"):
        load_command("history").main([*options, "2031-01"], standalone_mode=False)
    with pytest.raises(HipwatchError, match="cannot be written"):
        load_command("history").main([*options, "2024-09", "--out", str(tmp_path / "no" / "month")], standalone_mode=False)
