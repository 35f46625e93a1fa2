"""The same month again, half a month and then the whole, two months in one ledger: what has been counted is not counted again."""

import signal
from pathlib import Path

from tests.integration.ledgers import counted, counters, query
from tests.integration.months import NEW, write_month
from tests.integration.prints import cells_in, printed, reported
from tests.integration.stack import Ended, Home, running, wait_until


def published(ended: Ended) -> int:
    assert ended.code == 0, ended.told
    return int(ended.out.split(":")[1].split()[0])


def test_half_a_month_then_the_whole_then_again_and_another_month_all_count_once(home: Home, broker: str, tmp_path: Path) -> None:
    settings = {"HIPWATCH_BOOTSTRAP": broker, "HIPWATCH_DATABASE": home.database, "HIPWATCH_SESSION_TIMEOUT": "2"}

    def report(month: str) -> Ended:
        return home.run("report", month, "--format", "json", settings=settings)

    with running(home, "worker", settings=settings):
        half = home.start("simulate", "2020-01", settings=settings | {"HIPWATCH_DAY_SECONDS": "0.5"})
        wait_until(lambda: counted(home.ledger) > 2_000, "a part of the month is counted")
        half.signal(signal.SIGINT)
        interrupted = half.wait()
        assert (interrupted.code, interrupted.out, interrupted.err) == (130, "", "interrupted\n")

        whole = published(home.run("simulate", "2020-01", settings=settings))
        wait_until(lambda: counters(home.ledger).accepted == whole, "the whole month is counted")
        wait_until(lambda: counters(home.ledger).duplicates > 2_000, "its first part was counted as duplicates")
        wait_until(lambda: counted(home.ledger) == whole + counters(home.ledger).duplicates, "and nothing else")
        part = counters(home.ledger).duplicates
        assert part < whole, "the simulator was stopped half-way"
        assert reported(report("2020-01").out, printed("2020-01")) == printed("2020-01")

        assert published(home.run("simulate", "2020-01", settings=settings)) == whole
        wait_until(lambda: counters(home.ledger).duplicates == part + whole, "everything is a duplicate now")
        assert counters(home.ledger).accepted == whole

        month = write_month(tmp_path / "month", 17, NEW, units=6)
        other = published(home.run("simulate", month.folder, "--period", "2023-02", settings=settings))
        wait_until(lambda: counters(home.ledger).accepted == whole + other, "another month is counted beside it")

    found = counters(home.ledger)
    assert (found.duplicates, found.skipped, found.open_numbers, found.dead_letters) == (part + whole, 0, 0, {})
    assert reported(report("2020-01").out, printed("2020-01")) == printed("2020-01")
    assert reported(report("2023-02").out, cells_in(month.folder)) == cells_in(month.folder)


def test_a_made_up_month_is_set_aside_by_workers_that_were_not_told_to_take_it(home: Home, broker: str, tmp_path: Path) -> None:
    month = write_month(tmp_path / "month", 17, NEW, units=2)
    settings = {"HIPWATCH_BOOTSTRAP": broker, "HIPWATCH_DATABASE": home.database, "HIPWATCH_SESSION_TIMEOUT": "2"}
    with running(home, "worker", settings={**settings, "HIPWATCH_ACCEPT_SIMULATED": None}) as worker:
        sent = published(home.run("simulate", month.folder, "--period", "2023-02", settings=settings))
        wait_until(lambda: counted(home.ledger) == sent, "all of it is read")
        assert worker.runs, "so many dead letters are nobody's failure"
    found = counters(home.ledger)
    assert (found.accepted, found.dead_letters) == (0, {"simulated": sent})
    assert query(home.ledger, "select complete_until, greatest_event_at from platform_clock") == [(None, None)]

    replayed = home.run("dead-letters", "replay", "--database", home.database, "--refuse-simulated")
    assert replayed.code == 1, "nor by the way back"
    assert counters(home.ledger).accepted == 0

    with running(home, "worker", "--accept-simulated", settings={**settings, "HIPWATCH_ACCEPT_SIMULATED": None}):
        assert published(home.run("simulate", month.folder, "--period", "2023-02", settings=settings)) == sent
        wait_until(lambda: counters(home.ledger).accepted == sent, "told, they count it")
