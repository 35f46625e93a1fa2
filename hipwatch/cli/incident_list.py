"""Incidents as lines of text: columns that line up, nothing cut, whether a terminal reads them or a pipe. Core.

All text of others is made visible first: an escape, a new line or a turned direction cannot forge a line of the list.
"""

from collections.abc import Sequence
from typing import Final

from hipwatch.cli.aligned import aligned
from monitor.ledger.tables.paging import Incident, IncidentEvent
from schemas.clock import local_text
from schemas.visible import one_line

_HEADINGS: Final = ("number", "opened", "closed", "platform time", "alert", "unit", "feed", "state", "deliveries", "summary")
_SECONDS: Final = "%Y-%m-%d %H:%M:%S"


def incident_lines(incidents: Sequence[Incident]) -> list[str]:
    """A heading and one line for each incident. Times are Asia/Shanghai."""
    return aligned([_HEADINGS, *map(_row, incidents)])


def life_lines(incident: Incident, life: Sequence[IncidentEvent]) -> list[str]:
    """One incident's facts, then a line for each event of its life."""
    facts = [
        ("incident", f"{incident.id}: {one_line(incident.alertname)} ({state_of(incident)})"),
        ("unit", one_line(incident.unit_id or "—")),
        ("feed", one_line(incident.feed or "—")),
        ("severity", one_line(incident.severity or "—")),
        ("summary", one_line(incident.summary_zh or incident.summary)),
        ("began", f"{local_text(incident.began_at)} (platform time: the deadline that passed)"),
        ("ended", f"{local_text(incident.ended_at)} (platform time: the recovery)"),
        ("sender says it is over", "since " + local_text(incident.resolved_at, _SECONDS) if incident.resolved_at else "no"),
        ("deliveries", f"{incident.deliveries}, the last {local_text(incident.last_delivery_at, _SECONDS)}"),
    ]
    events = [(local_text(event.at, _SECONDS), event.kind, one_line(event.by), one_line(event.text)) for event in life]
    return [*aligned(facts), "", *aligned([("when", "what", "by", "note"), *events])]


def state_of(incident: Incident) -> str:
    """One word for where it stands; with how often it was opened again."""
    if incident.closed_at is not None:
        word = f"closed by {one_line(incident.closed_by or '—')}"
    elif incident.acknowledged_by:
        word = f"acknowledged by {one_line(incident.acknowledged_by)}"
    else:
        word = "open"
    return f"{word}, reopened {incident.reopened}×" if incident.reopened else word


def _row(incident: Incident) -> tuple[str, ...]:
    return (
        str(incident.id),
        local_text(incident.opened_at, _SECONDS),
        local_text(incident.closed_at, _SECONDS),
        local_text(incident.platform_time),
        one_line(incident.alertname),
        one_line(incident.unit_id or "—"),
        one_line(incident.feed or "—"),
        state_of(incident),
        str(incident.deliveries),
        one_line(incident.summary_zh or incident.summary),
    )
