"""The judge over a real ledger: what it says survives its restart, and is stored once, on every database."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from hipwatch.cli.main import app
from monitor.counting.batch import Position
from monitor.counting.feeds import Feed
from monitor.judgement.explain import Tongue, explain
from monitor.judgement.judge import Judge, Snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.rhythms_file import read_rhythms
from monitor.judgement.unit_status import FeedCondition, FeedStatus
from monitor.ledger import tables
from monitor.ledger.append import Ledger
from monitor.ledger.flips import read_flips
from monitor.ledger.statements import table_of
from schemas.events import UnitId
from schemas.register import Register
from tests.factories import NOON, OTHER_UNIT, UNIT, make_batch, make_forms

HOUR = timedelta(hours=1)
DAYS = 16


class Sending:
    """Two units that send every hour, one of which can be told to stop; the clock follows them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._first = 0
        self._sequence = {UNIT: 0, OTHER_UNIT: 0}

    def send(self, since: datetime, hours: int, *units: UnitId) -> datetime:
        for moment in (since + n * HOUR for n in range(hours)):
            events = []
            for unit in units:
                self._sequence[unit] += 1
                events.append(make_forms(unit_id=unit, sequence=self._sequence[unit], event_time=moment))
            self._ledger.append(make_batch(*events, first=self._first, received_at=moment))
            self._first += len(events)
        positions = [Position(topic_id, number, at) for (topic_id, number), at in self._ledger.next_offsets().items()]
        self._ledger.raise_complete_until(positions, since + (hours - 1) * HOUR)
        return since + hours * HOUR


def feed_of(snapshot: Snapshot, unit_id: UnitId = UNIT) -> FeedStatus:
    units = (unit for unit in snapshot.status.units if unit.unit.unit_id == unit_id)
    return next(feed for unit in units for feed in unit.feeds if feed.feed is Feed.REALTIME)


