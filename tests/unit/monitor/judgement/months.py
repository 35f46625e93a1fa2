"""A shipped month as the rules' rows: every event of the simulator counted by plain sums, sharing nothing with the fold."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from hipwatch.replay import plan_of
from ingest.scenario import find_scenario, load_scenario
from ingest.simulator.events import events
from monitor.counting.feeds import Feed
from monitor.counting.unit_days import (
    Arrivals,
    DeclarationRow,
    FeedRow,
    FormRow,
    HealthDay,
    Measures,
    UnitDays,
    UploadRow,
)
from monitor.judgement.calendar import Calendar
from monitor.judgement.facts import CityFacts
from monitor.judgement.find import special_days
from monitor.judgement.gather import gather
from schemas.clock import local_date, start_of_day
from schemas.events import CdaDocuments, Declaration, Event, HealthRecords, RealtimeForms
from schemas.register import load_register

MEASURES = ("outpatient_visits", "discharges", "outpatient_revenue_cents", "inpatient_revenue_cents")


@cache
def month_facts(name: str) -> CityFacts:
    """The city at the end of the day after the one that follows the month: its last dates are due."""
    register = load_register()
    scenario = load_scenario(find_scenario(name), register)
    today = scenario.period.last + timedelta(days=2)
    rows = rows_of(events(plan_of(scenario, register)))
    return gather(register, start_of_day(today), rows, special_days(Calendar(), today))


def rows_of(of_month: Iterable[Event]) -> UnitDays:
    uploads: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, None, None, None, None])
    forms: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    arrivals: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    moments: dict[tuple[str, Feed], list[datetime]] = {}
    declarations: list[DeclarationRow] = []
    health: list[tuple[str, HealthDay]] = []
    ever = set()
    for event in of_month:
        if isinstance(event, CdaDocuments):
            feed, sums = Feed.SCHEDULED, uploads[event.unit_id, event.table_code, event.business_date]
            for place, measure in enumerate(MEASURES, 2):
                value = getattr(event, measure)
                sums[place] = sums[place] if value is None else value + (sums[place] or 0)
            if event.record_count:
                ever.add((event.unit_id, event.table_code))
        elif isinstance(event, RealtimeForms):
            feed, sums = Feed.REALTIME, forms[event.unit_id, event.form_code, event.business_date]
        elif isinstance(event, Declaration):
            declarations.append(DeclarationRow(event.unit_id, event.event_time, frozenset(event.table_codes)))
            continue
        else:
            assert isinstance(event, HealthRecords)
            totals = HealthDay(event.business_date, event.base_total, event.hypertension_total, event.diabetes_total)
            health.append((event.unit_id, totals))
            continue
        sums[0] += 1
        sums[1] += event.record_count
        sent: date = local_date(event.event_time)
        came = arrivals[event.unit_id, feed, sent, event.business_date]
        came[0] += 1
        came[1] += event.record_count
        came[2] += not event.record_count
        moments.setdefault((event.unit_id, feed), [event.event_time, event.event_time])[1] = event.event_time
    return UnitDays(
        [UploadRow(unit_id, code, day, sums[0], sums[1], Measures(*sums[2:])) for (unit_id, code, day), sums in uploads.items()],
        [FormRow(*key, *sums) for key, sums in forms.items()],
        [(unit_id, feed, Arrivals(sent, day, *came)) for (unit_id, feed, sent, day), came in arrivals.items()],
        [FeedRow(*key, *first_and_last) for key, first_and_last in moments.items()],
        ever,
        declarations,
        health,
    )
