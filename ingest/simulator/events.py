"""A plan becomes events, one at a time. Core.

Invariant: events come in the order of (event time, unit, topic); within (unit, topic) `sequence` runs 1, 2, 3 … without
gaps, and nothing but the plan is held in memory.
"""

import heapq
from collections.abc import Iterator
from datetime import timedelta
from hashlib import blake2b
from typing import Final

from ingest.simulator.apportion import share
from ingest.simulator.plan import Plan, UnitPlan
from ingest.simulator.realtime import realtime_moments
from ingest.simulator.rhythm import MINUTE, at
from ingest.simulator.scheduled import Batch
from schemas.clock import from_millis
from schemas.events import CdaDocuments, Declaration, Event, HealthRecords, RealtimeForms
from schemas.simulated import MARK
from schemas.topics import Topic

_Item = tuple[int, str, str, int, Event]
"""Epoch milliseconds, unit, topic, sequence, event: sorts without ever comparing two events."""
_DECLARED_FROM: Final = 9 * 60
"""Declarations are sent between 09:00 and 10:00 (minutes after midnight) on the eve of the month."""


def events(plan: Plan) -> Iterator[Event]:
    """Every event of the plan, lazily, ordered by (event_time, unit_id, topic, sequence). Repeatable."""
    streams = [stream for unit in plan.units for stream in _streams(plan, unit)]
    return (item[4] for item in heapq.merge(*streams))


def _streams(plan: Plan, unit: UnitPlan) -> Iterator[Iterator[_Item]]:
    yield _scheduled(plan, unit)
    yield _realtime(plan, unit)
    yield _declaration(plan, unit)
    yield _snapshots(plan, unit)


class _Identity:
    """Event ids of one (series, topic, unit): the same for the same sequence in every run, and as they were before the mark."""

    __slots__ = ("_begun",)

    def __init__(self, plan: Plan, topic: Topic, unit: UnitPlan) -> None:
        self._begun = blake2b(f"{plan.series.removeprefix(MARK)}|{topic}|{unit.unit_id}|".encode(), digest_size=16)

    def of(self, sequence: int) -> str:
        digest = self._begun.copy()
        digest.update(b"%d" % sequence)
        return digest.hexdigest()


def _scheduled(plan: Plan, unit: UnitPlan) -> Iterator[_Item]:
    identity = _Identity(plan, Topic.CDA_DOCUMENTS, unit)
    sequence = 0
    for batch in unit.scheduled.batches:
        parts = plan.events_of(batch)
        for part in range(parts):
            sequence += 1
            millis = batch.begins + batch.lasts * part // parts
            event = _documents(plan, unit, batch, part, parts, millis, sequence, identity.of(sequence))
            yield millis, unit.unit_id, Topic.CDA_DOCUMENTS, sequence, event


def _documents(
    plan: Plan, unit: UnitPlan, batch: Batch, part: int, parts: int, millis: int, sequence: int, event_id: str
) -> CdaDocuments:
    """Part `part` of the batch's `parts`, with its exact share of documents and measures."""
    measures = batch.measures
    return CdaDocuments(
        event_id,
        unit.unit_id,
        batch.table,
        batch.business_date,
        from_millis(millis),
        plan.series,
        sequence,
        share(batch.records, part, parts),
        _carried(measures.outpatient_visits, part, parts),
        _carried(measures.discharges, part, parts),
        _carried(measures.outpatient_revenue_cents, part, parts),
        _carried(measures.inpatient_revenue_cents, part, parts),
    )


def _carried(total: int | None, part: int, parts: int) -> int | None:
    return None if total is None else share(total, part, parts)


def _realtime(plan: Plan, unit: UnitPlan) -> Iterator[_Item]:
    identity = _Identity(plan, Topic.REALTIME_FORMS, unit)
    sequence = 0
    for day, forms in unit.realtime.days.items():
        random = plan.random_for(unit.unit_id, f"realtime of {day}")
        turn = random.randrange(len(forms))
        for millis in realtime_moments(day, unit.realtime.pace, random):
            sequence += 1
            event = RealtimeForms(
                identity.of(sequence),
                unit.unit_id,
                forms[(turn + sequence) % len(forms)],
                day,
                from_millis(millis),
                plan.series,
                sequence,
                random.randint(1, unit.realtime.largest),
            )
            yield millis, unit.unit_id, Topic.REALTIME_FORMS, sequence, event


def _declaration(plan: Plan, unit: UnitPlan) -> Iterator[_Item]:
    tables = unit.scheduled.declared
    if tables is None:
        return
    eve = plan.period.first - timedelta(days=1)
    millis = at(eve, _DECLARED_FROM) + plan.random_for(unit.unit_id, "declaration").randrange(60 * MINUTE)
    identity = _Identity(plan, Topic.DECLARATIONS, unit)
    event = Declaration(identity.of(1), unit.unit_id, from_millis(millis), plan.series, 1, tables)
    yield millis, unit.unit_id, Topic.DECLARATIONS, 1, event


def _snapshots(plan: Plan, unit: UnitPlan) -> Iterator[_Item]:
    if unit.snapshots is None:
        return
    identity = _Identity(plan, Topic.HEALTH_RECORDS, unit)
    for sequence, (day, totals) in enumerate(zip(plan.period.days, unit.snapshots.totals, strict=True), 1):
        millis = at(day, unit.snapshots.minute)
        event = HealthRecords(identity.of(sequence), unit.unit_id, day, from_millis(millis), plan.series, sequence, *totals)
        yield millis, unit.unit_id, Topic.HEALTH_RECORDS, sequence, event
