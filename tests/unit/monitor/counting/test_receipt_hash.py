import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.counting.receipt_hash import HASH_BYTES, ReceiptHasher, hash_texts, receipt_hash, receipt_hashes
from schemas.codec.columns import TextColumn
from schemas.codec.packed import Packed

KEYS = st.binary(min_size=16, max_size=16)
EVENT_IDS = st.text(st.characters(codec="utf-8"), max_size=200)
NO_KEY = bytes(16)


@pytest.mark.skipif(sys.hash_info.algorithm != "siphash13", reason="this Python hashes otherwise")
def test_the_interpreter_hashes_texts_alike() -> None:
    """CPython 3.11 hashes bytes with SipHash-1-3, under a key of zeros when its seed is 0."""
    texts = [bytes(range(1, length + 1)) for length in range(1, 128)]
    script = f"print([hash(text) % 2**64 for text in {texts!r}])"
    told = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": "0"}, capture_output=True, check=True, text=True
    )
    assert told.stdout == f"{[int.from_bytes(receipt_hash(NO_KEY, text.decode()), 'little') for text in texts]}\n"


def test_a_published_vector() -> None:
    """The first of SipHash-1-3 in Rust's own tests: key 00 to 0f, an empty text."""
    assert receipt_hash(bytes(range(16)), "").hex() == "dcc40f055801acab"


@given(KEYS, st.lists(EVENT_IDS, max_size=20))
def test_many_ids_are_hashed_as_each_alone(key: bytes, event_ids: list[str]) -> None:
    assert receipt_hashes(key, event_ids).tobytes() == b"".join(receipt_hash(key, event_id) for event_id in event_ids)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 36, 199, 200])
def test_a_length_has_no_edge(length: int) -> None:
    event_ids = ["x" * length, "字" * length, "\U0001f600" * length]
    assert receipt_hashes(bytes(range(16)), event_ids).tobytes() == b"".join(
        receipt_hash(bytes(range(16)), event_id) for event_id in event_ids
    )


def test_more_ids_than_are_hashed_at_a_time_keep_their_order() -> None:
    event_ids = [f"{number}" * (1 + number % 3) for number in range(20_000)]
    found = receipt_hashes(NO_KEY, event_ids).tobytes()
    for place in (0, 8_191, 8_192, 19_999):
        assert found[HASH_BYTES * place : HASH_BYTES * (place + 1)] == receipt_hash(NO_KEY, event_ids[place])


@given(KEYS, st.binary(max_size=20), st.lists(EVENT_IDS, max_size=5))
def test_texts_are_found_where_they_lie(key: bytes, between: bytes, event_ids: list[str]) -> None:
    data, starts = b"", []
    for event_id in event_ids:
        data += between
        starts.append(len(data))
        data += event_id.encode()
    lengths = np.array([len(event_id.encode()) for event_id in event_ids], np.int64)
    found = hash_texts(key, Packed([data]), np.array(starts, np.int64), lengths)
    assert found.tolist() == receipt_hashes(key, event_ids).tolist()


def test_the_hasher_of_a_ledger_makes_the_same_receipts_of_a_column_as_of_its_texts() -> None:
    hasher, event_ids = ReceiptHasher(bytes(range(16))), ["a", "documents-12", ""]
    starts, lengths = np.array([0, 1, 13]), np.array([1, 12, 0])
    found = hasher.of_texts(TextColumn(Packed([text.encode() for text in event_ids]), starts, lengths))
    assert found.tobytes() == b"".join(hasher.of_ids(event_ids))
    assert hasher.of_ids(event_ids) == [receipt_hash(hasher.key, text) for text in event_ids]


def test_another_key_hashes_otherwise() -> None:
    assert receipt_hash(NO_KEY, "a") != receipt_hash(bytes(15) + b"\x01", "a")


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        receipt_hashes(b"short", ["a"])
