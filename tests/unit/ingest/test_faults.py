from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from random import Random

import pytest

from ingest.simulator import FaultCounts, Faults, Message, events, inject
from ingest.simulator.poison import POISONS
from schemas.bulletin.printed_month import PrintedMonth
from schemas.clock import start_of_day
from schemas.codec.decode import decode
from schemas.codec.encode import encode
from schemas.codec.reasons import DecodeError, Reason
from schemas.events import CdaDocuments, Event, RealtimeForms
from schemas.topics import TOPIC_OF
from tests.unit.ingest.cells import cells_of, printed_cells
from tests.unit.ingest.months import PERIOD, REGISTER, SMALL_2020, SMALL_2024, plan_of

ALL = Faults(duplicates=0.05, reordered=0.04, gaps=0.03, late=0.03, poison=0.02, wrong_clocks=0.5)


def _recount(messages: Iterable[Message]) -> tuple[FaultCounts, list[Event]]:
    """What a reader finds who knows nothing of the faults. He cannot tell a swap from any other gap."""
    found, accepted, arrived = FaultCounts(), [], dict[tuple[str, str], list[int]]()
    seen: dict[str, bytes] = {}
    for message in messages:
        try:
            event = decode(message.value, message.topic, REGISTER, message.event_time)
        except DecodeError as error:
            found.dead_letters[error.reason] += 1
            continue
        assert message.key == event.unit_id.encode()
        if event.event_id in seen:
            assert seen[event.event_id] == message.value
            found.duplicates += 1
            continue
        seen[event.event_id] = message.value
        found.accepted += 1
        accepted.append(event)
        arrived.setdefault((event.unit_id, message.topic), []).append(event.sequence)
    for numbers in arrived.values():
        missing = {number for place, number in enumerate(numbers) if number < max(numbers[:place], default=0)}
        found.gaps_filled += len(missing)
        found.gaps_opened += len(missing) + len(set(range(1, max(numbers) + 1)) - set(numbers))
    return found, accepted


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        ALL,
        Faults(duplicates=1),
        Faults(reordered=1),
        Faults(gaps=1),
        Faults(late=1),
        Faults(poison=1),
        Faults(wrong_clocks=1),
        Faults(duplicates=0.3, reordered=0.3, gaps=0.4, poison=0.5),
    ],
)
@pytest.mark.parametrize("month", [SMALL_2020, SMALL_2024], ids=["2020", "2024"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_counts_are_what_a_reader_finds_and_every_cell_is_still_exact(faults: Faults, month: PrintedMonth, seed: int) -> None:
    plan = plan_of(month, records_per_event=3)
    stream = inject(events(plan), faults, seed)
    found, accepted = _recount(stream)
    found.reordered = stream.counts.reordered
    assert stream.counts == found
    assert found.accepted == plan.expected_events
    assert found.gaps_filled == found.gaps_opened
    assert cells_of(sorted(accepted, key=lambda event: event.event_time), month, PERIOD) == printed_cells(month)


def test_shares_are_about_what_was_asked_for() -> None:
    plan = plan_of(SMALL_2024, records_per_event=1)
    stream = inject(events(plan), ALL, 1)
    messages = sum(1 for _ in stream)
    counts = stream.counts
    assert counts.messages == messages
    assert counts.duplicates / counts.accepted == pytest.approx(0.05, abs=0.01)
    assert counts.reordered / counts.accepted == pytest.approx(0.04, abs=0.01)
    assert counts.dead_letters.total() / counts.accepted == pytest.approx(0.02, abs=0.01)
    assert counts.gaps_opened >= counts.reordered > 0
    assert set(counts.dead_letters) == {
        Reason.NOT_AVRO,
        Reason.TRUNCATED,
        Reason.TRAILING_BYTES,
        Reason.UNKNOWN_UNIT,
        Reason.OUT_OF_RANGE,
    }


def test_without_faults_every_event_is_passed_on_as_it_is() -> None:
    plan = plan_of(SMALL_2020)
    assert [message.value for message in inject(events(plan), Faults(), 1)] == [encode(event) for event in events(plan)]


def test_the_same_seed_makes_the_same_faults_again() -> None:
    first, second, other = (list(inject(events(plan_of(SMALL_2024)), ALL, seed)) for seed in (1, 1, 2))
    assert first == second != other


def test_the_last_event_is_delivered_last() -> None:
    made = list(events(plan_of(SMALL_2024)))
    *_, last = inject(made, Faults(duplicates=0.2, reordered=0.4, gaps=0.4, poison=1), 1)
    assert last.value == encode(made[-1])


def test_a_withheld_event_is_delivered_within_500_events() -> None:
    made = list(events(plan_of(SMALL_2024, records_per_event=1)))
    places = {message.value: place for place, message in enumerate(inject(made, Faults(gaps=0.3), 1))}
    shifts = [places[encode(event)] - place for place, event in enumerate(made)]
    assert 100 < max(shifts) <= 500


def test_a_late_event_is_delivered_within_ten_days_and_some_after_more_than_seven() -> None:
    made = list(events(plan_of(SMALL_2024, records_per_event=1)))
    sent_at = {encode(event): event.event_time for event in made}
    now, delays = made[0].event_time, []
    for message in inject(made, Faults(late=0.2), 1):
        now = max(now, message.event_time)
        delays.append(now - sent_at[message.value])
    assert timedelta(days=7) < max(delays) <= timedelta(days=11)


def test_a_wrong_clock_is_wrong_by_the_same_time_for_all_uploads_of_a_unit_and_paces_nothing() -> None:
    made = {event.event_id: event for event in events(plan_of(SMALL_2024, records_per_event=3))}
    wrong_by: dict[tuple[int, str], set[timedelta]] = {}
    before_its_day: set[bool] = set()
    for seed in range(10):
        for message in inject(made.values(), Faults(wrong_clocks=0.5), seed):
            event = decode(message.value, message.topic, REGISTER, message.event_time)
            truth = made[event.event_id]
            assert message.event_time == truth.event_time
            assert replace(event, event_time=truth.event_time) == truth
            if isinstance(event, CdaDocuments | RealtimeForms):
                before_its_day.add(event.event_time < start_of_day(event.business_date))
                wrong_by.setdefault((seed, event.unit_id), set()).add(event.event_time - truth.event_time)
            else:
                assert event == truth
    assert all(len(of_unit) == 1 for of_unit in wrong_by.values())
    found = set[timedelta]().union(*wrong_by.values())
    assert min(found) < timedelta(days=-1) < timedelta() < timedelta(days=1) < max(found)
    assert timedelta() in found
    assert before_its_day == {False, True}


def test_no_event_makes_no_message() -> None:
    assert list(inject([], ALL, 1)) == []


def test_messages_are_made_only_when_asked_for() -> None:
    taken = Counter[str]()

    def counted() -> Iterable[Event]:
        for event in events(plan_of(SMALL_2024, records_per_event=1)):
            taken["events"] += 1
            yield event

    assert len(list(islice(inject(counted(), ALL, 1), 10))) == 10
    assert taken["events"] < 50


def test_every_poison_is_refused_for_its_reason() -> None:
    kinds = {type(event): event for month in (SMALL_2020, SMALL_2024) for event in events(plan_of(month))}
    assert len(kinds) == 4
    for event in kinds.values():
        for poison in POISONS:
            for seed in range(150):
                reason, value = poison(event, Random(seed))
                with pytest.raises(DecodeError) as refused:
                    decode(value, TOPIC_OF[type(event)], REGISTER, event.event_time)
                assert refused.value.reason == reason
