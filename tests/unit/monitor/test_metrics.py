import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from monitor.counting.feeds import Feed
from monitor.judgement.judge import Snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.unit_status import FeedCondition, PlatformStatus, UnitStatus, judge
from monitor.ledger.database import make_engine
from monitor.ledger.disk_space import DiskSpace, ledger_disk
from monitor.ledger.snapshot import LedgerFacts, TopicCounts
from monitor.ledger.unknown_senders import UnknownSender
from monitor.paging.disk_metrics import DiskCollector
from monitor.paging.exposition import exposition
from monitor.paging.metrics import SnapshotCollector
from monitor.paging.register_metrics import RegisterCollector
from schemas.codec.reasons import Reason
from schemas.period import Period
from schemas.register import Life, Register
from schemas.register.live import RegisterState
from schemas.topics import EVENT_TOPICS, Topic
from tests.factories import NOON, OTHER_UNIT, UNIT, make_progress

STALL, STALE = timedelta(hours=1), timedelta(minutes=2)
READ_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make_snapshot(register: Register, status: PlatformStatus | None = None, **overrides: Any) -> Snapshot:
    values: dict[str, Any] = {
        "read_at": READ_AT,
        "clock": None,
        "clock_advanced_at": READ_AT - timedelta(minutes=1),
        "progress": {},
        "active_hours": [],
        "topics": {},
        "missing": {},
        "dead_letters": {},
        "watchdog_at": None,
    }
    return Snapshot(LedgerFacts(**{**values, **overrides}), status or judge(register, None, {}, [], Rhythms()), register)


def full_snapshot(register: Register) -> Snapshot:
    marks = {
        (UNIT, Feed.SCHEDULED): make_progress(),
        (UNIT, Feed.REALTIME): make_progress(),
        (OTHER_UNIT, Feed.REALTIME): make_progress(),
    }
    return make_snapshot(
        register,
        status=judge(register, NOON + timedelta(hours=3), marks, [], Rhythms()),
        topics={Topic.CDA_DOCUMENTS: TopicCounts(7, 2)},
        missing={(UNIT, Topic.CDA_DOCUMENTS): 66},
        dead_letters={(Topic.CDA_DOCUMENTS, Reason.TRUNCATED): 3},
        watchdog_at=READ_AT - timedelta(seconds=30),
    )


def test_senders_that_nobody_registered_are_counted_by_the_id_that_they_claim(register: Register) -> None:
    strangers = [UnknownSender(name, count, NOON, NOON) for name, count in (("new-hospital", 5), ("(others)", 3), (UNIT, 1))]
    found = families(make_snapshot(register, unknown_senders=strangers))["hip_unknown_sender_messages"]
    assert values(found) == {("new-hospital",): 5, ("(others)",): 3}, "who is registered by now is no stranger any more"


def test_of_a_unit_that_is_not_active_no_gap_and_no_deadline_is_exported(register: Register) -> None:
    paused = replace(register, units={**register.units, UNIT: replace(register.units[UNIT], status=Life.PAUSED)})
    marks = {(UNIT, Feed.SCHEDULED): make_progress(), (OTHER_UNIT, Feed.SCHEDULED): make_progress()}
    status = judge(paused, NOON, marks, [], Rhythms())
    missing = {(UNIT, Topic.CDA_DOCUMENTS): 66, (OTHER_UNIT, Topic.CDA_DOCUMENTS): 7}
    found = families(make_snapshot(paused, status=status, missing=missing))
    assert values(found["hip_missing_sequences"]) == {(Topic.CDA_DOCUMENTS, OTHER_UNIT): 7}
    deadlines = values(found["hip_feed_deadline_timestamp_seconds"])
    assert ("scheduled", OTHER_UNIT) in deadlines
    assert ("scheduled", UNIT) not in deadlines


def test_the_register_in_use_is_exported(register: Register) -> None:
    state = RegisterState(register, "0123456789ab", READ_AT)
    text = exposition(RegisterCollector(lambda: state)).decode()
    assert 'hip_register_info{digest="0123456789ab"} 1.0' in text
    assert "hip_register_valid 1.0" in text
    assert 'hip_register_units{kind="hospital",status="retired"} 1.0' in text
    assert "hip_register_valid 0.0" in exposition(RegisterCollector(lambda: replace(state, problem="broken"))).decode()


