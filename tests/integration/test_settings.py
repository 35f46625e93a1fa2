"""Every command explains itself, and every setting can come from the environment."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pytest

from monitor.ledger.append import Ledger
from monitor.ledger.database import open_database
from tests.conftest import prepare
from tests.factories import UNITS, make_batch, make_event
from tests.integration.stack import Ended, Home, ask, ask_all, home_in

SETTINGS: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {
    ("demo",): ("HIPWATCH_DEMO_PERIOD", "HIPWATCH_DAY_SECONDS", "HIPWATCH_PORT"),
    ("replay",): (
        *("HIPWATCH_BOOTSTRAP", "HIPWATCH_DATABASE", "HIPWATCH_PERIOD", "HIPWATCH_WORKERS", "HIPWATCH_RECORDS_PER_EVENT"),
        *("HIPWATCH_DAY_SECONDS", "HIPWATCH_SEED", "HIPWATCH_TOPIC_PREFIX", "HIPWATCH_KAFKA_CONFIG"),
    ),
    ("simulate",): (
        *("HIPWATCH_BOOTSTRAP", "HIPWATCH_PERIOD", "HIPWATCH_RECORDS_PER_EVENT", "HIPWATCH_DAY_SECONDS", "HIPWATCH_SEED"),
        *("HIPWATCH_TOPIC_PREFIX", "HIPWATCH_KAFKA_CONFIG"),
    ),
    ("worker",): (
        *("HIPWATCH_BOOTSTRAP", "HIPWATCH_DATABASE", "HIPWATCH_GROUP", "HIPWATCH_SESSION_TIMEOUT", "HIPWATCH_TOPIC_PREFIX"),
        *("HIPWATCH_KAFKA_CONFIG", "HIPWATCH_DEAD_LETTER_LIMIT", "HIPWATCH_LOG_LEVEL"),
        *("HIPWATCH_NULL_KEYS", "HIPWATCH_METRICS_PORT", "HIPWATCH_METRICS_HOST"),
    ),
    ("serve",): (
        *("HIPWATCH_DATABASE", "HIPWATCH_HOST", "HIPWATCH_PORT", "HIPWATCH_WEBHOOK_TOKEN_FILE", "HIPWATCH_WEBHOOK_TOKEN"),
        *("HIPWATCH_REFRESH", "HIPWATCH_STALL_AFTER", "HIPWATCH_WATCHDOG_AFTER", "HIPWATCH_RHYTHMS", "HIPWATCH_LOG_LEVEL"),
    ),
    ("canary",): (
        "HIPWATCH_BOOTSTRAP",
        "HIPWATCH_TOPIC_PREFIX",
        "HIPWATCH_KAFKA_CONFIG",
        "HIPWATCH_CANARY_EVERY",
        "HIPWATCH_LOG_LEVEL",
    ),
    ("report",): ("HIPWATCH_DATABASE", "HIPWATCH_FORMAT", "HIPWATCH_LANG"),
    ("history",): ("HIPWATCH_DATABASE", "HIPWATCH_PERIOD", "HIPWATCH_OUTPUT", "HIPWATCH_REGISTER"),
    ("incidents",): ("HIPWATCH_DATABASE",),
    ("explain",): ("HIPWATCH_DATABASE", "HIPWATCH_LANG", "HIPWATCH_RHYTHMS", "HIPWATCH_REGISTER"),
    ("rhythms",): ("HIPWATCH_DATABASE", "HIPWATCH_RHYTHMS", "HIPWATCH_REGISTER"),
    ("flips",): ("HIPWATCH_DATABASE", "HIPWATCH_REGISTER"),
    ("notify", "check"): (),
    ("notify", "test"): ("HIPWATCH_TARGETS",),
    ("register", "check"): (),
    ("register", "show"): (),
    ("register", "diff"): (),
    ("findings",): ("HIPWATCH_DATABASE", "HIPWATCH_RHYTHMS", "HIPWATCH_REGISTER"),
    ("calls",): ("HIPWATCH_DATABASE", "HIPWATCH_REGISTER"),
    ("summary",): ("HIPWATCH_DATABASE", "HIPWATCH_REGISTER"),
    ("owed",): ("HIPWATCH_DATABASE", "HIPWATCH_RHYTHMS", "HIPWATCH_REGISTER"),
    ("score",): ("HIPWATCH_DATABASE", "HIPWATCH_RHYTHMS", "HIPWATCH_REGISTER"),
    ("forecast",): ("HIPWATCH_DATABASE", "HIPWATCH_RHYTHMS", "HIPWATCH_REGISTER"),
    ("unknown-senders",): ("HIPWATCH_DATABASE",),
    ("check-config",): (
        *("HIPWATCH_BOOTSTRAP", "HIPWATCH_DATABASE", "HIPWATCH_WEBHOOK_TOKEN_FILE", "HIPWATCH_RHYTHMS", "HIPWATCH_TOPIC_PREFIX"),
        "HIPWATCH_KAFKA_CONFIG",
    ),
    ("recount",): ("HIPWATCH_BOOTSTRAP", "HIPWATCH_DATABASE", "HIPWATCH_WORKERS"),
    ("gaps",): ("HIPWATCH_DATABASE",),
    ("prune",): ("HIPWATCH_DATABASE",),
    ("db", "upgrade"): ("HIPWATCH_DATABASE",),
    ("db", "init"): ("HIPWATCH_DATABASE",),
    ("dead-letters", "list"): ("HIPWATCH_DATABASE",),
    ("dead-letters", "show"): ("HIPWATCH_DATABASE",),
    ("dead-letters", "replay"): ("HIPWATCH_DATABASE",),
    ("dead-letters", "discard"): ("HIPWATCH_DATABASE",),
}


@pytest.fixture(scope="module")
def helps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[tuple[str, ...], Ended]]:
    with home_in(tmp_path_factory.mktemp("help")) as home:
        endings = ask_all(home, [(*command, "--help") for command in [(), *SETTINGS]])
        yield dict(zip([(), *SETTINGS], endings, strict=True))


@pytest.mark.parametrize("command", list(SETTINGS), ids=" ".join)
def test_help_explains_the_command_and_names_every_environment_variable(
    helps: Mapping[tuple[str, ...], Ended], command: tuple[str, ...]
) -> None:
    shown = helps[command]
    assert (shown.code, shown.err) == (0, ""), shown.told
    assert set(SETTINGS[command]) <= set(re.findall(r"HIPWATCH_\w+", shown.out))


def test_help_lists_every_command(helps: Mapping[tuple[str, ...], Ended]) -> None:
    shown = helps[()]
    assert shown.code == 0, shown.told
    listed = set(re.findall(r"^│ ([a-z][a-z-]+) ", shown.out, re.MULTILINE))
    assert {command[0] for command in SETTINGS} == listed, "a new command needs a line here too"


def test_settings_come_from_the_environment_and_the_command_line_goes_before_them(home: Home) -> None:
    engine = open_database(home.database, create=True)
    prepare(Ledger(engine, UNITS)).append(make_batch(make_event()))
    engine.dispose()
    settings = {"HIPWATCH_DATABASE": home.database, "HIPWATCH_FORMAT": "csv", "HIPWATCH_LANG": "en"}
    english = ask(home, "report", "2024-09", settings=settings)
    assert english.out.splitlines()[0] == '\ufeff"Data collection, districts, 2024-09"', english.told
    chinese = ask(home, "report", "2024-09", "--lang", "zh", "--no-bom", settings=settings)
    assert chinese.out.splitlines()[0] == "各区数据采集情况（2024-09）"
    nothing = ask(home, "report", "2020-01", settings=settings)
    assert (nothing.code, nothing.out) == (1, ""), "zeros of an empty month are no silence"
    assert nothing.err.startswith("error: this ledger holds no event of 2020-01")


def test_check_config_tries_every_setting_and_one_that_is_wrong_hides_no_other(home: Home) -> None:
    open_database(home.database, create=True).dispose()
    good = {"HIPWATCH_DATABASE": home.database, "HIPWATCH_WEBHOOK_TOKEN": "secret-of-the-test"}
    bad = {"HIPWATCH_BOOTSTRAP": "host:notaport", "HIPWATCH_DATABASE": "no url", "HIPWATCH_RHYTHMS": "none.toml"}
    well, badly = (ask(home, "check-config", settings=settings) for settings in (good, bad))
    assert well.code == 0, well.told
    assert verdicts(well)["database"] == "ok"
    assert verdicts(well)["webhook token"] == "ok"
    assert "secret-of-the-test" not in well.out + well.err
    assert badly.code == 1, badly.told
    assert [what for what, verdict in verdicts(badly).items() if verdict == "wrong"] == ["rhythms", "database", "broker"]
    assert "Traceback" not in badly.err


def verdicts(ended: Ended) -> dict[str, str]:
    lines: Sequence[list[str]] = [line.split(None, 1) for line in ended.out.splitlines()]
    return {rest.split(":")[0]: verdict for verdict, rest in lines}
