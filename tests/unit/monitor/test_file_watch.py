import os
import signal
import threading
from pathlib import Path

import pytest

from monitor.file_watch import watching
from schemas.register.live import LiveRegister
from tests.contract.until import until
from tests.registers import change_unit, copy_shipped


class Watched(LiveRegister):
    """A register that says how it was looked at."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.looks: list[bool] = []

    def refresh(self, *, at_once: bool = False) -> None:
        self.looks.append(at_once)
        super().refresh(at_once=at_once)


@pytest.fixture
def live(tmp_path: Path) -> Watched:
    return Watched(copy_shipped(tmp_path / "city"))


def test_a_changed_register_is_taken_by_itself(live: Watched, tmp_path: Path) -> None:
    with watching(live, every=0.02):
        change_unit(tmp_path / "city", "new-hospital", kind="hospital", name_zh="新医院")
        until(lambda: "new-hospital" in live)
    assert not any(live.looks)


def test_sighup_takes_it_at_once_and_the_handler_of_before_comes_back(live: Watched, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGHUP)
    with watching(live, every=3600):
        change_unit(tmp_path / "city", "new-hospital", kind="hospital", name_zh="新医院")
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: "new-hospital" in live)
    assert live.looks == [True]
    assert signal.getsignal(signal.SIGHUP) == before


def test_it_ends_with_its_block_and_works_in_any_thread(live: Watched) -> None:
    def watch() -> None:
        with watching(live, every=3600):
            pass

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert not any(found.name == "file-watch" for found in threading.enumerate())
