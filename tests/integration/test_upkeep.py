"""Dead letters, gaps and pruning over the command, on a ledger that a worker of an older release has counted."""

import base64
import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from kafka import KafkaProducer

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from schemas.clock import SHANGHAI
from schemas.codec.encode import encode
from schemas.events import Event
from schemas.topics import TOPIC_OF, topic_name
from tests.factories import NOON, OTHER_UNIT, UNIT, make_event, make_forms
from tests.integration.ledgers import counted, counters, query
from tests.integration.stack import Ended, Home, ask, broker_of, end, home_in, running, wait_until

ROOT: Final = Path(__file__).parents[2]
NEWCOMERS: Final = [make_event(unit_id=UNIT, sequence=number, record_count=100 + number) for number in (1, 2, 3)]
"""What a unit sent that the older release did not know."""
DOCUMENTS: Final = [
    make_event(unit_id=OTHER_UNIT, sequence=number, business_date=date(2024, 9, day))
    for number, day in ((1, 1), (2, 1), (3, 2), (4, 3), (5, 3), (6, 4))
]
FORMS: Final = [make_forms(unit_id=OTHER_UNIT, sequence=number) for number in (1, 2, 3)]
MISSING: Final[list[Event]] = [DOCUMENTS[2], DOCUMENTS[3], FORMS[1]]
LATER: Final = make_forms(unit_id=OTHER_UNIT, sequence=4, event_time=NOON + timedelta(days=60), business_date=date(2024, 11, 9))
"""So that September is over for good."""
BROKEN: Final = encode(make_event(unit_id=OTHER_UNIT, sequence=7))[:-3]


@dataclass(frozen=True)
class Counted:
    """A broker, and the ledger that the older release left."""

    home: Home
    broker: str

    def publish(self, *events: Event) -> None:
        with closing(KafkaProducer(bootstrap_servers=[self.broker], acks="all")) as producer:
            for event in events:
                producer.send(topic_name(TOPIC_OF[type(event)]), key=event.unit_id.encode(), value=encode(event)).get(timeout=120)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    folder = tmp_path_factory.mktemp("upkeep")
    with home_in(folder) as home, broker_of(home) as broker:
        ensure_topics(KafkaConnection(broker))
        found = Counted(home, broker)
        everything: list[Event] = [*DOCUMENTS, *FORMS]
        sent = [event for event in everything if event not in MISSING]
        found.publish(*NEWCOMERS, *sent)
        with closing(KafkaProducer(bootstrap_servers=[broker], acks="all")) as producer:
            producer.send(topic_name(TOPIC_OF[type(DOCUMENTS[0])]), key=OTHER_UNIT.encode(), value=BROKEN).get(timeout=120)
        count(found, home.ledger, len(NEWCOMERS) + len(sent) + 1, older_release(folder / "older"))
        assert counters(home.ledger).dead_letters == {"unknown_unit": 3, "truncated": 1}
        yield found


