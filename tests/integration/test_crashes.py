"""Workers that are killed, stopped and woken again: every event still counts exactly once."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.ledgers import counted, counters, is_locked
from tests.integration.prints import copy_of, printed, reported
from tests.integration.stack import Home, Started, end, running, wait_until

PACE = ("--day-seconds", "0.35")
"""A month in eleven seconds: time enough to do something in the midst of it."""
SLOW_PACE = ("--day-seconds", "1")
"""Time enough to start one worker after another."""


def test_a_replay_survives_the_killing_of_its_worker_again_and_again_and_finds_the_one_changed_cell(
    home: Home, tmp_path: Path
) -> None:
    folder = copy_of("2024-09", tmp_path / "changed")
    districts = folder / "collection_districts.csv"
    text = districts.read_text(encoding="utf-8")
    assert text.count("15608125") == 1
    districts.write_text(text.replace("15608125", "15608124"), encoding="utf-8")

    replay = home.start("replay", "2024-09", "--expect", folder, *SLOW_PACE)
    with killing_workers_of(home, times=4, until=100_000) as killed:
        ended = replay.wait()

    assert len(killed) > 1, "the worker was killed again and again while the month was played"
    assert ended.code == 1, ended.told
    assert ended.last_line == "cells matched 407/408", ended.told
    assert "江宁区 (jiangning), scheduled_records" in ended.out
    assert "printed '15608124', counted '15608125'" in ended.out
    assert f"{len(killed)} worker restarts" in ended.out
    found = counters(home.latest_ledger)
    assert (found.duplicates, found.skipped, found.open_numbers, found.dead_letters) == (0, 0, 0, {})


@contextmanager
def killing_workers_of(home: Home, times: int, until: int) -> Iterator[list[int]]:
    """Kill -9 whatever worker runs, each time that the ledger has grown a little, at most so many times.

    Once `until` messages are counted no more are killed: somebody has to come back for the rest.
    """
    killed: list[int] = []
    done = threading.Event()

    def kill() -> None:
        grown = 0
        while len(killed) < times and not done.wait(0.05):
            ledgers = list((home.folder / "home" / "runs").glob("*/ledger.db"))
            passed = counted(ledgers[0]) if ledgers else 0
            if until > passed > grown:
                grown = passed + 4_000
                workers = [pid for pid, command in home.processes().items() if " hipwatch worker " in command]
                for pid in workers:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


def test_a_worker_that_is_killed_and_started_again_counts_exactly(home: Home, broker: str) -> None:
    worker = ("worker", "--bootstrap", broker, "--database", home.database, "--session-timeout", "2")
    with running(home, "simulate", "2020-01", "--bootstrap", broker, *SLOW_PACE) as units:
        passed = 0
        for _ in range(2):
            with running(home, *worker) as first:
                wait_until(lambda: counted(home.ledger) > passed + 1_000, "the worker has counted something")  # noqa: B023
                assert units.runs, "in mid-replay"
                first.signal(signal.SIGKILL)
                assert first.wait().code == -signal.SIGKILL
            passed = counted(home.ledger)
        with running(home, *worker) as last:
            published = units.wait()
            assert published.code == 0, published.told
            sent = int(published.out.split(":")[1].split()[0])
            wait_until(lambda: counted(home.ledger) >= sent, "everything is counted")
            stopped = end(last)

    assert stopped.code == 0, stopped.told
    assert "Traceback" not in stopped.err
    assert counters(home.ledger).accepted == sent
    report = home.run("report", "2020-01", "--format", "json", "--database", home.database)
    assert reported(report.out, printed("2020-01")) == printed("2020-01")


def fall_asleep(worker: Started, ledger: Path) -> None:
    """Freeze it outside of a write: on SQLite, what is frozen within one keeps all others waiting (PostgreSQL ends it)."""
    worker.signal(signal.SIGSTOP)
    while is_locked(ledger):
        worker.signal(signal.SIGCONT)
        time.sleep(0.05)
        worker.signal(signal.SIGSTOP)


def test_a_worker_that_slept_past_its_session_wakes_up_and_counts_nothing_twice(home: Home, broker: str) -> None:
    worker = ("worker", "--bootstrap", broker, "--database", home.database, "--session-timeout", "2")
    with running(home, *worker) as sleeper, running(home, *worker) as other:
        wait_until(lambda: "counting from" in sleeper.err and "counting from" in other.err, "both count")
        with running(home, "simulate", "2020-01", "--bootstrap", broker, *PACE) as units:
            wait_until(lambda: counted(home.ledger) > 500, "they have counted something")
            fall_asleep(sleeper, home.ledger)
            try:
                published = units.wait()
                sent = int(published.out.split(":")[1].split()[0])
                wait_until(lambda: counted(home.ledger) >= sent, "the other one has counted everything alone")
            finally:
                sleeper.signal(signal.SIGCONT)
        assert home.run("simulate", "2020-01", "--bootstrap", broker).code == 0
        wait_until(lambda: counted(home.ledger) >= 2 * sent, "the same month again is counted by both")
        for one in (sleeper, other):
            ended = end(one)
            assert ended.code == 0, ended.told
            assert "Traceback" not in ended.err

    found = counters(home.ledger)
    assert (found.accepted, found.duplicates, found.open_numbers, found.dead_letters) == (sent, sent, 0, {})
    report = home.run("report", "2020-01", "--format", "json", "--database", home.database)
    assert reported(report.out, printed("2020-01")) == printed("2020-01")


def test_a_broker_that_dies_under_a_replay_is_named_and_everything_ends(home: Home) -> None:
    replay = home.start("replay", "2020-01", "--verify", *PACE)

    def brokers() -> list[int]:
        return [pid for pid, command in home.processes().items() if "tansu" in command]

    wait_until(
        lambda: brokers() and any(counted(file) for file in home.folder.glob("home/runs/*/ledger.db")), "events are counted"
    )
    os.kill(brokers()[0], signal.SIGKILL)
    ended = replay.wait()
    assert (ended.code, ended.out) == (1, ""), ended.told
    told = [line for line in ended.err.splitlines() if not line.startswith("publishing ")]  # a slow replay shows its progress
    assert told[0] == "error: broker was ended by SIGKILL"
    assert home.processes() == {}
