"""`hipwatch demo`: a month in time-lapse through the whole stack, and no process that outlives it."""

import re
import signal
from pathlib import Path

from tests.integration.stack import Home, Started, end, fetch, program, wait_until

EVERYTHING = ("tansu", "hipwatch serve", "hipwatch worker", "prometheus-alertmanager", "--storage.tsdb.path")
"""What the command lines of broker, page, worker, Alertmanager and Prometheus hold."""


def test_the_alert_for_the_silent_district_comes_in_and_every_cell_matches(home: Home) -> None:
    needs_paging()
    demo = home.run("demo", "--once", "--day-seconds", "1.0")
    assert demo.code == 0, demo.told
    assert "Traceback" not in demo.err
    lines = demo.out.splitlines()
    (arrow,) = [number for number, line in enumerate(lines) if "the alert for 秦淮区 (Qinhuai District) has come in" in line]
    assert re.match(r"2024-09-\d\d \d\d:\d\d  UnitNeverSeen: 秦淮区", lines[arrow - 1])
    assert lines[-3:] == [
        "cells matched 408/408",
        "alert for 秦淮区、东部战区总医院秦淮医疗区: delivered to the webhook",
        "no unit that uploaded on every day was ever reported",
    ]
    assert "MonitorStalled" not in demo.out, "nothing of ours failed"
    listed = home.run("incidents")
    assert listed.out.count("UnitNeverSeen") == demo.out.count("UnitNeverSeen")


def test_without_prometheus_the_demo_says_so_and_does_not_pass(home: Home, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "setpriv").symlink_to(program("setpriv"))
    demo = home.run("demo", "--period", "2020-01", "--once", "--day-seconds", "0.1", settings={"PATH": str(programs)})
    assert demo.code == 1, demo.told
    assert "prometheus and alertmanager are not on PATH" in demo.out
    assert "cells matched 295/295" in demo.out
    assert "not checked, paging is off" in demo.out


def test_ctrl_c_ends_everything_that_a_demo_started(home: Home) -> None:
    demo = started_demo(home)
    demo.signal(signal.SIGINT)
    ended = demo.wait()
    assert home.processes() == {}
    assert ended.code == 130, ended.told
    assert ended.err == "interrupted\n"


def test_sigterm_ends_everything_that_a_demo_started(home: Home) -> None:
    demo = started_demo(home)
    end(demo)
    wait_until(lambda: home.processes() == {}, "nothing runs any more")


def test_a_demo_that_is_killed_takes_everything_with_it(home: Home) -> None:
    program("setpriv")
    demo = started_demo(home)
    demo.signal(signal.SIGKILL)
    assert demo.wait().code == -signal.SIGKILL
    wait_until(lambda: home.processes() == {}, "nothing runs any more")


def started_demo(home: Home) -> Started:
    """A demo in the midst of its month, all its processes up."""
    needs_paging()
    demo = home.start("demo")

    def all_up() -> bool:
        assert demo.runs, demo.err
        commands = list(home.processes().values())
        return all(any(name in command for command in commands) for name in EVERYTHING)

    wait_until(all_up, "broker, page, worker, Prometheus and Alertmanager run")
    page = re.search(r"page +(http://\S+)", demo.out)
    assert page is not None, demo.out
    assert fetch(page[1])[0] == 200
    return demo


def needs_paging() -> None:
    program("prometheus")
    program("prometheus-alertmanager", "alertmanager")
