import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from ingest.player import Progress, play
from ingest.simulator import Faults, Message, events, inject
from schemas.errors import HipwatchError
from schemas.topics import Topic
from tests.unit.ingest.months import SMALL_2024, plan_of

START = datetime(2024, 9, 1, tzinfo=UTC)


class FakeTime:
    """A wall clock that only sleeping moves: the pace is proved exactly, however busy the machine is."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr("ingest.player.time", fake)
    return fake


class FakePublisher:
    """Remembers what it was given and when, and how much of it was flushed."""

    def __init__(self, clock: FakeTime | None = None) -> None:
        self._monotonic = clock.monotonic if clock else time.monotonic
        self.values: list[bytes] = []
        self.moments: list[float] = []
        self.flushed: list[int] = []

    def send(self, topic: Topic, key: bytes, value: bytes) -> None:
        self.values.append(value)
        self.moments.append(self._monotonic())

    def flush(self) -> None:
        self.flushed.append(len(self.values))


def make_messages(*minutes: float) -> list[Message]:
    return [
        Message(Topic.CDA_DOCUMENTS, b"unit", f"{number}".encode(), START + timedelta(minutes=after))
        for number, after in enumerate(minutes)
    ]


def test_everything_is_sent_in_order_and_flushed_at_the_end() -> None:
    publisher, messages = FakePublisher(), list(inject(events(plan_of(SMALL_2024)), Faults(gaps=0.1), 1))
    played = play(messages, publisher)
    assert publisher.values == [message.value for message in messages]
    assert publisher.flushed[-1] == played.sent == len(messages)
    assert played.platform_time == max(message.event_time for message in messages)
    assert not played.stopped


def test_time_lapse_keeps_the_pace_of_the_event_times(clock: FakeTime) -> None:
    publisher = FakePublisher(clock)
    play(make_messages(0, 30, 60, 180), publisher, day_seconds=4.8)  # an hour in 0.2 seconds
    waits = [after - before for before, after in pairwise(publisher.moments)]
    assert waits == pytest.approx([0.1, 0.1, 0.4])


def test_time_lapse_flushes_before_it_enters_the_next_simulated_hour() -> None:
    publisher = FakePublisher()
    play(make_messages(1, 30, 59, 61, 62, 200), publisher, day_seconds=0.01)
    assert publisher.flushed == [0, 3, 5, 6]


def test_messages_before_the_paced_time_go_at_full_speed(clock: FakeTime) -> None:
    publisher = FakePublisher(clock)
    messages = make_messages(-900, -600, 0, 60)
    played = play(messages, publisher, day_seconds=4.8, paced_from=START)
    assert played.seconds == pytest.approx(0.2)


def test_a_late_message_does_not_turn_the_platform_time_back() -> None:
    seen: list[Progress] = []
    played = play(make_messages(0, 120, 30), FakePublisher(), progress=seen.append, day_seconds=0.01, total=3)
    assert played.platform_time == START + timedelta(hours=2)
    assert seen[-1] == Progress(3, START + timedelta(hours=2), 3)


def test_a_stopped_play_ends_with_its_messages_flushed() -> None:
    publisher = FakePublisher()
    played = play(make_messages(0, 1, 2, 3), publisher, stop=lambda: len(publisher.values) == 2)
    assert played.stopped
    assert played.sent == publisher.flushed[-1] == 2


def test_a_play_can_be_stopped_while_it_waits() -> None:
    deadline = time.monotonic() + 0.3
    played = play(make_messages(0, 600), FakePublisher(), day_seconds=86_400, stop=lambda: time.monotonic() > deadline)
    assert played.stopped
    assert (played.sent, played.seconds < 2) == (1, True)


def test_an_empty_play_ends_at_once() -> None:
    played = play([], FakePublisher(), progress=lambda _: pytest.fail("there is nothing to report"))
    assert (played.sent, played.platform_time, played.stopped) == (0, None, False)


def test_an_error_of_the_producer_is_passed_on() -> None:
    class Broken(FakePublisher):
        def send(self, topic: Topic, key: bytes, value: bytes) -> None:
            raise HipwatchError("topic gone")

    with pytest.raises(HipwatchError, match="topic gone"):
        play(make_messages(0), Broken())
