"""The database's password is in no process's arguments, where everybody can read it, and on nobody's screen."""

from pathlib import Path

from sqlalchemy import make_url

from tests.integration.stack import Home, ask, running, wait_until
from tests.services.postgres import PostgresServer


def test_a_replay_tells_its_workers_the_ledger_and_nobody_else_the_password(home: Home, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    password = str(make_url(url).password)
    with running(home, "replay", "2020-01", settings={"HIPWATCH_DATABASE": url}) as replay:
        wait_until(lambda: any(" worker " in words for words in home.processes().values()), "a worker runs")
        seen = list(home.processes().values())
        ended = replay.wait()
    assert ended.code == 0, ended.told
    assert password not in "".join(seen), "in the arguments of a process"
    assert password not in ended.told
    assert "ledger: postgresql+psycopg://hipwatch:***@" in ended.out, ended.told
    postgres.drop_database(url)


def test_check_config_quotes_no_malformed_url(home: Home, tmp_path: Path) -> None:
    urls = {"HIPWATCH_DATABASE": "postgresql//hip:s3cret@db/x", "HIPWATCH_BOOTSTRAP": "postgresql://hip:s3cret@db:5432/x"}
    ended = ask(home, "check-config", settings=urls)
    assert ended.code == 1, ended.told
    assert "Traceback" not in ended.err, ended.told
    assert "s3cret" not in ended.out + ended.err
