from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import groupby, islice, pairwise
from random import Random

import pytest

from ingest.scenario import find_scenario, load_scenario
from ingest.simulator import events
from ingest.simulator.rhythm import choose_days
from schemas.bulletin.columns import Form
from schemas.clock import SHANGHAI, local_date
from schemas.codec.decode import decode
from schemas.codec.encode import encode
from schemas.events import CdaDocuments, Declaration, HealthRecords, RealtimeForms
from schemas.topics import TOPIC_OF
from tests.unit.ingest.conftest import PlayedMonth
from tests.unit.ingest.months import DISTRICTS, PERIOD, REGISTER, SMALL_2020, SMALL_2024, make_month, make_row, plan_of

DAY = timedelta(days=1)


def _local(moment: datetime) -> float:
    """Hours after midnight in Shanghai."""
    local = moment.astimezone(SHANGHAI)
    return local.hour + local.minute / 60 + local.second / 3600


def test_the_same_month_gives_the_same_bytes_again() -> None:
    first, second = (b"".join(encode(event) for event in events(plan_of(SMALL_2020))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("change", ["seed", "grain", "period", "figures"])
def test_a_changed_month_is_another_series(change: str) -> None:
    plan = plan_of(SMALL_2024)
    other = {
        "seed": lambda: plan_of(SMALL_2024, seed=2),
        "grain": lambda: plan_of(SMALL_2024, records_per_event=9999),
        "period": lambda: plan_of(SMALL_2024, period=type(PERIOD)(2024, 3)),
        "figures": lambda: plan_of(make_month(Form.Y2024, [make_row(Form.Y2024, scheduled_records=1)])),
    }[change]()
    assert other.series != plan.series
    assert {event.event_id for event in events(plan)}.isdisjoint(event.event_id for event in events(other))


def test_events_come_in_order_and_sequences_have_no_gaps(shipped: PlayedMonth) -> None:
    keys = [(event.event_time, event.unit_id, TOPIC_OF[type(event)], event.sequence) for event in shipped.events]
    assert keys == sorted(keys)
    sequences = defaultdict(list)
    for event in shipped.events:
        sequences[event.unit_id, type(event), event.series].append(event.sequence)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sequences.values())
    assert len({event.event_id for event in shipped.events}) == len(shipped.events) == shipped.plan.expected_events


def test_every_event_survives_the_codec(shipped: PlayedMonth) -> None:
    for event in shipped.events[::50]:
        assert decode(encode(event), TOPIC_OF[type(event)], REGISTER, event.event_time) == event


def test_a_month_at_the_default_grain_is_of_a_size_to_be_played(shipped: PlayedMonth) -> None:
    assert 30_000 < len(shipped.events) < 200_000


def test_batches_are_sent_the_next_night_and_few_are_backfilled(shipped: PlayedMonth) -> None:
    period = shipped.scenario.period
    batches, punctual = set(), set()
    for event in shipped.events:
        if not isinstance(event, CdaDocuments) or event.business_date < period.first:
            continue
        delay = (local_date(event.event_time) - event.business_date).days
        assert 1 <= delay <= 4
        assert 0.5 <= _local(event.event_time) <= 6.5
        batches.add((event.unit_id, event.table_code, event.business_date, delay))
        if delay == 1:
            punctual.add((event.unit_id, event.business_date))
    days = {(unit, day) for unit, dates in shipped.plan.upload_days.items() for day in dates}
    assert punctual == days
    assert 0.01 < sum(delay > 1 for *_, delay in batches) / len(batches) < 0.03
    assert max(event.event_time for event in shipped.events) <= _moment(period.last + DAY, 6.5)


def _moment(day: date, hour: float) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(hours=hour)


def test_one_units_batches_do_not_overlap() -> None:
    sent = [event for event in events(plan_of(SMALL_2024, records_per_event=1)) if isinstance(event, CdaDocuments)]
    for unit in {event.unit_id for event in sent}:
        keys = [(event.table_code, event.business_date) for event in sent if event.unit_id == unit]
        runs = [key for key, _ in groupby(keys)]
        assert len(runs) == len(set(runs))


def test_weekends_are_weaker_and_tables_differ_in_size(shipped: PlayedMonth) -> None:
    per_day: dict[date, int] = defaultdict(int)
    tables: dict[str, int] = defaultdict(int)
    for event in shipped.events:
        if isinstance(event, CdaDocuments) and event.business_date >= shipped.scenario.period.first:
            per_day[event.business_date] += event.record_count
            tables[event.table_code] += event.record_count
    weekend, weekday = ([n for day, n in per_day.items() if (day.weekday() >= 5) is wanted] for wanted in (True, False))
    ratio = sum(weekend) / len(weekend) / (sum(weekday) / len(weekday))
    assert 0.5 < ratio < 0.7
    sizes = sorted(tables.values())
    assert sizes[-1] > 5 * sizes[len(sizes) // 2]


def test_realtime_events_belong_to_their_day_and_pause_at_most_45_minutes_by_day(shipped: PlayedMonth) -> None:
    moments = defaultdict(list)
    for event in shipped.events:
        if isinstance(event, RealtimeForms):
            assert event.business_date == local_date(event.event_time)
            moments[event.unit_id, event.business_date].append(event.event_time)
    days = {(unit, day) for unit, dates in shipped.plan.realtime_days.items() for day in dates}
    assert moments.keys() == days
    for (_, day), times in moments.items():
        by_day = [_moment(day, 6.5), *(time for time in times if _local(time) >= 6.5), _moment(day, 22.5)]
        assert max(after - before for before, after in pairwise(by_day)) <= timedelta(minutes=45)
        night = [_moment(day, 0), *(time for time in times if _local(time) < 6.5), _moment(day, 6.5)]
        assert max(after - before for before, after in pairwise(night)) <= timedelta(hours=3)


def test_most_realtime_forms_come_on_most_days() -> None:
    row = make_row(Form.Y2024, realtime_days=20, realtime_forms_uploaded=9)
    days = defaultdict(set)
    for event in events(plan_of(make_month(Form.Y2024, [row]))):
        assert isinstance(event, RealtimeForms)
        days[event.form_code].add(event.business_date)
    assert len(days) == 9
    assert min(map(len, days.values())) >= 10


@pytest.mark.parametrize("count", range(31))
def test_chosen_days_are_as_many_as_asked_for_and_in_order(count: int) -> None:
    days = [date(2024, 9, 1) + DAY * number for number in range(30)]
    count = min(count, 30)
    for seed in range(30):
        chosen = choose_days(days, count, Random(seed))
        assert len(set(chosen)) == count
        assert chosen == sorted(chosen)


def test_missing_days_come_mostly_in_runs() -> None:
    days = [date(2024, 9, 1) + DAY * number for number in range(30)]
    runs = []
    for seed in range(50):
        missing = sorted(set(days) - set(choose_days(days, 20, Random(seed))))
        runs.append(1 + sum(after - before > DAY for before, after in pairwise(missing)))
    assert sum(runs) / len(runs) < 5


def test_snapshots_grow_daily_to_the_printed_totals_at_each_districts_own_hour(shipped: PlayedMonth) -> None:
    by_unit = defaultdict(list)
    for event in shipped.events:
        if isinstance(event, HealthRecords):
            by_unit[event.unit_id].append(event)
    for snapshots in by_unit.values():
        assert [event.business_date for event in snapshots] == shipped.scenario.period.days
        assert all(local_date(event.event_time) == event.business_date for event in snapshots)
        for name in ("base_total", "hypertension_total", "diabetes_total"):
            totals = [getattr(event, name) for event in snapshots]
            assert totals == sorted(totals)
    hours = sorted(_local(snapshots[0].event_time) for snapshots in by_unit.values())
    assert not hours or (hours[0] >= 8 and hours[-1] < 19 and len({int(hour) for hour in hours}) >= 10)


def test_what_lies_before_the_month_is_sent_on_its_eve() -> None:
    made = list(events(plan_of(SMALL_2020)))
    eve = PERIOD.first - DAY
    earlier = [event for event in made if isinstance(event, CdaDocuments) and event.business_date < PERIOD.first]
    assert len({event.table_code for event in earlier}) == 34
    for event in earlier:
        assert event.business_date == eve - DAY
        assert local_date(event.event_time) == eve
        assert 10 <= _local(event.event_time) <= 18
    declared = [event for event in made if isinstance(event, Declaration)]
    assert len(declared) == 2
    assert all(local_date(event.event_time) == eve and 9 <= _local(event.event_time) < 10 for event in declared)


def test_the_finest_grain_is_one_event_per_document() -> None:
    sent = [event for event in events(plan_of(SMALL_2024, records_per_event=1)) if isinstance(event, CdaDocuments)]
    assert len(sent) == 3900
    assert {event.record_count for event in sent} == {1}


def test_no_event_stands_for_more_documents_than_the_grain(shipped: PlayedMonth) -> None:
    documents = [event.record_count for event in shipped.events if isinstance(event, CdaDocuments)]
    assert max(documents) <= shipped.scenario.records_per_event


def test_a_month_of_millions_of_events_begins_at_once() -> None:
    scenario = load_scenario(find_scenario("2024-09"), REGISTER)
    plan = plan_of(scenario.month, scenario.period, records_per_event=1)
    first = list(islice(events(plan), 1000))
    assert plan.expected_events > 270_000_000
    assert len(first) == 1000


def test_one_units_figures_leave_the_rhythm_of_the_others_alone() -> None:
    rows = [make_row(Form.Y2024, unit, line, scheduled_records=100) for line, unit in enumerate(DISTRICTS[:2], 2)]
    changed = [rows[0], make_row(Form.Y2024, DISTRICTS[1], 3, scheduled_records=101)]
    before, after = (
        [event.event_time for event in events(plan_of(make_month(Form.Y2024, kind))) if event.unit_id == DISTRICTS[0]]
        for kind in (rows, changed)
    )
    assert before == after
