"""Incidents as lines of text: columns that line up, nothing cut, whether a terminal reads them or a pipe. Core."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from monitor.tables import Incident
from schemas.clock import local_text

_HEADINGS: Final = ("opened", "closed", "platform time", "alert", "unit", "feed", "deliveries", "summary")


def incident_lines(incidents: Sequence[Incident]) -> list[str]:
    """A heading and one line for each incident. Times are Asia/Shanghai."""
    rows = [_HEADINGS, *map(_row, incidents)]
    widths = [max(cell_len(row[index]) for row in rows) for index in range(len(_HEADINGS))]
    return ["  ".join(_padded(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(incident: Incident) -> tuple[str, ...]:
    return (
        local_text(incident.opened_at, "%Y-%m-%d %H:%M:%S"),
        local_text(incident.closed_at, "%Y-%m-%d %H:%M:%S"),
        local_text(incident.platform_time),
        incident.alertname,
        incident.unit_id or "—",
        incident.feed or "—",
        str(incident.deliveries),
        " ".join((incident.summary_zh or incident.summary).split()),
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))  # a Chinese character takes two columns of a terminal
