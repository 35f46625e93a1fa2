"""Count decoded events: read what is known of their streams, fold, post. Shell: runs inside the caller's transaction."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from monitor import tables
from monitor.database import insert, insert_rows, of_streams, table_of
from monitor.fold import Arrival, Changes, Gap, Stream, StreamKey, fold, resent, stream_of
from monitor.postings import post
from schemas.topics import Topic

_STREAM: Final = table_of(tables.StreamState)
_GAP: Final = table_of(tables.OpenGap)
_COUNTED: Final = table_of(tables.CountedEvent)


class Counted(NamedTuple):
    """What counting did: the changes that were posted, and how many of the events were duplicates."""

    changes: Changes
    duplicates: int


def count(connection: Connection, arrivals: Sequence[Arrival]) -> Counted:
    """Count `arrivals`, in offset order, each event once.

    1. lock and read the streams that they touch, and the receipts of numbers seen before
    2. fold
    3. post the sums, marks, streams and receipts
    """
    streams = _streams(connection, {stream_of(arrival.event) for arrival in arrivals})  # 1
    gaps_before = {key: list(stream.gaps) for key, stream in streams.items()}
    duplicates_before = sum(stream.duplicates for stream in streams.values())
    receipts = _receipts(connection, resent(arrivals, streams))
    changes = fold(arrivals, streams, receipts)  # 2
    post(connection, changes, gaps_before)  # 3
    return Counted(changes, sum(stream.duplicates for stream in changes.streams.values()) - duplicates_before)


def _streams(connection: Connection, keys: set[StreamKey]) -> dict[StreamKey, Stream]:
    """Every stream in `keys`, locked (in one order, so that two workers cannot block each other for ever)."""
    if not keys:
        return {}
    ordered = sorted(keys)
    fresh = {"next_sequence": 1, "accepted": 0, "duplicates": 0, "skipped": 0, "filled": 0, "ahead": 0, "behind": 0}
    rows = [{"unit_id": key.unit_id, "topic": key.topic, "series": key.series, **fresh} for key in ordered]
    insert_rows(connection, insert(connection, _STREAM).on_conflict_do_nothing(), rows)
    found: dict[StreamKey, Stream] = {}
    in_order = of_streams(select(_STREAM), _STREAM, ordered).order_by(*_STREAM.primary_key.columns)
    for row in connection.execute(in_order.with_for_update()):  # one order: two workers cannot wait for each other
        key = StreamKey(row.unit_id, Topic(row.topic), row.series)
        counts = (row.accepted, row.duplicates, row.skipped, row.filled, row.ahead, row.behind)
        found[key] = Stream(row.next_sequence, [], *counts)
    gaps = of_streams(select(_GAP), _GAP, ordered).order_by(_GAP.c.first_missing)
    for row in connection.execute(gaps):
        found[StreamKey(row.unit_id, Topic(row.topic), row.series)].gaps.append(Gap(row.first_missing, row.last_missing))
    return found


def _receipts(connection: Connection, numbers: set[tuple[StreamKey, int]]) -> dict[tuple[StreamKey, int], str]:
    found: dict[tuple[StreamKey, int], str] = {}
    by_stream: dict[StreamKey, list[int]] = {}
    for key, sequence in numbers:
        by_stream.setdefault(key, []).append(sequence)
    for key, sequences in by_stream.items():
        statement = select(_COUNTED.c.sequence, _COUNTED.c.event_id).where(
            _COUNTED.c.unit_id == key.unit_id,
            _COUNTED.c.topic == key.topic,
            _COUNTED.c.series == key.series,
            _COUNTED.c.sequence.in_(sequences),
        )
        found |= {(key, sequence): event_id for sequence, event_id in connection.execute(statement)}
    return found