def test_an_hourly_unit_is_silent_within_hours_once_its_rhythm_is_known(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    sending = Sending(ledger)
    judge = Judge(engine, register, Rhythms())
    now = sending.send(NOON, DAYS * 24, UNIT, OTHER_UNIT)
    assert feed_of(judge.take_snapshot()).condition is FeedCondition.ON_TIME
    quiet_since = now - HOUR
    now = sending.send(now, 8, OTHER_UNIT)
    found = feed_of(judge.take_snapshot())
    assert found.condition is FeedCondition.SILENT
    assert found.since is not None
    assert quiet_since < found.since < now
    assert feed_of(judge.take_snapshot(), OTHER_UNIT).condition is FeedCondition.ON_TIME
    # in plain words, and without writing anything
    teller = Judge(engine, register, Rhythms(), stores=False)
    status = feed_of(teller.take_snapshot())
    row = teller.row_of(UNIT, Feed.REALTIME)
    in_chinese = explain(register.units[UNIT], status, teller.city, row, Tongue.ZH)
    assert in_chinese[0] == "鼓楼区实时上传：中断。"
    in_english = explain(register.units[UNIT], status, teller.city, row, Tongue.EN)
    assert in_english[0] == "Gulou District, realtime feed: is silent."
    assert any(line.startswith("Overdue since 2024-09-2") for line in in_english)
    assert "on workdays at 0–24 h" in "".join(in_english)
    # one that restarts says the same, and the silence is stored once
    assert feed_of(Judge(engine, register, Rhythms()).take_snapshot()) == found
    stored = read_flips(engine)
    assert [(flip.unit_id, flip.started_at, flip.ended_at) for flip in stored] == [(UNIT, found.since, None)]
    # it comes back
    now = sending.send(now, 2, UNIT, OTHER_UNIT)
    assert feed_of(judge.take_snapshot()).condition is FeedCondition.ON_TIME
    assert feed_of(Judge(engine, register, Rhythms()).take_snapshot()).condition is FeedCondition.ON_TIME
    [flip] = read_flips(engine)
    assert flip.ended_at is not None
    assert now - 3 * HOUR < flip.ended_at <= now


def test_a_month_that_is_played_ends_without_an_outage_of_its_units(ledger: Ledger, engine: Engine, register: Register) -> None:
    sending = Sending(ledger)
    end = sending.send(NOON, DAYS * 24, UNIT, OTHER_UNIT)
    sending.send(end, 8, OTHER_UNIT)
    snapshot = Judge(engine, register, Rhythms(), until=end).take_snapshot()
    assert snapshot.status.clock == end
    assert feed_of(snapshot).condition is FeedCondition.ON_TIME
    assert read_flips(engine) == []


def test_what_is_set_by_hand_is_not_overruled(ledger: Ledger, engine: Engine, register: Register) -> None:
    sending = Sending(ledger)
    now = sending.send(NOON, DAYS * 24, UNIT, OTHER_UNIT)
    sending.send(now, 8, OTHER_UNIT)
    patient = Rhythms(units={UNIT: Rhythms().default.__class__(realtime_quiet=24, service_from=0, service_to=24)})
    assert feed_of(Judge(engine, register, patient).take_snapshot()).condition is FeedCondition.ON_TIME
    assert feed_of(Judge(engine, register, Rhythms()).take_snapshot()).condition is FeedCondition.SILENT


def test_a_rhythm_that_was_frozen_is_judged_by_and_exported_again(
    ledger: Ledger, engine: Engine, register: Register, tmp_path: Path
) -> None:
    sending = Sending(ledger)
    now = sending.send(NOON, DAYS * 24, UNIT, OTHER_UNIT)
    database = engine.url.render_as_string(hide_password=False)
    exported = CliRunner().invoke(app, ["rhythms", "--format", "toml", "--database", database])
    assert exported.exit_code == 0, exported.output
    path = tmp_path / "frozen.toml"
    path.write_text(exported.stdout, encoding="utf-8")
    frozen = read_rhythms(path, register)
    assert set(frozen.weeks) == {(UNIT, Feed.REALTIME), (OTHER_UNIT, Feed.REALTIME)}
    again = CliRunner().invoke(app, ["rhythms", "--rhythms", str(path), "--database", database])
    assert again.stdout == exported.stdout
    assert feed_of(Judge(engine, register, frozen).take_snapshot()).condition is FeedCondition.ON_TIME
    sending.send(now, 8, OTHER_UNIT)
    by_week = feed_of(Judge(engine, register, frozen).take_snapshot())
    learned = feed_of(Judge(engine, register, Rhythms()).take_snapshot())
    assert by_week.condition is learned.condition is FeedCondition.SILENT
    assert by_week.since is not None
    assert learned.since is not None
    assert abs(by_week.since - learned.since) <= HOUR


def test_hours_that_teach_nothing_any_more_are_forgotten(ledger: Ledger, engine: Engine, register: Register) -> None:
    sending = Sending(ledger)
    judge = Judge(engine, register, Rhythms())
    sending.send(NOON, 3, UNIT)
    judge.take_snapshot()
    sending.send(NOON + timedelta(days=140), 3, UNIT)
    judge.take_snapshot()
    hours = table_of(tables.FeedHour)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(hours)).scalar() == 3


def test_a_silence_that_outlasts_every_hour_that_is_kept_has_its_start_after_a_restart_too(
    ledger: Ledger, engine: Engine, register: Register
) -> None:
    sending = Sending(ledger)
    judge = Judge(engine, register, Rhythms())
    ordinary = NOON + timedelta(days=60)  # without a feast: those days are kept for a year
    now = sending.send(ordinary, DAYS * 24, UNIT, OTHER_UNIT)
    sending.send(now, 8, OTHER_UNIT)
    silent = feed_of(judge.take_snapshot())
    assert silent.condition is FeedCondition.SILENT
    later = sending.send(now + timedelta(days=140), 3, OTHER_UNIT)
    assert feed_of(judge.take_snapshot()) == silent
    sending.send(later, 1, OTHER_UNIT)
    assert feed_of(Judge(engine, register, Rhythms()).take_snapshot()) == silent
    [flip] = read_flips(engine, UNIT)
    assert (flip.started_at, flip.ended_at) == (silent.since, None)
