"""What commands print: escaped, in columns or as JSON; units by any name; a month that holds nothing."""

import json
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import text
from typer.testing import CliRunner

from hipwatch.cli.main import COMMANDS, app
from hipwatch.cli.units import unit_in
from hipwatch.local import progress
from hipwatch.local.progress import progress_bar
from monitor.bulletin.build import build_bulletin
from monitor.bulletin.compare import compare
from monitor.counting.batch import Position
from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database, writing
from monitor.ledger.month import read_month
from schemas.bulletin.report_csv import read_report_csv
from schemas.codec.reasons import Reason
from schemas.errors import HipwatchError
from schemas.period import Period
from schemas.register import Register
from tests.conftest import prepare
from tests.factories import HOSPITAL, NOON, OTHER_UNIT, UNIT, UNITS, make_batch, make_event, make_forms, make_letter

FORGED = "a\x1b[2J\nqinhuai  re-send 1–9\u202e"
SEPTEMBER = Period(2024, 9)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A ledger with a gap, a dead letter and, as 0.1.0 took it, a series that is free text."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    engine = open_database(url, create=True)
    ledger = prepare(Ledger(engine, UNITS))
    events = [
        make_event(sequence=2, outpatient_revenue_cents=123_456_789),
        make_event(sequence=1, unit_id=HOSPITAL, outpatient_visits=3, outpatient_revenue_cents=100_000),
    ]
    ledger.append(make_batch(*events, dead_letters=[make_letter(offset=2, detail=FORGED, reason=Reason.NOT_AVRO)]))
    ledger.append(make_batch(make_forms()))
    offsets = ledger.next_offsets().items()
    ledger.raise_complete_until([Position(topic_id, number, at) for (topic_id, number), at in offsets], NOON)
    with writing(engine) as connection:
        for table in ("stream_state", "open_gap", "receipt_run"):
            connection.execute(
                text(f"UPDATE {table} SET series = :series WHERE unit_id = :unit"), {"series": FORGED, "unit": UNIT}
            )
    engine.dispose()
    return url


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, HipwatchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("command", [("gaps", "--counts"), ("gaps",), ("dead-letters", "list")], ids=" ".join)
def test_nothing_of_a_sender_reaches_the_terminal_as_it_is(database: str, command: tuple[str, ...]) -> None:
    shown = run(*command, "--database", database)
    assert r"a\x1b[2J\x0aqinhuai" in shown
    assert not {"\x1b", "\u202e"} & set(shown)
    document = run(*command, "--json", "--database", database)
    assert not {"\x1b", "\u202e"} & set(document)
    assert FORGED in walk(json.loads(document))


def walk(value: object) -> list[str]:
    """Every text of a JSON document."""
    if isinstance(value, dict):
        return [found for part in value.values() for found in walk(part)]
    if isinstance(value, list):
        return [found for part in value for found in walk(part)]
    return [value] if isinstance(value, str) else []


def test_every_command_that_ends_and_tells_can_tell_it_as_json(database: str) -> None:
    at = ("--json", "--database", database)
    assert json.loads(run("gaps", *at))["gaps"][0]["request"].startswith("re-send 1 of")
    assert json.loads(run("dead-letters", "list", *at))[0]["reason"] == "not_avro"
    assert json.loads(run("report", "2024-09", *at))["period"] == "2024-09"
    assert json.loads(run("prune", "2020-01", *at)) == {"receipts": 0, "hours": 0, "dead_letters": 0, "incidents": 0}
    assert json.loads(run("dead-letters", "discard", "--all", *at)) == {"discarded": 1}
    upgraded = json.loads(run("db", "upgrade", *at))
    assert upgraded["before"] == upgraded["after"]
    assert {one["what"] for one in json.loads(run("check-config", *at))} >= {"register", "database", "broker"}


@pytest.mark.parametrize("name", ["qinhuai", "秦淮区", " Qinhuai District ", "QINHUAI"])
def test_a_unit_is_known_by_id_and_by_any_name(name: str, register: Register) -> None:
    assert unit_in(register, name) == OTHER_UNIT


