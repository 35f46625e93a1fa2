"""Findings in a real ledger: made once by whoever moves the moment of judgement, closed by themselves, kept."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import Engine

from monitor.counting.batch import Position
from monitor.counting.feeds import Feed
from monitor.counting.unit_days import Arrivals
from monitor.judgement.find import is_due, judge_units, open_findings, read_city, row_of
from monitor.judgement.finding_keeper import FindingKeeper
from monitor.judgement.findings import Finding
from monitor.judgement.judge import take_snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.rules.verdict import Severity, Text
from monitor.ledger import migrating, versions
from monitor.ledger.append import Ledger, next_offsets
from monitor.ledger.database import make_engine, writing
from monitor.ledger.findings import FindingFilter, count_findings, last_judged, read_findings, write_findings
from monitor.paging.daily_message import DailyMessages
from monitor.paging.receive import record
from monitor.paging.webhook_message import WebhookMessage
from schemas.clock import start_of_day
from schemas.events import CdaDocuments, Event, TableCode
from schemas.register import Register
from tests.factories import HOSPITAL, OTHER_UNIT, UNIT, make_alert, make_batch, make_delivery, make_event

FIRST: Final = date(2024, 9, 2)
TABLES: Final = ("C0002", "C0004", "C0020")
DAY: Final = timedelta(days=1)
LOOK_BACK: Final = timedelta(days=62)
NOON: Final = start_of_day(date(2024, 9, 25)) + timedelta(hours=12)


def uploads(until: date, dead_since: date = date.max) -> Iterator[Event]:
    """Three tables a day of one hospital; one of them dead since `dead_since`."""
    sequence = 0
    for n in range((until - FIRST).days + 1):
        day = FIRST + DAY * n
        for place, table in enumerate(TABLES):
            if table == "C0004" and day >= dead_since:
                continue
            sequence += 1
            yield make_event(
                event_id=f"d{sequence}",
                unit_id=HOSPITAL,
                table_code=TableCode(table),
                business_date=day,
                event_time=start_of_day(day + DAY) + timedelta(hours=2),
                sequence=sequence,
                record_count=300 + (n * 7 + place * 13) % 40,
            )


def advance(ledger: Ledger, engine: Engine, clock: datetime) -> None:
    """Every partition was read to its end, and nothing more came until `clock`."""
    places = [Position(topic_id, partition, offset) for (topic_id, partition), offset in next_offsets(engine).items()]
    ledger.raise_complete_until(places, clock)


def fill(ledger: Ledger, engine: Engine, events: list[Event], clock: datetime) -> None:
    assert ledger.append(make_batch(*events, received_at=clock)).moved
    advance(ledger, engine, clock)


def finding(**overrides: object) -> Finding:
    made = Finding(
        "sudden_drop",
        UNIT,
        "scheduled",
        NOON,
        Severity.TICKET,
        date(2024, 9, 24),
        NOON,
        Text("骤降", "dropped"),
        Text("请核对", "check"),
        {"days": 2, "codes": ["C0002"]},
        900_000_000_000,
        4.5,
    )
    return replace(made, **overrides)  # type: ignore[arg-type]


def test_findings_come_back_as_they_were_kept(engine: Engine) -> None:
    of_city = finding(unit_id=None, feed=None)
    assert write_findings(engine, (None, NOON), [row_of(finding()), row_of(of_city)], [], LOOK_BACK)
    assert open_findings(engine) == [of_city, finding()]
    assert last_judged(engine).clock == NOON


def test_whoever_judged_a_moment_that_has_passed_writes_nothing(engine: Engine) -> None:
    later = NOON + timedelta(hours=1)
    assert write_findings(engine, (None, NOON), [row_of(finding())], [], LOOK_BACK)
    assert not write_findings(engine, (None, later), [row_of(finding(opened_at=later))], [], LOOK_BACK)
    assert open_findings(engine) == [finding()]


def test_a_closed_finding_is_history_and_is_not_changed_again(engine: Engine) -> None:
    later, last = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    write_findings(engine, (None, NOON), [row_of(finding())], [], LOOK_BACK)
    write_findings(engine, (NOON, later), [], [row_of(finding(closed_at=later))], LOOK_BACK)
    write_findings(engine, (later, last), [], [row_of(finding(what=Text("别的", "else")))], LOOK_BACK)
    assert open_findings(engine) == []
    assert open_findings(engine, FindingFilter()) == [finding(closed_at=later)]
    assert count_findings(engine) == {("sudden_drop", UNIT, "scheduled"): 1}


def test_filters(engine: Engine) -> None:
    other = finding(unit_id=OTHER_UNIT, rule="surge", opened_at=NOON + DAY, closed_at=NOON + DAY * 3)
    write_findings(engine, (None, NOON), [row_of(finding()), row_of(other)], [], LOOK_BACK)

    def units(wanted: FindingFilter) -> list[str]:
        return [row.unit_id for row in read_findings(engine, wanted)]

    assert units(FindingFilter(unit_id=OTHER_UNIT)) == [OTHER_UNIT]
    assert units(FindingFilter(rule="sudden_drop")) == [UNIT]
    assert units(FindingFilter(open_only=True)) == [UNIT]
    assert units(FindingFilter(on=date(2024, 9, 25))) == [UNIT]
    assert units(FindingFilter(on=date(2024, 9, 26))) == [UNIT, OTHER_UNIT]
    assert units(FindingFilter(on=date(2024, 9, 24))) == []


def test_dead_table_is_found_kept_and_closed_when_it_comes_back(ledger: Ledger, engine: Engine, register: Register) -> None:
    now = start_of_day(date(2024, 9, 25))
    events = list(uploads(date(2024, 9, 23), dead_since=date(2024, 9, 21)))
    fill(ledger, engine, events, now)
    assert judge_units(engine, register, {})
    (dead,) = [found for found in open_findings(engine) if found.rule == "dead_tables"]
    assert (dead.unit_id, dead.feed, dead.evidence["codes"], dead.since) == (
        HOSPITAL,
        Feed.SCHEDULED,
        ["C0004"],
        date(2024, 9, 21),
    )
    assert judge_units(engine, register, {})
    assert [found.opened_at for found in open_findings(engine) if found.rule == "dead_tables"] == [now]

    back = [event for event in uploads(date(2024, 9, 23)) if isinstance(event, CdaDocuments) and event.table_code == "C0004"]
    missing = [replace(event, sequence=1000 + n, event_id=f"again{n}") for n, event in enumerate(back[-3:])]
    first = len(events)
    ledger.append(make_batch(*missing, first=first, received_at=now))
    later = now + timedelta(hours=2)
    advance(ledger, engine, later)
    assert judge_units(engine, register, {})
    assert [found.closed_at for found in open_findings(engine, FindingFilter(rule="dead_tables"))] == [later]


def test_silence_is_what_the_deadlines_say(ledger: Ledger, engine: Engine, register: Register) -> None:
    now = start_of_day(date(2024, 9, 25))
    fill(ledger, engine, list(uploads(date(2024, 9, 20))), now)
    judge_units(engine, register, {(HOSPITAL, Feed.SCHEDULED): now - DAY})
    (silent,) = [found for found in open_findings(engine) if found.rule == "silent"]
    assert (silent.severity, silent.since) == (Severity.PAGE, date(2024, 9, 24))


@pytest.mark.parametrize("judged_meanwhile", [True, False])
def test_tables_ever_uploaded_outlast_the_look_back(
    ledger: Ledger, engine: Engine, register: Register, judged_meanwhile: bool
) -> None:
    fill(ledger, engine, list(uploads(date(2024, 9, 23))), start_of_day(date(2024, 9, 25)))
    if judged_meanwhile:
        judge_units(engine, register, {})
    advance(ledger, engine, start_of_day(date(2025, 9, 25)))
    city = read_city(engine, register)
    assert city is not None
    (hospital,) = [unit for unit in city.units if unit.unit.unit_id == HOSPITAL]
    assert hospital.ever == frozenset(map(TableCode, TABLES))
    assert not hospital.feeds[Feed.SCHEDULED].days


def test_an_empty_ledger_is_not_judged(engine: Engine, register: Register) -> None:
    assert not judge_units(engine, register, {})
    assert last_judged(engine).clock is None


@pytest.mark.parametrize(
    ("judged", "clock", "due"),
    [
        (None, None, False),
        (None, NOON, True),
        (NOON, NOON, False),
        (NOON, NOON + timedelta(minutes=59), False),
        (NOON, NOON + timedelta(minutes=60), True),
        (NOON - timedelta(hours=4, minutes=1), NOON - timedelta(hours=4), True),
        (start_of_day(date(2024, 9, 25)) - timedelta(minutes=1), start_of_day(date(2024, 9, 25)), True),
    ],
)
def test_units_are_judged_at_the_end_of_a_day_for_the_summary_and_every_hour(
    judged: datetime | None, clock: datetime | None, due: bool
) -> None:
    assert is_due(judged, clock) is due


def test_ledger_of_the_release_before_knows_its_tables(database_url: str) -> None:
    engine = make_engine(database_url)
    with writing(engine) as connection:
        migrating.migrate_to(connection, "0003")
        connection.exec_driver_sql(
            "INSERT INTO upload_day (unit_id, table_code, business_date, events, records) VALUES "
            "('gulou', 'C0002', '2024-01-01', 1, 5), ('gulou', 'C0002', '2024-01-02', 1, 5), "
            "('gulou', 'C0004', '2024-01-02', 1, 0)"
        )
    with writing(engine) as connection:
        versions.upgrade(connection)
        rows = connection.exec_driver_sql("SELECT unit_id, table_code FROM uploaded_table").all()
    assert [tuple(row) for row in rows] == [("gulou", "C0002")]
    engine.dispose()


def test_days_on_which_uploads_were_sent_are_kept_for_the_rules(ledger: Ledger, engine: Engine, register: Register) -> None:
    noon = start_of_day(date(2024, 9, 10)) + timedelta(hours=12)
    fast = noon + timedelta(hours=2)
    first = [
        make_event(sequence=1, event_id="a", event_time=noon, record_count=5),
        make_event(sequence=2, event_id="b", event_time=noon, record_count=0),
        make_event(sequence=3, event_id="c", event_time=fast, record_count=5),
        make_event(sequence=4, event_id="d", event_time=noon - DAY * 3, record_count=7),
    ]
    again = [*first[:1], make_event(sequence=5, event_id="e", event_time=noon, record_count=1)]
    ledger.append(make_batch(*first, received_at=noon))
    ledger.append(make_batch(*again, first=4, received_at=noon))
    advance(ledger, engine, noon + DAY)
    city = read_city(engine, register)
    assert city is not None
    (sender,) = [unit for unit in city.units if unit.unit.unit_id == UNIT]
    on_time, as_of = date(2024, 9, 10), date(2024, 9, 9)
    behind = round((start_of_day(as_of) - (noon - DAY * 3)).total_seconds())
    assert sorted(sender.feeds[Feed.SCHEDULED].arrivals) == [
        Arrivals(as_of, as_of, 1, 7, 0, 0, 1, 0, behind),
        Arrivals(on_time, as_of, 4, 11, 1, 1, 0, 7_200, 0),
    ]


def test_a_clock_that_is_two_hours_fast_is_a_finding_with_its_offset(ledger: Ledger, engine: Engine, register: Register) -> None:
    noon = start_of_day(date(2024, 9, 10)) + timedelta(hours=12)
    fast = [make_event(sequence=n, event_id=f"f{n}", event_time=noon + timedelta(hours=2)) for n in range(1, 5)]
    fill(ledger, engine, list(fast), noon)
    assert judge_units(engine, register, {})
    (clock,) = [found for found in open_findings(engine) if found.rule == "wrong_clock"]
    assert (clock.unit_id, clock.evidence["ahead"], clock.evidence["offset_seconds"]) == (UNIT, 4, 7_200)


def test_the_days_summary_is_said_once_in_the_log_and_is_a_message_for_the_robots(
    ledger: Ledger, engine: Engine, register: Register, caplog: pytest.LogCaptureFixture
) -> None:
    eight = start_of_day(date(2024, 9, 25)) + timedelta(hours=8)
    assert DailyMessages(engine, lambda: register)(eight) is None
    fill(ledger, engine, list(uploads(date(2024, 9, 23), dead_since=date(2024, 9, 21))), eight - timedelta(minutes=1))
    one, other = FindingKeeper(engine, lambda: register), FindingKeeper(engine, lambda: register)
    with caplog.at_level(logging.INFO):
        one.refresh(take_snapshot(engine, register, Rhythms()).status)
        assert not caplog.records
        advance(ledger, engine, eight)
        status = take_snapshot(engine, register, Rhythms()).status
        one.refresh(status)
        other.refresh(status)
    said = [record.getMessage() for record in caplog.records if "部分表停传" in record.getMessage()]
    assert len(said) == 1
    message = DailyMessages(engine, lambda: register)(eight)
    assert message is not None
    assert message.title_zh.startswith("2024-09-25 08:00 日报")
    assert any("部分表停传" in line for line in message.lines_zh)
    assert len(message.lines_zh) == len(message.lines_en)


def test_tickets_that_are_open_stand_in_the_summary_but_that_of_the_findings_themselves(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    eight = start_of_day(date(2024, 9, 25)) + timedelta(hours=8)
    fill(ledger, engine, list(uploads(date(2024, 9, 23), dead_since=date(2024, 9, 21))), eight)
    FindingKeeper(engine, lambda: register).refresh(take_snapshot(engine, register, Rhythms()).status)
    tickets = [("WorkerDown", "ticket", "firing"), ("FindingsOpen", "ticket", "firing"), ("RegisterBroken", "ticket", "resolved")]
    alerts = [
        make_alert(
            fingerprint=name, status=status, labels={"alertname": name, "severity": severity}, annotations={"summary_zh": name}
        )
        for name, severity, status in [*tickets, ("NoWorker", "page", "firing")]
    ]
    record(engine, WebhookMessage.model_validate(make_delivery(*alerts)))
    message = DailyMessages(engine, lambda: register)(eight)
    assert message is not None
    assert [line for line in message.lines_zh if line.startswith("[工单]")] == ["[工单] WorkerDown"]
    more = [make_alert(fingerprint=str(n), labels={"alertname": f"T{n}", "severity": "ticket"}) for n in range(9)]
    record(engine, WebhookMessage.model_validate(make_delivery(*more)))
    crowded = DailyMessages(engine, lambda: register)(eight)
    assert crowded is not None
    assert (crowded.lines_zh[-1], crowded.lines_en[-1]) == ("[工单] 等 10 项", "[ticket] and 2 more")
    assert len(crowded.lines_zh) == len(message.lines_zh) + 8
