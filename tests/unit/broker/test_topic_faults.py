"""A topic that is not as hipwatch makes it is named, with what follows and the command that mends it."""

import pytest

from broker.topic_faults import Fault, faults_of

GOOD = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": "34560000000",
    "max.message.bytes": "8388608",
}


@pytest.mark.parametrize(
    ("partitions", "changed", "fault", "said"),
    [
        (1, {}, Fault.FEW_PARTITIONS, "has 1 of 12 partitions"),
        (12, {"cleanup.policy": "compact,delete"}, Fault.COMPACTED, "--add-config cleanup.policy=delete"),
        (12, {"message.timestamp.type": "CreateTime"}, Fault.DATED_BY_SENDERS, "message.timestamp.type=LogAppendTime"),
        (12, {"retention.ms": "604800000"}, Fault.SHORT_RETENTION, "keeps messages for 7 days"),
        (12, {"max.message.bytes": "100000"}, Fault.SMALL_MESSAGES, "at most 100000 bytes"),
    ],
)
def test_a_fault_is_named_with_its_remedy(partitions: int, changed: dict[str, str], fault: Fault, said: str) -> None:
    (found,) = faults_of("hip.cda-documents.v1", partitions, GOOD | changed)
    assert (found.name, found.fault) == ("hip.cda-documents.v1", fault)
    assert said in found.sentence


@pytest.mark.parametrize("settings", [GOOD, {}, GOOD | {"retention.ms": "-1"}, GOOD | {"max.message.bytes": "1048588"}])
def test_a_topic_that_is_as_it_should_be_or_does_not_tell_has_no_fault(settings: dict[str, str]) -> None:
    assert list(faults_of("hip.cda-documents.v1", 12, settings)) == []


def test_the_dead_letter_topic_may_be_dated_by_us() -> None:
    assert list(faults_of("hip.dead-letters.v1", 12, GOOD | {"message.timestamp.type": "CreateTime"})) == []
