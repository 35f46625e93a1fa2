"""The commands on what is wrong, over a real ledger that was judged."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from hipwatch.cli.main import app
from monitor.ledger.append import Ledger
from schemas.clock import start_of_day
from schemas.errors import HipwatchError
from tests.contract.test_findings import fill, uploads
from tests.factories import HOSPITAL


@pytest.fixture
def run(ledger: Ledger, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A ledger in which one table of one hospital is dead since the 21st."""
    fill(ledger, engine, list(uploads(date(2024, 9, 23), dead_since=date(2024, 9, 21))), start_of_day(date(2024, 9, 25)))
    monkeypatch.setenv("HIPWATCH_DATABASE", database_url)

    def command(*words: str) -> str:
        ended = CliRunner().invoke(app, list(words))
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    return command


def test_findings_calls_and_summary_tell_of_the_dead_table(run: Any) -> None:
    assert "no finding" in run("findings")
    lines = run("findings", "--judge", "--open")
    assert "dead_tables" in lines
    (dead,) = json.loads(run("findings", "--rule", "dead_tables", "--unit", HOSPITAL, "--json"))
    assert (dead["evidence"]["codes"], dead["since"]) == (["C0004"], "2024-09-21")
    assert "西药处方" in run("calls")
    assert json.loads(run("calls", "--json"))[0]["unit_id"] == HOSPITAL
    assert run("calls", "--date", "2024-09-01") == "nobody has to be called\n"
    assert "部分表停传" in run("summary")
    assert "Some tables dead" in run("summary", "--lang", "en")
    assert json.loads(run("summary", "--json"))["quiet"] is False


def test_owed_score_and_forecast_of_a_unit(run: Any) -> None:
    assert json.loads(run("owed", HOSPITAL, "--json"))["scheduled"] == {"2024-09-21": ["C0004"]}  # the later ones may still come
    assert run("owed", HOSPITAL) == "2024-09-21  scheduled    1  C0004\n"
    assert "owes nothing" in run("owed", "gulou")
    scored = json.loads(run("score", "2024-09", "--json"))
    assert [score["unit_id"] for score in scored["scores"]] == [HOSPITAL]
    assert "得分 = 50×及时" in run("score", "2024-09")
    (month,) = json.loads(run("forecast", "2024-09", "--json"))
    assert (month["upload_days"], month["upload_days_by_end"]) == (22, 29)


def test_owed_score_and_forecast_know_the_closures_of_the_rhythms_file(run: Any, tmp_path: Path) -> None:
    closed = tmp_path / "rhythms.toml"
    closed.write_text("[calendar]\nclosed = [2024-09-21, 2024-09-01, 2024-09-24]\n")
    said = ("--rhythms", str(closed), "--json")
    assert json.loads(run("owed", HOSPITAL, *said)) == {"scheduled": {}, "realtime": {}}
    (of_month,) = json.loads(run("score", "2024-09", *said))["scores"]
    assert of_month["deliveries"]["scheduled"] == {"owed": 22, "on_time": 22, "late": 0}
    (month,) = json.loads(run("forecast", "2024-09", *said))
    assert month["upload_days_by_end"] == 29, "it works on days off too"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["findings", "--rule", "nothing"], "there is no rule 'nothing'"),
        (["findings", "--unit", "nobody"], "the register has no unit 'nobody'"),
        (["calls", "--date", "tomorrow"], "'tomorrow' is not a day"),
        (["summary"], "have not been judged yet"),
        (["score", "2030-01"], "has not come to 2030-01 yet"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(run: Any, words: list[str], problem: str) -> None:
    with pytest.raises(HipwatchError, match=problem):
        run(*words)
