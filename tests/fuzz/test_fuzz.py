"""300,000 inputs. `make fuzz` is the same with any number and seed, by default a million."""

import importlib.util
import os
import subprocess
import sys

import pytest

from schemas.codec import records
from schemas.codec.reasons import Reason
from schemas.topics import Topic
from tests.fuzz.judge import ACCEPTED, BrokenPromise, judge
from tests.fuzz.messages import corpus, topic_and_message
from tests.unit.schemas.golden import GOLDEN

RUNS = 300_000
OF_MORE_THAN_A_VALUE = {
    Reason.KEY_MISMATCH,
    Reason.OVERSIZED,
    Reason.SEQUENCE_CONFLICT,
    Reason.SIMULATED,
    Reason.SUM_OVERFLOW,
    Reason.TOO_MANY_SERIES,
    Reason.UNREADABLE_BATCH,
}
"""Reasons that no short value has by itself: they lie in the key, the size, the batch or what was counted before."""


def test_every_input_that_the_fuzzer_begins_with_is_accepted() -> None:
    verdicts = {(topic, judge(topic, message)) for topic, message in map(topic_and_message, corpus())}
    assert verdicts == {(topic, ACCEPTED) for topic in Topic}


def test_the_judge_finds_a_decoder_that_takes_a_negative_union_index(monkeypatch: pytest.MonkeyPatch) -> None:
    golden = GOLDEN[0]
    broken = golden.value[:-2] + b"\x01\x00"
    assert judge(golden.topic, broken) == Reason.WRONG_TYPE
    monkeypatch.setattr(records, "_well_formed", lambda *_: True)
    with pytest.raises(BrokenPromise, match="written as it was read"):
        judge(golden.topic, broken)


@pytest.mark.timeout(900)
def test_hundreds_of_thousands_of_messages_are_events_or_are_refused_as_documented() -> None:
    if importlib.util.find_spec("atheris") is None and not os.environ.get("CI"):
        pytest.skip("atheris is not installed: it has no wheel for this platform")
    command = [sys.executable, "-m", "tests.fuzz", "--runs", str(RUNS), "--seed", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=840, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = {line.split()[0]: [int(word) for word in line.split()[1:]] for line in run.stdout.splitlines()[2:-1]}
    assert sum(counts[-1] for counts in rows.values()) == RUNS
    assert set(rows) == {ACCEPTED, *Reason} - OF_MORE_THAN_A_VALUE, "all that can befall short inputs"
    assert min(rows[ACCEPTED]) > RUNS // 100, "every topic's good messages are among them"
    assert rows[Reason.UNKNOWN_FINGERPRINT][-1] < RUNS // 10, "most inputs get past the header"
