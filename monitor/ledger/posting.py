"""Post what a batch changes to the ledger's tables. Shell: runs inside the transaction of `Ledger.append`, never alone.

Every table gets one statement, and its rows in the order of their keys: two workers cannot wait for each other for ever.
"""

from collections.abc import Mapping
from datetime import date
from operator import attrgetter
from typing import Final, NamedTuple, assert_never

from sqlalchemy import Connection, select

from monitor.counting.changes import Changes, Row
from monitor.counting.fold import Known
from monitor.counting.kept import columns_of
from monitor.counting.streams import Gap, Stream, StreamKey
from monitor.ledger import tables
from monitor.ledger.bulk import NOTHING, adding, erase, extending, replacing, write
from monitor.ledger.known import COUNTS, DAYS
from monitor.ledger.receipt_runs import append_runs, merge_passed
from monitor.ledger.statements import table_of
from schemas.clock import to_days
from schemas.kinds.kind import Added, Each, Latest
from schemas.topics import KINDS, Topic

_HOUR: Final = table_of(tables.ActiveHour)
_FEED: Final = table_of(tables.FeedState)
_FEED_HOUR: Final = table_of(tables.FeedHour)
_SENT_DAY: Final = table_of(tables.SentDay)
_SENT_PLACE: Final = ("unit_id", "feed", "business_date", "sent_on")
_SENT: Final = ("events", "records", "empty", "ahead", "behind", "ahead_seconds", "behind_seconds")
_STREAM: Final = table_of(tables.StreamState)
_GAP: Final = table_of(tables.OpenGap)
_STREAM_KEY: Final = ("unit_id", "topic", "series")
_counts_of: Final = attrgetter(*COUNTS)


class Before(NamedTuple):
    """A stream before the batch: the number that it awaited, and the gaps that were read."""

    next_sequence: int
    gaps: frozenset[Gap]


def post(connection: Connection, changes: Changes, known: Known, before: Mapping[StreamKey, Before]) -> None:
    """Add `changes` and what is known by now: what kinds keep, feed progress, hours, streams with their gaps, receipts.

    Raises SumOverflow.
    """
    for topic, rows in changes.kept.items():
        _post_kept(connection, topic, rows)
    _post_progress(connection, changes)
    _post_activity(connection, changes)
    _post_sent(connection, changes)
    _post_hours(connection, changes.hours)
    _post_streams(connection, known.streams)
    _post_gaps(connection, known.streams, before)
    append_runs(connection, list(known.receipts.added()))
    merge_passed(connection, {key: (before[key].next_sequence, stream.next_sequence) for key, stream in known.streams.items()})


def _post_kept(connection: Connection, topic: Topic, rows: Mapping[Row, Row]) -> None:
    table, kind = tables.TABLE_OF[topic], KINDS[topic]
    columns = columns_of(kind)
    match kind.kept:
        case Added():
            on_conflict = adding(connection, table, columns.values)
        case Latest():
            on_conflict = replacing(columns.values, f"excluded.event_time >= {table.name}.event_time")
        case Each():
            on_conflict = NOTHING
        case _:
            assert_never(kind.kept)
    write(connection, table, (*columns.key, *columns.values), [(*key, *rows[key]) for key in sorted(rows)], on_conflict)


def _post_progress(connection: Connection, changes: Changes) -> None:
    columns = ("unit_id", "feed", "first_event_at", "last_event_at", "last_business_date")
    rows = [
        (unit_id, feed, progress.first_event_at, progress.last_event_at, progress.last_business_date)
        for (unit_id, feed), progress in sorted(changes.progress.items(), key=lambda item: item[0])
    ]
    write(connection, _FEED, columns, rows, extending(_FEED, least=columns[2:3], greatest=columns[3:]))


def _post_activity(connection: Connection, changes: Changes) -> None:
    rows = [
        (*place, activity.events, activity.records, activity.first_minute, activity.last_minute)
        for place, activity in sorted(changes.activity.items(), key=lambda item: item[0])
    ]
    on_conflict = adding(connection, _FEED_HOUR, ("events", "records"))
    extremes = extending(_FEED_HOUR, least=("first_minute",), greatest=("last_minute",)).removeprefix("DO UPDATE SET")
    columns = ("unit_id", "feed", "hour", "events", "records", "first_minute", "last_minute")
    write(connection, _FEED_HOUR, columns, rows, f"{on_conflict},{extremes}")


def _post_sent(connection: Connection, changes: Changes) -> None:
    rows = [
        (*place, *(getattr(sent, name) for name in _SENT))
        for place, sent in sorted(changes.sent.items(), key=lambda item: item[0])
    ]
    on_conflict = adding(connection, _SENT_DAY, _SENT[:5])
    extremes = extending(_SENT_DAY, least=(), greatest=_SENT[5:]).removeprefix("DO UPDATE SET")
    write(connection, _SENT_DAY, (*_SENT_PLACE, *_SENT), rows, f"{on_conflict},{extremes}")


def _post_hours(connection: Connection, hours: set[int]) -> None:
    """Only those that are not there: whoever writes an hour makes others wait who write it too."""
    if hours:
        known = connection.execute(select(_HOUR.c.hour).where(_HOUR.c.hour.between(min(hours), max(hours)))).scalars()
        write(connection, _HOUR, ("hour",), [(hour,) for hour in sorted(hours.difference(known))], NOTHING)


def _post_streams(connection: Connection, streams: Mapping[StreamKey, Stream]) -> None:
    """The rows are there, and ours: they were locked when they were read."""
    rows = [
        (
            *key,
            *(getattr(stream, name) for name in COUNTS),
            *map(_days, (stream.last_date, stream.oldest_date, stream.newest_date)),
        )
        for key, stream in sorted(streams.items())
    ]
    write(connection, _STREAM, (*_STREAM_KEY, *COUNTS, *DAYS), rows, replacing((*COUNTS, *DAYS)))


def _post_gaps(connection: Connection, streams: Mapping[StreamKey, Stream], before: Mapping[StreamKey, Before]) -> None:
    """Only gaps that were opened, split, shrunk or closed."""
    gone = [(*key, gap.first) for key in streams for gap in before[key].gaps.difference(streams[key].gaps)]
    new = [
        (*key, gap.first, gap.last, _days(gap.after), _days(gap.before))
        for key, stream in streams.items()
        for gap in set(stream.gaps).difference(before[key].gaps)
    ]
    erase(connection, _GAP, (*_STREAM_KEY, "first_missing"), sorted(gone))
    write(connection, _GAP, (*_STREAM_KEY, "first_missing", "last_missing", "after_day", "before_day"), sorted(new, key=_place))


def _place(row: Row) -> Row:
    return row[:4]


def _days(day: date | None) -> int | None:
    return None if day is None else to_days(day)