def test_a_feed_is_silent_everywhere_from_nine_of_ten_units_and_from_three_on(register: Register) -> None:
    def share(silent: int, alive: int) -> dict[tuple[str, ...], float]:
        now = NOON + timedelta(hours=3)
        units = [unit.unit_id for unit in register.units_of(Period(2024, 9))][: silent + alive]
        marks = {
            (unit, Feed.REALTIME): make_progress(last_event_at=NOON if number < silent else now)
            for number, unit in enumerate(units)
        }
        status = judge(register, now, marks, [], Rhythms())
        return values(families(make_snapshot(register, status=status))["hip_feed_silent_everywhere_ratio"])

    assert share(silent=9, alive=1) == {("realtime",): 0.9}
    assert share(silent=3, alive=0) == {("realtime",): 1.0}
    assert share(silent=8, alive=1) == share(silent=2, alive=0) == share(silent=0, alive=5) == {}


def test_who_was_silent_before_an_outage_of_all_others_is_not_everybody(register: Register) -> None:
    now = NOON + timedelta(hours=3)
    units = [unit.unit_id for unit in register.units_of(Period(2024, 9))][:10]
    marks = {(unit, Feed.REALTIME): make_progress(last_event_at=NOON) for unit in units}
    status = judge(register, now, marks, [], Rhythms())
    assert status.silent_everywhere == {Feed.REALTIME: 1.0}

    def put_out(unit: UnitStatus) -> UnitStatus:
        feeds = [replace(feed, condition=FeedCondition.IN_OUTAGE, deadline=None) for feed in unit.feeds]
        return replace(unit, feeds=feeds) if unit.unit.unit_id in units[3:] else unit

    assert replace(status, units=[put_out(unit) for unit in status.units]).silent_everywhere == {}


def test_the_room_for_an_sqlite_ledger_is_exported_and_that_of_a_server_is_not(tmp_path: Path) -> None:
    found = ledger_disk(make_engine(f"sqlite:///{tmp_path / 'ledger.db'}"))
    assert found is not None
    assert 0 < found.free < found.size
    text = exposition(DiskCollector(lambda: DiskSpace(4096, 8192))).decode()
    assert "\nhip_ledger_disk_free_bytes 4096.0\n" in text
    assert "\nhip_ledger_disk_size_bytes 8192.0\n" in text
    assert ledger_disk(make_engine("postgresql://hipwatch@db.example/hipwatch")) is None
    assert exposition(DiskCollector(lambda: None)) == b""


def text_of(snapshot: Snapshot | None) -> str:
    return exposition(SnapshotCollector(lambda: snapshot, STALL, STALE)).decode()


def families(snapshot: Snapshot | None) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text_of(snapshot))}


def values(family: Metric) -> dict[tuple[str, ...], float]:
    """By label values, in the order of label names."""
    return {tuple(sample.labels[name] for name in sorted(sample.labels)): sample.value for sample in family.samples}


def test_before_the_first_reading_only_the_limits_are_known() -> None:
    found = families(None)
    assert set(found) == {"hip_build_info", "hip_platform_stall_after_seconds", "hip_snapshot_stale_after_seconds"}
    assert values(found["hip_platform_stall_after_seconds"]) == {(): 3600}
    assert values(found["hip_snapshot_stale_after_seconds"]) == {(): 120}


def test_every_registered_unit_has_its_series_from_the_start(register: Register) -> None:
    found = families(make_snapshot(register))
    pairs = {(feed, unit) for unit in register.units for feed in Feed}
    assert set(values(found["hip_unit_seen"])) == {(unit,) for unit in register.units}
    assert set(values(found["hip_feed_seen"])) == pairs
    assert set(values(found["hip_unit_seen"]).values()) == {0}
    assert set(values(found["hip_feed_seen"]).values()) == {0}
    assert values(found["hip_feed_active"]) == {("scheduled",): 0, ("realtime",): 0}
    info = {sample.labels["unit_id"]: sample.labels for sample in found["hip_unit_info"].samples}
    assert info[UNIT] == {"unit_id": UNIT, "kind": "district", "name_zh": "鼓楼区", "name_en": "Gulou District"}
    assert set(info) == set(register.units)


