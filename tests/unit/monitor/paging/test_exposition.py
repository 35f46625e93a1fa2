"""What /metrics answers: made once for what it shows."""

import gzip
import threading
from collections.abc import Iterable, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from monitor.paging.exposition import Exposition, SteadyCollector, exposition


class Steady(SteadyCollector):
    """Shows a list, and counts how often it was asked for its families."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values = [1.0]
        self.collected = 0

    def shown(self) -> Sequence[object]:
        return (self.values,)

    def collect(self) -> Iterable[Metric]:
        self.collected += 1
        yield GaugeMetricFamily(self.name, "What is read at intervals.", value=sum(self.values))


class Moving(Collector):
    """Shows something else each time."""

    times = 0

    def collect(self) -> Iterable[Metric]:
        self.times += 1
        yield GaugeMetricFamily("moving", "What is asked for at each scrape.", value=self.times)


def test_what_shows_the_same_is_made_once_and_the_rest_at_each_scrape() -> None:
    steady, moving = Steady("steady"), Moving()
    metrics = Exposition(moving, steady)
    for number in range(1, 4):
        assert metrics.plain().decode().splitlines()[-1] == f"moving {number}.0"
    assert steady.collected == 1


def test_what_shows_something_else_is_made_anew_and_what_does_not_is_kept() -> None:
    changing, staying = Steady("changing"), Steady("staying")
    metrics = Exposition(changing, staying)
    assert metrics.plain() == exposition(changing, staying)
    changing.values = [1.0, 2.0]
    changing.collected = staying.collected = 0
    assert b"\nchanging 3.0\n" in metrics.plain()
    assert (changing.collected, staying.collected) == (1, 0)


def test_two_that_change_at_once_are_both_made_anew() -> None:
    first, second = Steady("first"), Steady("second")
    metrics = Exposition(first, second)
    metrics.plain()
    first.values, second.values = [5.0], [7.0]
    assert metrics.plain() == exposition(first, second)


def test_packed_is_the_same_text_however_often_it_is_asked_for() -> None:
    steady, moving = Steady("steady"), Moving()
    metrics = Exposition(steady, moving)
    for number in (1, 2):
        assert gzip.decompress(metrics.packed()) == exposition(steady) + b"".join(
            [b"# HELP moving What is asked for at each scrape.\n# TYPE moving gauge\n", b"moving %d.0\n" % number]
        )
    steady.values = [9.0]
    assert b"steady 9.0" in gzip.decompress(metrics.packed())


def test_the_next_scrape_is_prepared_only_if_there_was_one() -> None:
    steady = Steady("steady")
    metrics = Exposition(steady)
    metrics.prepare()
    assert steady.collected == 0, "nobody has asked yet"
    metrics.plain()
    steady.values = [2.0]
    metrics.prepare()
    assert steady.collected == 2
    assert metrics.plain() == exposition(steady)
    steady.collected = 0
    steady.values = [3.0]
    metrics.prepare()
    metrics.prepare()
    steady.values = [4.0]
    metrics.prepare()
    assert steady.collected == 1, "nobody has asked since"


class Slow(Steady):
    """Makes its families no sooner than it is told to."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def collect(self) -> Iterable[Metric]:
        self.begun.set()
        self.go_on.wait()
        return super().collect()


def test_who_asks_while_it_is_made_anew_gets_what_there_was() -> None:
    slow = Slow("slow")
    metrics = Exposition(slow)
    before = metrics.plain()
    slow.begun.clear()
    slow.go_on.clear()
    slow.values = [2.0]
    making = threading.Thread(target=metrics.prepare)
    making.start()
    slow.begun.wait()
    assert metrics.plain() == before
    assert gzip.decompress(metrics.packed()) == before
    slow.go_on.set()
    making.join()
    assert b"slow 2.0" in metrics.plain()
