"""Unit: both feeds of one unit, its numbers and what is missing. Core."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from ops.grafana.city import SILENT_WORDS, overdue_or_not
from ops.grafana.panels import PROMETHEUS, Panel, Place, Step, board, choice, lines, number, states
from ops.grafana.shared import missing_numbers

_THIS: Final = 'unit_id="$unit"'
_PLAIN: Final = (Step(None, "text"),)


def _count(title: str, description: str, metric: str, x: int, unit: str = "short") -> Panel:
    return number(title, description, f"{metric}{{{_THIS}}}", unit, Place(x, 5, 4, 4), _PLAIN)


def unit() -> Dashboard:
    """One unit, chosen above."""
    left = 'max(hip_feed_deadline_timestamp_seconds{%s, feed="%s"}) - max(hip_platform_clock_timestamp_seconds)'
    steps = (Step(None, "red"), Step(0, "orange"), Step(3600, "green"))
    panels = [
        number(
            "定时上传距截止 · Scheduled: time left",
            "Platform time until the scheduled feed becomes overdue; negative since it is.",
            left % (_THIS, "scheduled"),
            "s",
            Place(0, 0, 8, 5),
            steps,
        ),
        number(
            "实时上传距截止 · Realtime: time left",
            "Platform time until the realtime feed becomes overdue; negative since it is.",
            left % (_THIS, "realtime"),
            "s",
            Place(8, 0, 8, 5),
            steps,
        ),
        missing_numbers(_THIS, Place(16, 0, 8, 5)),
        _count("规定表 · Required", "Tables that the unit has to upload.", "hip_unit_month_tables_required", 0),
        _count("声明表 · Declared", "Tables that the unit declared; empty: never.", "hip_unit_month_tables_declared", 4),
        _count("曾上传表 · Ever uploaded", "Distinct tables ever uploaded.", "hip_unit_month_tables_ever_uploaded", 8),
        _count(
            "本月上传表 · Uploaded this month",
            "Distinct tables with any record this month.",
            "hip_unit_month_tables_uploaded",
            12,
        ),
        _count(
            "上传天数 · Upload days", "Business dates of this month with any scheduled record.", "hip_unit_month_upload_days", 16
        ),
        _count("实时天数 · Realtime days", "Days of this month with any realtime form.", "hip_unit_month_realtime_days", 20),
        states(
            "两个通道 · Both feeds",
            "Red while a feed is past its deadline.",
            overdue_or_not(_THIS),
            "{{feed}}",
            SILENT_WORDS,
            Place(0, 9, 24, 6),
        ),
        lines(
            "本月记录累计 · Records this month",
            "Grows through the month; a flat line is a unit that sends nothing.",
            {"records": f"hip_unit_month_records{{{_THIS}}}"},
            "short",
            Place(0, 15, 12, 9),
        ),
        lines(
            "门急诊与出院 · Visits and discharges this month",
            "As carried by the uploads; no line where none was ever carried.",
            {
                "visits": f"hip_unit_month_outpatient_visits{{{_THIS}}}",
                "discharges": f"hip_unit_month_discharges{{{_THIS}}}",
            },
            "short",
            Place(12, 15, 12, 9),
        ),
    ]
    chosen = choice("unit", "单位 · Unit", "label_values(hip_unit_info, unit_id)")
    return board("hipwatch-unit", "单位 · Unit", "One unit: feeds, numbers, gaps.", panels, PROMETHEUS, chosen)
