"""What a day of the played city brings to the targets of the example that ships."""

from collections import Counter
from datetime import date, timedelta

import pytest

from monitor.paging.message import MessageKind
from schemas.clock import start_of_day
from schemas.register import Register
from tests.judge.told import Change, change_at, example_targets, tell

DAY = start_of_day(date(2024, 9, 10))
SILENT = {"alertname": "UnitFeedSilent", "severity": "page", "scope": "unit", "unit_id": "qinhuai", "feed": "realtime"}
FINDINGS = {"alertname": "FindingsOpen", "severity": "ticket", "scope": "city", "rule": "dead_tables"}


@pytest.fixture(scope="module")
def left(register: Register) -> Counter[tuple[str, MessageKind, str]]:
    """A day with a silence from nine to fifteen o'clock, and a finding from ten o'clock on: who was sent what."""
    alerts: list[Change] = [
        change_at(DAY + timedelta(hours=hour), labels, firing=firing)
        for hour, labels, firing in ((9, SILENT, True), (10, FINDINGS, True), (15, SILENT, False))
    ]
    sent = tell(alerts, example_targets(), register, DAY, DAY + timedelta(days=1))
    return Counter((one.target, one.kind, one.severity.value) for one in sent)


def test_a_phone_rings_for_a_silence_and_its_end_and_reads_the_summary_and_no_ticket(
    left: Counter[tuple[str, MessageKind, str]],
) -> None:
    assert {key[1:]: count for key, count in left.items() if key[0] == "duty-dingtalk"} == {
        (MessageKind.SUMMARY, "ticket"): 1,
        (MessageKind.OPENED, "page"): 1,
        (MessageKind.RECOVERED, "page"): 1,
    }


def test_a_mailbox_is_told_of_the_ticket_as_it_comes(left: Counter[tuple[str, MessageKind, str]]) -> None:
    assert left["operators-mail", MessageKind.OPENED, "ticket"] == 1
    assert not [
        target
        for target, kind, severity in left
        if severity == "ticket" and kind is not MessageKind.SUMMARY and target != "operators-mail"
    ]
