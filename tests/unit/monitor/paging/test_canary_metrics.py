"""The canary as metrics: how long its latest event took, until it was counted and until it was read."""

from datetime import datetime, timedelta

from monitor.counting.canaries import CanaryCounts
from monitor.ledger.canaries import CanaryArrival
from monitor.paging.canary_metrics import CanaryCollector, CanaryWatch
from tests.factories import NOON

SECOND = timedelta(seconds=1)


def arrival(partition: int, at: datetime, took: int, **counts: int) -> CanaryArrival:
    return CanaryArrival("cda-documents", partition, CanaryCounts("run", 1, at, **counts), at + took * SECOND)


def exported(watch: CanaryWatch, since: datetime | None = None) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("hip_canary_"), *sample.labels.values()): sample.value
        for family in CanaryCollector(watch, since).collect()
        for sample in family.samples
    }


def test_where_no_canary_is_expected_or_heard_there_is_nothing() -> None:
    watch = CanaryWatch()
    watch.look((), NOON)
    assert exported(watch) == {}
    assert exported(watch, NOON) == {("expected_since_timestamp_seconds",): NOON.timestamp()}


def test_the_slowest_partition_is_the_delay_of_a_topic_and_numbers_are_added_up() -> None:
    watch = CanaryWatch()
    watch.look((), NOON)
    found = [arrival(0, NOON, 1, events=5, missing=1), arrival(1, NOON + SECOND, 2, events=4, duplicates=2)]
    watch.look(found, NOON + 4 * SECOND)
    assert exported(watch) == {
        ("last_event_timestamp_seconds", "cda-documents", "0"): NOON.timestamp(),
        ("last_event_timestamp_seconds", "cda-documents", "1"): NOON.timestamp() + 1,
        ("events_total", "counted"): 9,
        ("events_total", "duplicate"): 2,
        ("events_total", "missing"): 1,
        ("delay_seconds", "cda-documents", "ledger"): 2,
        ("delay_seconds", "cda-documents", "serve"): 4,
    }


def test_the_delay_stays_what_it_was_until_the_next_event() -> None:
    watch = CanaryWatch()
    watch.look((), NOON)
    for seconds in (3, 30):
        watch.look([arrival(0, NOON, 1)], NOON + seconds * SECOND)
    assert exported(watch)["delay_seconds", "cda-documents", "serve"] == 3
    watch.look([arrival(0, NOON + 60 * SECOND, 1)], NOON + 62 * SECOND)
    assert exported(watch)["delay_seconds", "cda-documents", "serve"] == 2


def test_what_waited_for_us_to_start_is_not_called_late() -> None:
    watch = CanaryWatch()
    watch.look([arrival(0, NOON, 1)], NOON + timedelta(hours=1))
    assert ("delay_seconds", "cda-documents", "serve") not in exported(watch)
    assert exported(watch)["delay_seconds", "cda-documents", "ledger"] == 1
