"""Senders that nobody registered, on every database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from monitor.ledger import unknown_senders as room
from monitor.ledger.append import Ledger
from monitor.ledger.dead_letters import DeadLetterFilter, DeadLetters
from monitor.ledger.snapshot import read_facts
from monitor.ledger.unknown_senders import OTHERS, UnknownSender, unknown_senders
from schemas.codec.encode import encode
from schemas.codec.reasons import Reason
from schemas.events import DeadLetter, UnitId
from schemas.register import Register
from tests.factories import RECEIVED, UNIT, make_batch, make_event, make_letter

LATER = RECEIVED + timedelta(hours=1)


def letter_of(unit_id: str, offset: int, **overrides: object) -> DeadLetter:
    value = encode(make_event(unit_id=UnitId(unit_id), sequence=offset + 1))
    return make_letter(reason=Reason.UNKNOWN_UNIT, offset=offset, key=unit_id.encode(), value=value, **overrides)


def append(ledger: Ledger, first: int, *letters: DeadLetter) -> None:
    assert ledger.append(make_batch(dead_letters=letters, first=first)).dead_letters == len(letters)


def test_messages_are_counted_under_the_id_that_they_claim(engine: Engine, ledger: Ledger) -> None:
    append(
        ledger, 0, letter_of("new-hospital", 0), letter_of("other-hospital", 1), letter_of("new-hospital", 2, received_at=LATER)
    )
    append(ledger, 3, letter_of("new-hospital", 3), make_letter(offset=4))
    assert unknown_senders(engine) == [
        UnknownSender("new-hospital", 3, RECEIVED, LATER),
        UnknownSender("other-hospital", 1, RECEIVED, RECEIVED),
    ], "a letter that is dead for another reason says nothing of its sender"
    assert list(read_facts(engine).unknown_senders) == unknown_senders(engine)


@pytest.mark.parametrize("claim", ["张三", "320102199001011234", "with space", "x" * 41, "\x1b[31mred", "(others)"])
def test_what_does_not_look_like_an_id_is_never_stored(claim: str, engine: Engine, ledger: Ledger) -> None:
    append(ledger, 0, letter_of(claim, 0))
    assert unknown_senders(engine) == [UnknownSender(OTHERS, 1, RECEIVED, RECEIVED)]


def test_a_message_that_cannot_be_read_is_from_the_others(engine: Engine, ledger: Ledger) -> None:
    append(ledger, 0, replace(letter_of("new-hospital", 0), value=b"no event"), replace(letter_of("new-hospital", 1), value=None))
    assert unknown_senders(engine) == [UnknownSender(OTHERS, 2, RECEIVED, RECEIVED)]


def test_a_flood_of_ids_is_bounded(engine: Engine, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_SENDERS", 5)
    append(ledger, 0, *(letter_of(f"stranger-{offset}", offset) for offset in range(4)))
    append(ledger, 4, *(letter_of(f"stranger-{offset - 2}", offset) for offset in range(4, 16)))
    found = {sender.claimed_unit_id: sender.messages for sender in unknown_senders(engine)}
    assert len(found) == 6
    assert sum(found.values()) == 4 + 12, "every message is counted"
    assert found[OTHERS] == 9
    assert (found["stranger-2"], found["stranger-0"]) == (2, 1), "who has a row keeps it"


def test_a_sender_that_has_been_still_for_long_makes_room(
    engine: Engine, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_SENDERS", 1)
    append(ledger, 0, letter_of("long-gone", 0))
    append(ledger, 1, letter_of("new-hospital", 1, received_at=RECEIVED + timedelta(days=31)))
    assert [sender.claimed_unit_id for sender in unknown_senders(engine)] == ["new-hospital"]


def test_once_registered_what_was_sent_counts_once(engine: Engine, ledger: Ledger, register: Register) -> None:
    append(ledger, 0, *(letter_of("new-hospital", offset) for offset in range(3)))
    letters = DeadLetters(engine)
    waiting = letters.find(DeadLetterFilter(reason=Reason.UNKNOWN_UNIT))
    assert letters.replay(waiting, register).failed == 3
    unit = replace(register.units[UNIT], unit_id=UnitId("new-hospital"))
    larger = replace(register, units={**register.units, unit.unit_id: unit})
    assert letters.replay(letters.find(DeadLetterFilter(reason=Reason.UNKNOWN_UNIT)), larger).counted == 3
    assert letters.find(DeadLetterFilter(reason=Reason.UNKNOWN_UNIT)) == []
