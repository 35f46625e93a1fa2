"""The list of commands, which is shown without importing one."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hipwatch.cli.main import COMMANDS, app, load_command

HEAVY = (
    "sqlalchemy",
    "sqlmodel",
    "fastapi",
    "kafka",
    "fastavro",
    "numpy",
    "pydantic",
    "uvicorn",
    "apscheduler",
    "prometheus_client",
)


def imported_by(*arguments: str) -> set[str]:
    """The packages and modules that a call of hipwatch has imported when it ends."""
    script = (
        "import sys\nfrom hipwatch.cli.main import app\n"
        f"try:\n    app({list(arguments)!r})\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("--help",), ()], ids=["--help", "nothing"])
def test_help_imports_no_room_and_none_of_what_they_need(arguments: tuple[str, ...]) -> None:
    imported = imported_by(*arguments)
    assert not imported & {*HEAVY, "monitor", "ingest", "broker"}


def test_a_report_imports_nothing_of_those_who_count_page_and_serve() -> None:
    imported = imported_by("report", "--help")
    assert "monitor.bulletin" in imported
    clients = {"kafka", "fastavro", "numpy", "uvicorn", "apscheduler", "prometheus_client", "alembic"}
    assert not imported & {*clients, "monitor.paging"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    command = load_command(name)
    assert command.name == name
    assert COMMANDS[name].help == command.help.strip().split("\n\n")[0].replace("\n", " ")


def test_every_command_is_listed_in_order() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    places = [text.index(f" {name} ") for name in COMMANDS]
    assert places == sorted(places)


def test_a_command_is_called_with_its_options() -> None:
    answer = CliRunner().invoke(app, ["worker", "-h"])
    assert answer.exit_code == 0
    assert "--database" in answer.output
    assert CliRunner().invoke(app, ["dead-letters", "list", "--help"]).exit_code == 0
    assert CliRunner().invoke(app, ["nothing-of-ours"]).exit_code == 2
