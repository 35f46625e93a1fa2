"""What takes long is done less often, and what is quick each time."""

import pytest

from monitor.app.spared import spared


class Work:
    """A job that takes `seconds` of a clock that only it and the test move, and of a core so many as `cpu`."""

    def __init__(self, seconds: float, cpu: float) -> None:
        self.seconds = seconds
        self.cpu = cpu
        self.now = 100.0
        self.cpu_now = 7.0
        self.done: list[float] = []

    def __call__(self) -> None:
        self.done.append(self.now)
        self.now += self.seconds
        self.cpu_now += self.cpu

    def called_each_second(self, times: int) -> list[float]:
        """When it was done, in seconds since the first call, if it is called each second or as soon as it has ended."""
        job = spared(self, lambda: self.now, lambda: self.cpu_now)
        for _ in range(times):
            due = self.now + 1
            job()
            self.now = max(self.now, due)
        return [at - 100 for at in self.done]


@pytest.mark.parametrize(
    ("seconds", "cpu", "done"),
    [
        (0.25, 0.25, [0, 1, 2, 3, 4]),
        (0.75, 0.75, [0, 3]),  # in peace for 2.25 seconds
        (0.5, 0.1, [0, 1, 2, 3, 4]),  # it waited for a database, or for a core
        (0.9, 0.1, [0, 2, 4]),  # in peace for as long as it took
        (40, 40, [0, 55]),  # at most a quarter of a minute
        (40, 1, [0, 55]),
    ],
)
def test_a_job_takes_a_quarter_of_a_core_and_half_of_the_time(seconds: float, cpu: float, done: list[float]) -> None:
    work = Work(seconds, cpu)
    assert work.called_each_second(5 if seconds < 1 else 17) == done


def test_a_job_that_fails_rests_as_well() -> None:
    now, calls = 0.0, 0

    def fail() -> None:
        nonlocal now, calls
        calls += 1
        now += 2
        raise OSError("away")

    job = spared(fail, lambda: now, lambda: now)
    with pytest.raises(OSError, match="away"):
        job()
    job()
    assert calls == 1
    now += 6
    with pytest.raises(OSError, match="away"):
        job()
