"""The examples of `ops/paging/` as their own programs see them."""

import subprocess
from pathlib import Path

import pytest

from monitor.paging.target import Kind
from monitor.paging.targets_file import read_targets
from tests.ops.tools import OPS, program

EXAMPLES = sorted((OPS / "paging").glob("*.yml"))


def test_the_example_of_targets_has_every_kind_and_reads_with_its_secrets(tmp_path: Path) -> None:
    text = (OPS / "paging" / "targets.toml").read_text(encoding="utf-8")
    (tmp_path / "targets.toml").write_text(text, encoding="utf-8")
    for name in ("dingtalk", "wecom", "feishu", "duty-system"):
        (tmp_path / f"{name}-url").write_text(f"https://{name}.example/robot?key=k")
        (tmp_path / f"{name}-secret").write_text("SEC")
        (tmp_path / f"{name}-token").write_text("TOK")
    targets = read_targets(tmp_path / "targets.toml", {"HIPWATCH_SMTP_PASSWORD": "geheim"})
    assert {target.kind for target in targets} == set(Kind)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_alertmanager_takes_the_example(example: Path) -> None:
    checked = subprocess.run([program("amtool"), "check-config", str(example)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_there_are_examples_of_alertmanager_alone_and_of_both() -> None:
    assert [path.stem for path in EXAMPLES] == ["alertmanager-and-robots", "alertmanager-receivers-only"]