def older_release(folder: Path) -> Path:
    """Our code as it was before a unit was entered into the register."""
    for room in ("hipwatch", "ingest", "monitor", "schemas", "ops"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    units = folder / "schemas" / "reference" / "units.csv"
    lines = units.read_text(encoding="utf-8").splitlines(keepends=True)
    units.write_text("".join(line for line in lines if not line.startswith(f"{UNIT},")), encoding="utf-8")
    return folder


def count(past: Counted, ledger: Path, messages: int, release: Path | None = None) -> None:
    """Run a worker until the ledger has passed so many messages."""
    options = ("--bootstrap", past.broker, "--database", f"sqlite:///{ledger}", "--group", ledger.parent.name)
    settings = {"PYTHONPATH": str(release) if release else None}
    with running(past.home, "worker", *options, "--session-timeout", "2", settings=settings) as worker:
        wait_until(lambda: counted(ledger) >= messages or not worker.runs, f"{messages} messages are counted")
        wait_until(lambda: clock_has_come(ledger) or not worker.runs, "the platform clock has come to the last event")
        assert end(worker).code == 0, worker.err


def clock_has_come(ledger: Path) -> bool:
    greatest = "(SELECT max(greatest_event_at) FROM source_offset)"
    return query(ledger, f"SELECT 1 FROM platform_clock WHERE complete_until >= {greatest}") != []


@pytest.fixture
def ledger(past: Counted, tmp_path: Path) -> Path:
    """A copy of the ledger, for one test to change."""
    copy = tmp_path / "ledger.db"
    with closing(sqlite3.connect(past.home.ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def run(past: Counted, ledger: Path, *words: str) -> Ended:
    return ask(past.home, *words, "--database", f"sqlite:///{ledger}")


def places(ended: Ended) -> list[str]:
    assert ended.code == 0, ended.told
    return [line.split()[0] for line in ended.out.splitlines()]


def records(ledger: Path, unit: str) -> int:
    return int(query(ledger, "SELECT coalesce(sum(records), 0) FROM upload_day WHERE unit_id = ?", unit)[0][0])


# --- dead letters ---


def test_letters_are_listed_by_reason_unit_and_day(past: Counted, ledger: Path) -> None:
    today = datetime.now(SHANGHAI).date()
    before, after = str(today - timedelta(days=1)), str(today + timedelta(days=2))
    cases: list[tuple[Sequence[str], int]] = [
        ((), 4),
        (("--reason", "unknown_unit"), 3),
        (("--reason", "truncated"), 1),
        (("--reason", "not_avro"), 0),
        (("--unit", OTHER_UNIT), 1),
        (("--unit", UNIT), 3),
        (("--unit", UNIT, "--reason", "truncated"), 0),
        (("--since", before), 4),
        (("--since", after), 0),
        (("--until", before), 0),
        (("--until", after), 4),
        (("--most", "2"), 2),
    ]
    for options, number in cases:
        ended = run(past, ledger, "dead-letters", "list", *options)
        assert len(places(ended)) == number, (options, ended.told)
        assert f"{number} dead letter" in ended.err
    for line in run(past, ledger, "dead-letters", "list", "--unit", UNIT).out.splitlines():
        assert f"  unknown_unit  {UNIT}  kept  " in line, "the register knows by now who that was"
    unknown = run(past, ledger, "dead-letters", "list", "--unit", "nobody")
    assert unknown.code == 1
    assert "the register has no unit 'nobody'" in unknown.err


def test_a_letter_is_shown_with_the_bytes_that_came(past: Counted, ledger: Path) -> None:
    (place,) = places(run(past, ledger, "dead-letters", "list", "--reason", "truncated"))
    shown = run(past, ledger, "dead-letters", "show", place)
    assert shown.code == 0, shown.told
    letter = json.loads(shown.out)
    assert (letter["place"], letter["reason"], letter["unit_id"], letter["state"]) == (place, "truncated", OTHER_UNIT, "kept")
    assert base64.b64decode(letter["value_base64"]) == BROKEN
    assert base64.b64decode(letter["key_base64"]) == OTHER_UNIT.encode()


@pytest.mark.parametrize("command", ["show", "replay", "discard"])
def test_a_place_without_a_letter_is_named_and_nothing_is_done(past: Counted, ledger: Path, command: str) -> None:
    ended = run(past, ledger, "dead-letters", command, "hip.cda-documents.v1-0@4711")
    assert ended.code == 1, ended.told
    assert ended.err.startswith("error: there is no dead letter hip.cda-documents.v1-0@4711"), ended.told
    assert ended.out == ""


@pytest.mark.parametrize("command", ["replay", "discard"])
def test_nothing_happens_to_all_letters_by_accident(past: Counted, ledger: Path, command: str) -> None:
    bare = run(past, ledger, "dead-letters", command)
    assert bare.code == 1
    assert "name the letters, select them with an option, or say --all" in bare.err
    (place,) = places(run(past, ledger, "dead-letters", "list", "--reason", "truncated"))
    both = run(past, ledger, "dead-letters", command, place, "--all")
    assert both.code == 1
    assert "but not both" in both.err
    none = run(past, ledger, "dead-letters", command, "--reason", "not_avro")
    assert none.code == 0
    assert "no dead letter that waits is like that" in none.err
    assert len(places(run(past, ledger, "dead-letters", "list"))) == 4


@pytest.mark.parametrize("chosen", [("--reason", "unknown_unit"), ("--unit", UNIT)], ids=["by reason", "by unit"])
def test_after_the_register_has_learned_the_unit_each_letter_counts_once(
    past: Counted, ledger: Path, chosen: tuple[str, str]
) -> None:
    found = places(run(past, ledger, "dead-letters", "list", *chosen))
    assert records(ledger, UNIT) == 0
    first = run(past, ledger, "dead-letters", "replay", *chosen)
    assert (first.code, first.last_line) == (0, "3 counted, 0 counted before, 0 still fail"), first.told
    assert records(ledger, UNIT) == sum(event.record_count for event in NEWCOMERS)
    again = run(past, ledger, "dead-letters", "replay", *chosen)
    assert (again.code, again.last_line) == (0, "0 counted, 0 counted before, 0 still fail"), again.told
    by_name = run(past, ledger, "dead-letters", "replay", *found)
    assert (by_name.code, by_name.last_line) == (0, "0 counted, 3 counted before, 0 still fail"), by_name.told
    assert records(ledger, UNIT) == sum(event.record_count for event in NEWCOMERS)
    assert len(places(run(past, ledger, "dead-letters", "list", "--settled", *chosen))) == 3
    assert places(run(past, ledger, "dead-letters", "list", *chosen)) == []


def test_what_is_still_broken_stays_and_says_why(past: Counted, ledger: Path) -> None:
    ended = run(past, ledger, "dead-letters", "replay", "--all")
    assert ended.code == 1, ended.told
    assert ended.last_line == "3 counted, 0 counted before, 1 still fail"
    assert "still fails: truncated" in ended.err
    assert len(places(run(past, ledger, "dead-letters", "list"))) == 1


def test_a_discarded_letter_loses_its_bytes_and_cannot_be_replayed(past: Counted, ledger: Path) -> None:
    (place,) = places(run(past, ledger, "dead-letters", "list", "--reason", "truncated"))
    ended = run(past, ledger, "dead-letters", "discard", place)
    assert (ended.code, ended.last_line) == (0, "1 discarded"), ended.told
    letter = json.loads(run(past, ledger, "dead-letters", "show", place).out)
    assert (letter["state"], letter["key_base64"], letter["value_base64"]) == ("discarded", None, None)
    assert letter["settled_at"]
    replay = run(past, ledger, "dead-letters", "replay", place)
    assert replay.code == 1
    assert f"{place} still fails: it was discarded, and its bytes are gone" in replay.err
    assert places(run(past, ledger, "dead-letters", "list")) == places(
        run(past, ledger, "dead-letters", "list", "--reason", "unknown_unit")
    )


# --- gaps ---


def test_gaps_are_asked_for_by_unit_and_feed(past: Counted, ledger: Path) -> None:
    ended = run(past, ledger, "gaps")
    assert ended.code == 0, ended.told
    assert ended.out.splitlines() == [
        f"秦淮区 ({OTHER_UNIT})  cda-documents  series —: re-send 3–4 of 2024-09-01 to 2024-09-03",
        f"秦淮区 ({OTHER_UNIT})  realtime-forms  series —: re-send 2 of 2024-09-10",
    ]
    assert run(past, ledger, "gaps", "--unit", OTHER_UNIT).out == ended.out
    assert run(past, ledger, "gaps", "--unit", UNIT).out == "no sequence number is missing\n"
    counts = run(past, ledger, "gaps", "--unit", OTHER_UNIT, "--counts").out
    assert f"({OTHER_UNIT})  cda-documents  series —: 4 accepted, 0 duplicates, 2 missing" in counts
    nobody = run(past, ledger, "gaps", "--unit", "nobody")
    assert (nobody.code, nobody.out) == (1, "")
    assert "the register has no unit 'nobody'" in nobody.err


# --- pruning, and what is sent again: last, for they publish more ---


def test_what_is_sent_again_closes_the_gap_and_after_pruning_still_counts_as_a_duplicate(past: Counted, ledger: Path) -> None:
    replayed = run(past, ledger, "dead-letters", "replay", "--reason", "unknown_unit")
    assert replayed.code == 0, replayed.told
    report = ("report", "2024-09", "--format", "json")
    before = run(past, ledger, *report)
    assert before.code == 0, before.told

    refused = run(past, ledger, "prune", "2024-10")
    assert (refused.code, refused.out) == (1, ""), refused.told
    assert "still needed" in refused.err
    past.publish(LATER)
    count(past, ledger, counted(past.home.ledger) + 1)
    would = run(past, ledger, "prune", "2024-10", "--dry-run")
    pruned = run(past, ledger, "prune", "2024-10")
    assert pruned.code == 0, pruned.told
    assert would.out == pruned.out.replace("pruned", "would prune")
    receipts = len(DOCUMENTS) + len(FORMS) - len(MISSING) + len(NEWCOMERS)
    assert pruned.out.startswith(f"pruned before 2024-10: {receipts} receipts, "), pruned.told
    assert ", 0 settled dead letters," in pruned.out, "they were settled today"
    assert query(ledger, "SELECT count(*) FROM receipt_run") == [(1,)]
    assert run(past, ledger, *report).out == before.out
    assert run(past, ledger, "prune", "2024-10").out.startswith("pruned before 2024-10: 0 receipts, 0 hours")
    assert run(past, ledger, "dead-letters", "list").err == "1 dead letter\n", "what nobody has settled stays"

    duplicates = counters(ledger).duplicates
    other = replace(DOCUMENTS[0], event_id="another-event-under-a-number-that-was-counted")
    past.publish(*NEWCOMERS, DOCUMENTS[0], other)
    count(past, ledger, counted(past.home.ledger) + 1 + len(NEWCOMERS) + 2)
    assert counters(ledger).duplicates == duplicates + len(NEWCOMERS) + 2
    assert run(past, ledger, *report).out == before.out

    sent = counted(ledger)
    past.publish(*MISSING)
    count(past, ledger, sent + len(MISSING))
    assert run(past, ledger, "gaps").out == "no sequence number is missing\n"
    assert records(ledger, OTHER_UNIT) == sum(event.record_count for event in DOCUMENTS)
    assert counters(ledger).dead_letters == {"unknown_unit": 3, "truncated": 1}


@pytest.mark.parametrize("period", ["2024", "2024-13", "yesterday"])
def test_what_is_no_month_is_not_pruned(past: Counted, ledger: Path, period: str) -> None:
    ended = run(past, ledger, "prune", period)
    assert ended.code == 1
    assert ended.err.startswith(f"error: '{period}' is not a period"), ended.told
    assert query(ledger, "SELECT count(*) FROM receipt_run") != [(0,)]
