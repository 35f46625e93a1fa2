"""A bad deployment makes a dead letter of everything: the worker stops before that, and nothing is passed."""

import re
from typing import Final

from sqlalchemy import text

from schemas.events import UnitId
from schemas.topics import Topic, topic_name
from tests.contract.until import until
from tests.faults.stage import Counts, Stage
from tests.faults.stream import publish

STRANGERS: Final = [UnitId(f"stranger-{number}") for number in range(30)]


def test_a_worker_to_which_everything_is_unknown_stops_says_why_and_passes_nothing(stage: Stage) -> None:
    good = publish(stage.kafka, range(1, 3))
    worker = stage.counting("a")
    until(lambda: stage.passed() == good)
    bad = publish(stage.kafka, range(1, 101), STRANGERS)
    until(lambda: not worker.running)

    last = worker.last_words().splitlines()[-1]
    assert worker.code == 1
    assert last.startswith("error: too many dead letters")
    assert "unknown_unit" in last
    assert "--dead-letter-limit" in last
    place = re.search(r"stopping before (\S+)-(\d+)@(\d+)", last)
    assert place, last
    name, partition, offset = place.groups()
    assert name == topic_name(Topic.CDA_DOCUMENTS, stage.kafka.topic_prefix)
    assert stands_at(stage, int(partition)) == int(offset)
    stopped = stage.counts()
    assert stopped.letters < bad
    assert stopped.passed == good + stopped.letters, "what is passed is kept"

    mended = stage.counting("mended", "--dead-letter-limit", "0")
    until(lambda: stage.passed() >= good + bad)
    assert stage.counts() == Counts(passed=good + bad, accepted=good, in_sums=good, duplicates=0, gaps=0, letters=bad)
    assert mended.running


def stands_at(stage: Stage, partition: int) -> int:
    with stage.engine.connect() as connection:
        statement = "SELECT next_offset FROM source_offset WHERE topic = :topic AND partition = :partition"
        return int(connection.execute(text(statement), {"topic": Topic.CDA_DOCUMENTS, "partition": partition}).scalar_one())
