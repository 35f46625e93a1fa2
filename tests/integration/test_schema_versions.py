"""Units that upgrade in the midst of a month: what this release cannot read is kept, and counts once when the next one can."""

import json
import shutil
from pathlib import Path

import schemas
from ingest.scenario import load_scenario
from ingest.simulator import make_plan
from tests.integration.ledgers import counted, counters, query
from tests.integration.months import NEW, PERIOD, REGISTER, write_month
from tests.integration.prints import cells_in, reported
from tests.integration.stack import Home, end, running, wait_until

PACE = ("--day-seconds", "1")


def next_release(folder: Path) -> dict[str, str]:
    """The settings under which `hipwatch` is the next release: its document events have one field more."""
    package = folder / "schemas"
    shutil.copytree(Path(schemas.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    avro = package / "avro"
    schema = json.loads((avro / "cda-documents.1.avsc").read_text(encoding="utf-8"))
    schema["fields"].append({"name": "channel", "type": "string", "default": "direct"})
    (avro / "cda-documents.2.avsc").write_text(json.dumps(schema), encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def test_a_schema_that_comes_in_the_midst_of_a_month_loses_nothing(home: Home, broker: str, tmp_path: Path) -> None:
    upgraded = next_release(tmp_path / "next")
    month = write_month(tmp_path / "month", 24, NEW, units=7)
    scenario = load_scenario(month.folder, REGISTER, PERIOD)
    sent = make_plan(
        scenario.month, PERIOD, REGISTER, seed=scenario.seed, records_per_event=scenario.records_per_event
    ).expected_events
    worker = ("worker", "--bootstrap", broker, "--database", home.database)
    simulate = ("simulate", month.folder, "--period", str(PERIOD), "--bootstrap", broker)

    with running(home, *worker, "--dead-letter-limit", "0") as old:
        wait_until(lambda: "counting from" in old.err, "it counts")
        with running(home, *simulate, *PACE):
            wait_until(lambda: counters(home.ledger).accepted > sent // 4, "a part of the month is counted")
        assert home.run(*simulate, settings=upgraded).code == 0, "the units go on with the next release"
        wait_until(lambda: counters(home.ledger).dead_letters, "this release cannot read it all")
        ended = end(old)
        assert ended.code == 0, ended.told
    found = counters(home.ledger)
    assert found.accepted < sent
    assert set(found.dead_letters) == {"unknown_fingerprint"}

    with running(home, *worker, settings=upgraded) as new:
        replay = ("dead-letters", "replay", "--reason", "unknown_fingerprint", "--database", home.database)
        replayed = home.run(*replay, settings=upgraded)
        assert replayed.code == 0, replayed.told
        wait_until(lambda: counters(home.ledger).accepted >= sent, "the next release has counted the rest")
        assert end(new).code == 0
    found = counters(home.ledger)
    assert (found.accepted, found.open_numbers) == (sent, 0)
    assert found.duplicates == counted(home.ledger) - sent, "what came again is a duplicate, read or replayed"
    assert query(home.ledger, "SELECT DISTINCT state FROM dead_letter") == [("replayed",)]
    report = home.run("report", str(PERIOD), "--format", "json", "--database", home.database)
    assert reported(report.out, cells_in(month.folder)) == cells_in(month.folder)