@pytest.mark.parametrize(
    ("name", "meant"),
    [("秦淮", "秦淮区 (qinhuai)"), ("qinhuia", "(qinhuai)"), ("鼓楼医院", "南京鼓楼医院"), ("qin\x1bhuai", "(qinhuai)")],
)
def test_a_name_that_is_nobodys_is_met_with_those_it_may_have_meant(name: str, meant: str, register: Register) -> None:
    with pytest.raises(HipwatchError, match="did you mean") as caught:
        unit_in(register, name)
    assert meant in str(caught.value)
    assert "\x1b" not in str(caught.value)
    with pytest.raises(HipwatchError, match=r"the register has no unit 'zzzzzz'$"):
        unit_in(register, "zzzzzz")


def test_a_month_without_an_event_is_an_error(database: str) -> None:
    with pytest.raises(HipwatchError, match="holds no event of 2031-01"):
        run("report", "2031-01", "--database", database)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("form", ["2024", "2020"])
def test_a_report_as_csv_can_be_compared_with_the_ledger_it_came_from(
    database: str, tmp_path: Path, register: Register, lang: str, form: str
) -> None:
    file = tmp_path / "report.csv"
    run("report", "2024-09", "--format", "csv", "--lang", lang, "--form", form, "--output", str(file), "--database", database)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf"), "or Excel takes it for another encoding"
    engine = open_database(database, create=False)
    bulletin = build_bulletin(read_month(engine, SEPTEMBER), register)
    comparison = compare(bulletin, read_report_csv(file, register))
    assert comparison.differences == []
    assert comparison.cells > 52 * 7
    prepare(Ledger(engine, UNITS)).append(make_batch(make_event(sequence=3, business_date=date(2024, 9, 8)), first=3))
    later = compare(build_bulletin(read_month(engine, SEPTEMBER), register), read_report_csv(file, register))
    assert {difference.unit_id for difference in later.differences} == {UNIT}
    engine.dispose()


def test_what_excel_makes_of_a_report_is_read_or_named(database: str, tmp_path: Path, register: Register) -> None:
    saved = tmp_path / "saved.csv"
    lines = run("report", "2024-09", "--format", "csv", "--database", database).splitlines()
    width = max(line.count(",") for line in lines)
    padded = [line + "," * (width - line.count(",")) for line in lines]  # titles and all
    saved.write_bytes("\r\n".join(padded).encode("gb18030"))
    assert len(list(read_report_csv(saved, register).cells()))
    saved.write_bytes("\r\n".join(line.replace("/11", "月11日") for line in padded).encode("gb18030"))
    with pytest.raises(HipwatchError, match=r"saved.csv, line 3, column 实时数据表单上传情况: .*Excel"):
        read_report_csv(saved, register)


def test_a_pipe_gets_no_mark_unless_it_is_asked_for(database: str) -> None:
    command = ("report", "2024-09", "--format", "csv", "--database", database)
    assert not run(*command).startswith("\ufeff")
    assert run(*command, "--bom").startswith("\ufeff")


def test_the_version_is_told() -> None:
    assert run("--version").startswith("hipwatch ")


def test_ctrl_c_while_a_command_is_loaded_is_silent() -> None:
    code = (
        "import signal, time; from hipwatch.interrupt import dying_quietly\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it\n"
        "with dying_quietly(): print('loading', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGINT)
        assert (process.wait(10), process.stderr.read()) == (-signal.SIGINT, b"")


def test_nothing_heavy_is_loaded_before_ctrl_c_is_silent() -> None:
    code = "import sys, hipwatch.__main__; print(sorted({'typer', 'rich', 'sqlalchemy', 'pydantic', 'kafka'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert "worker" in COMMANDS


def test_a_long_run_says_how_far_it_is_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_LINE_EVERY_SECONDS", 0.0)
    with progress_bar(Console(stderr=True, force_terminal=False)) as bar:
        task = bar.add_task("publishing", total=120_000)
        bar.update(task, completed=1_500, description="publishing 2024-09-03 08:00")
    assert capsys.readouterr().err == "publishing 2024-09-03 08:00: 1,500 of 120,000 messages\n"
    monkeypatch.setattr(progress, "_LINE_EVERY_SECONDS", 10.0)
    with progress_bar(Console(stderr=True, force_terminal=False)) as bar:
        bar.update(bar.add_task("publishing"), completed=5)
    assert capsys.readouterr().err == ""
