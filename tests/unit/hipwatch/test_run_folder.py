"""A run's folder is for its owner, and tidying up removes nothing but folders of runs."""

from pathlib import Path

import pytest

from hipwatch.local.run_folder import new_run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("HIPWATCH_HOME", str(home))
    return home


def as_if_ended(run: Path) -> Path:
    """The folder under a name whose process is no more."""
    return run.rename(run.with_name(run.name.rpartition("-")[0] + "-999999999"))


def test_what_somebody_else_keeps_beside_the_runs_is_never_removed(home: Path) -> None:
    strangers = [home / "runs" / name for name in ("20010101T000000.000000-replay-999999999", "a-thesis")]
    for stranger in strangers:
        stranger.mkdir(parents=True)
        (stranger / "chapter.txt").write_text("years of work")
    kept = [as_if_ended(new_run("replay")) for _ in range(9)]
    assert all((stranger / "chapter.txt").exists() for stranger in strangers)
    assert [run.exists() for run in kept] == [False] * 4 + [True] * 5


def test_a_link_to_a_run_is_not_followed(home: Path, tmp_path: Path) -> None:
    first = as_if_ended(new_run("replay"))
    elsewhere = first.rename(tmp_path / "moved-away")
    (home / "runs" / "20010101T000000.000000-replay-999999999").symlink_to(elsewhere)
    for _ in range(9):
        as_if_ended(new_run("replay"))
    assert elsewhere.exists()


def test_home_and_runs_are_for_their_owner_alone(home: Path) -> None:
    run = new_run("replay")
    assert [path.stat().st_mode & 0o777 for path in (home, run.parent, run)] == [0o700] * 3
