"""The targets in use, while their file changes."""

import logging
from datetime import datetime
from pathlib import Path

import pytest

from monitor.board.pages.notices import targets_notices
from monitor.paging.live_targets import LiveTargets
from schemas.errors import HipwatchError

BROKEN = "[[target]]\nname = 1\n"


def write(folder: Path, *names: str, language: str = "zh") -> Path:
    path = folder / "targets.toml"
    entries = [f'[[target]]\nname = "{name}"\nkind = "dingtalk"\nurl_file = "{name}-url"\n' for name in names]
    path.write_text(f'language = "{language}"\n' + "".join(entries), encoding="utf-8")
    for name in names:
        (folder / f"{name}-url").write_text(f"https://oapi.dingtalk.com/robot/send?access_token={name}")
    return path


def names(live: LiveTargets) -> list[str]:
    return [target.name for target in live.targets]


def test_a_change_is_taken_when_two_looks_have_found_it_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    live = LiveTargets(write(tmp_path, "duty", "night"))
    before = live.state.loaded_at
    write(tmp_path, "duty", "week", language="en")
    live.refresh()
    assert names(live) == ["duty", "night"], "it may be half written"
    live.refresh()
    assert names(live) == ["duty", "week"]
    assert live.state.loaded_at > before
    assert caplog.messages == ["the targets have changed: + week, - night, ~ duty"]
    live.refresh()
    assert len(caplog.messages) == 1


def test_what_was_asked_for_is_taken_at_once(tmp_path: Path) -> None:
    live = LiveTargets(write(tmp_path, "duty"))
    write(tmp_path, "night")
    live.refresh(at_once=True)
    assert names(live) == ["night"]


def test_a_secret_that_changed_in_its_own_file_is_a_change(tmp_path: Path) -> None:
    live = LiveTargets(write(tmp_path, "duty"))
    (tmp_path / "duty-url").write_text("https://oapi.dingtalk.com/robot/send?access_token=renewed")
    live.refresh(at_once=True)
    assert live.targets[0].url.endswith("renewed")


def test_a_broken_file_keeps_the_old_targets_and_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = write(tmp_path, "duty")
    live = LiveTargets(path)
    path.write_text(BROKEN, encoding="utf-8")
    for _ in range(3):
        live.refresh()
    live.refresh(at_once=True)
    assert names(live) == ["duty"]
    assert live.state.problem is not None
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert str(path) in caplog.messages[0]
    assert live.state.problem in targets_notices(live.state.problem)[0]
    write(tmp_path, "duty")
    live.refresh()
    assert live.state.problem is None
    assert targets_notices(live.state.problem) == []
    assert caplog.messages[1:] == ["the targets are again those in use"]


def test_a_file_that_is_gone_is_broken(tmp_path: Path) -> None:
    path = write(tmp_path, "duty")
    live = LiveTargets(path)
    path.unlink()
    live.refresh(at_once=True)
    assert (names(live), live.state.problem) == (["duty"], f"there is no targets file {path}")


def test_a_mended_file_with_another_target_ends_the_problem(tmp_path: Path) -> None:
    path = write(tmp_path, "duty")
    live = LiveTargets(path)
    path.write_text(BROKEN, encoding="utf-8")
    live.refresh(at_once=True)
    write(tmp_path, "night")
    live.refresh(at_once=True)
    assert (names(live), live.state.problem) == (["night"], None)


def test_at_the_start_a_file_has_to_be_whole_and_without_one_there_are_no_targets(tmp_path: Path) -> None:
    path = write(tmp_path, "duty")
    path.write_text(BROKEN, encoding="utf-8")
    with pytest.raises(HipwatchError, match="name"):
        LiveTargets(path)
    live = LiveTargets(None)
    live.refresh(at_once=True)
    assert live.targets == ()
    assert isinstance(live.state.loaded_at, datetime)
