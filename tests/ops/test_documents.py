"""What the documents say exists: commands, options, targets, files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hipwatch.cli.main import load_all

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted(path for path in ROOT.rglob("*.md") if not {".venv", "node_modules"} & set(path.parts))
COMMAND: Final = load_all()
OTHERS: Final = frozenset({"CHANGELOG.md"})
"""Tells what was: its commands may be gone."""


def groups(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from groups(inner, (*path, name))


KNOWN: Final = dict(groups(COMMAND))


def documented(text: str) -> Iterator[tuple[str, list[str]]]:
    """Every call of hipwatch in backticks or in a block of code, as words."""
    code = re.findall(r"`([^`\n]+)`", text)
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE):
        if language in ("", "sh", "bash"):
            code += block.replace("\\\n", " ").splitlines()
    for line in code:
        for call in re.findall(r"(?:^|[\s;&|(/])hipwatch ((?!:)[a-z][^#;&]*)", line):
            yield line, call.split()


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.name not in OTHERS], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_documented_command_and_option_exists(path: Path) -> None:
    for line, words in documented(path.read_text(encoding="utf-8")):
        found: tuple[str, ...] = ()
        for word in re.split(r"\|", words[0]) if "|" in words[0] else [words[0]]:
            assert (word,) in KNOWN, f"{line!r}: there is no command {word}"
        found = (words[0].split("|")[0],)
        if len(words) > 1 and getattr(KNOWN[found], "commands", None):
            for word in words[1].split("|"):
                assert not re.fullmatch(r"[a-z][a-z-]+", word) or (*found, word) in KNOWN, f"{line!r}: no command {word}"
            deeper = (*found, words[1].split("|")[0])
            found = deeper if deeper in KNOWN else found
        options = {
            name
            for path, command in KNOWN.items()
            if path[: len(found)] == found
            for p in command.params
            for name in (*p.opts, *p.secondary_opts)
        }
        for option in re.findall(r"--[a-z][a-z-]*", " ".join(words)):
            assert option in options | {"--help"}, f"{line!r}: {' '.join(found)} has no {option}"


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [path[0] for path in KNOWN if len(path) == 1 and f"hipwatch {path[0]}" not in readme]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.name}: {target} is not there"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_that_commands_name_are_there(path: Path) -> None:
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE):
        for named in re.findall(r"(?<![\w./-])(?:ops|docker)/[\w./*-]+", block):
            assert list(ROOT.glob(named)), f"{path.name}: {named} is not there"


def test_the_targets_that_documents_name_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for path in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert path.name in OTHERS or named <= targets, path