def test_every_topic_and_reason_is_counted_from_zero(register: Register) -> None:
    found = families(make_snapshot(register))
    assert values(found["hip_dead_letters"]) == {(reason, topic): 0 for topic in EVENT_TOPICS for reason in Reason}
    assert values(found["hip_events"]) == values(found["hip_duplicates"]) == {(topic,): 0 for topic in EVENT_TOPICS}


def test_what_is_not_known_has_no_series(register: Register) -> None:
    found = families(make_snapshot(register))
    for name in ("hip_platform_clock_timestamp_seconds", "hip_watchdog_last_received_timestamp_seconds"):
        assert name not in found
    for name in ("hip_feed_last_event_timestamp_seconds", "hip_feed_deadline_timestamp_seconds", "hip_missing_sequences"):
        assert found[name].samples == []


def test_a_snapshot_is_exported_as_it_is(register: Register) -> None:
    found = families(full_snapshot(register))
    noon = NOON.timestamp()
    assert values(found["hip_platform_clock_timestamp_seconds"]) == {(): noon + 3 * 3600}
    assert values(found["hip_snapshot_timestamp_seconds"]) == {(): READ_AT.timestamp()}
    assert values(found["hip_platform_clock_advanced_timestamp_seconds"]) == {(): READ_AT.timestamp() - 60}
    assert values(found["hip_watchdog_last_received_timestamp_seconds"]) == {(): READ_AT.timestamp() - 30}
    assert values(found["hip_feed_last_event_timestamp_seconds"]) == {
        ("scheduled", UNIT): noon,
        ("realtime", UNIT): noon,
        ("realtime", OTHER_UNIT): noon,
    }
    deadlines = values(found["hip_feed_deadline_timestamp_seconds"])
    assert deadlines["realtime", UNIT] == noon + 2 * 3600
    assert deadlines["scheduled", UNIT] == noon + 36 * 3600
    assert deadlines["scheduled", OTHER_UNIT] == noon + 72 * 3600, "never seen, but the feed is in use"
    assert len(deadlines) == 2 * len(register.units_of(Period(2024, 9))), "of who has retired nothing is expected"
    assert values(found["hip_feed_active"]) == {("scheduled",): 1, ("realtime",): 1}
    assert values(found["hip_unit_seen"])[UNIT,] == 1
    assert values(found["hip_feed_seen"])["scheduled", OTHER_UNIT] == 0
    assert values(found["hip_events"])[Topic.CDA_DOCUMENTS,] == 7
    assert values(found["hip_duplicates"])[Topic.CDA_DOCUMENTS,] == 2
    assert values(found["hip_dead_letters"])[Reason.TRUNCATED, Topic.CDA_DOCUMENTS] == 3
    assert values(found["hip_missing_sequences"]) == {(Topic.CDA_DOCUMENTS, UNIT): 66}


def test_names_and_types_follow_the_rules_of_prometheus(register: Register) -> None:
    for name, family in families(full_snapshot(register)).items():
        assert name.startswith("hip_")
        assert family.documentation.endswith("."), name
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
            assert sample.timestamp is None


def test_no_label_is_empty_or_unbounded(register: Register) -> None:
    allowed: Mapping[str, set[str]] = {
        "unit_id": set(register.units),
        "feed": set(Feed),
        "topic": set(EVENT_TOPICS),
        "reason": set(Reason),
    }
    for family in families(full_snapshot(register)).values():
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert value
                assert value in allowed.get(label, {value}), (family.name, label)


def test_no_series_stands_twice(register: Register) -> None:
    lines = [line.rpartition(" ")[0] for line in text_of(full_snapshot(register)).splitlines() if not line.startswith("#")]
    assert len(lines) == len(set(lines))


def test_a_unit_that_left_the_register_vanishes(register: Register) -> None:
    smaller = replace(register, units={unit_id: unit for unit_id, unit in register.units.items() if unit_id != UNIT})
    assert f'unit_id="{UNIT}"' not in text_of(make_snapshot(smaller))
    assert f'unit_id="{UNIT}"' in text_of(make_snapshot(register))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("known", ["nothing", "no event", "everything"])
def test_promtool_has_no_complaint(known: str, register: Register) -> None:
    snapshot = {"nothing": None, "no event": make_snapshot(register), "everything": full_snapshot(register)}[known]
    check = subprocess.run(["promtool", "check", "metrics"], input=text_of(snapshot), capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")
