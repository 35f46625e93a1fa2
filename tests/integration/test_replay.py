"""`hipwatch replay`: the printed months, cell by cell, and what the ledger says of them afterwards."""

import re

from tests.integration.conftest import Replayed
from tests.integration.ledgers import counters
from tests.integration.prints import printed, reported


def test_january_2020_is_reproduced_in_every_cell(winter: Replayed) -> None:
    assert winter.ended.code == 0, winter.ended.told
    assert winter.ended.last_line == "cells matched 295/295"


def test_september_2024_is_reproduced_in_every_cell_by_three_workers(autumn: Replayed) -> None:
    assert autumn.ended.code == 0, autumn.ended.told
    assert autumn.ended.last_line == "cells matched 408/408"


def test_a_replay_counts_every_event_once_and_leaves_no_hole(winter: Replayed, autumn: Replayed) -> None:
    for replayed in (winter, autumn):
        found = counters(replayed.home.latest_ledger)
        assert f"{found.accepted} messages published and counted" in replayed.ended.out
        assert (found.duplicates, found.skipped, found.open_numbers, found.dead_letters) == (0, 0, 0, {})


def test_a_replay_without_a_terminal_prints_whole_lines_of_progress_and_only_now_and_then(winter: Replayed) -> None:
    lines = winter.ended.err.splitlines()
    assert all(re.fullmatch(r"publishing 2020-01-\d\d \d\d:\d\d: [\d,]+ of 44,316 messages", line) for line in lines), lines
    assert len(lines) <= winter.ended.seconds / 10


def test_a_report_of_the_latest_replay_holds_every_printed_cell(winter: Replayed, autumn: Replayed) -> None:
    for replayed, month in ((winter, "2020-01"), (autumn, "2024-09")):
        report = replayed.home.run("report", month, "--format", "json")
        assert report.code == 0, report.told
        assert str(replayed.home.latest_ledger) in report.err, "says which ledger it read"
        assert reported(report.out, printed(month)) == printed(month)


def test_a_replay_leaves_no_process_behind(winter: Replayed, autumn: Replayed) -> None:
    assert winter.home.processes() == {}
    assert autumn.home.processes() == {}
