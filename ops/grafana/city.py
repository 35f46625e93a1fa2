"""City: who is silent, at a glance, and what the whole city delivers. Core."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from ops.grafana.panels import GOOD_UNTIL_ONE, PROMETHEUS, Panel, Place, Step, board, number, rows, states
from ops.grafana.shared import clock_stands_still, events_by_topic, missing_numbers

OVERDUE: Final = (
    "(max(hip_platform_clock_timestamp_seconds) - on () group_right ()"
    ' max by (unit_id, feed) (hip_feed_condition_since_timestamp_seconds{condition=~"silent|never_seen"}))'
)
"""Platform time since the deadline, of the feeds that are overdue."""


def overdue_or_not(labels: str) -> str:
    """1 for each feed of a unit that is overdue, 0 for the others of which something is expected."""
    overdue = f'max by (unit_id, feed) (hip_feed_condition{{{labels}, condition=~"silent|never_seen"}})'
    expected = f'max by (unit_id, feed) (hip_feed_condition{{{labels}, condition!~"inactive|not_expected"}})'
    return f"({overdue} or 0 * {expected})"


NAME: Final = " * on (unit_id) group_left (name_zh, kind) topk by (unit_id) (1, hip_unit_info)"
SILENT_WORDS: Final = {"0": ("正常", "green"), "1": ("逾期", "red")}


def city() -> Dashboard:
    """The dashboard that stands on the wall."""
    panels: list[Panel] = [
        number(
            "逾期通道 · Feeds overdue",
            "Feeds of units that are past their deadline, in platform time. Any is worth a look; the table below names them.",
            f"count({OVERDUE}) or 0 * max(hip_platform_clock_timestamp_seconds)",
            "short",
            Place(0, 0, 6, 5),
            GOOD_UNTIL_ONE,
        ),
        number(
            "从未上传的单位 · Units never seen",
            "Registered units that never uploaded on any feed.",
            "count(hip_unit_seen == 0) or 0 * count(hip_unit_seen)",
            "short",
            Place(6, 0, 6, 5),
            (Step(None, "green"), Step(1, "orange")),
        ),
        clock_stands_still(Place(12, 0, 6, 5)),
        missing_numbers("", Place(18, 0, 6, 5)),
        rows(
            "逾期通道明细 · Feeds overdue, longest first",
            "Unit, feed, and how long it has been overdue in platform time. Empty is good.",
            {"逾期 overdue": f"sort_desc({OVERDUE}{NAME})"},
            "unit_id",
            Place(0, 5, 12, 10),
            {"逾期 overdue": "s"},
        ),
        events_by_topic(Place(12, 5, 12, 10)),
        states(
            "定时上传 · Scheduled feed, by unit",
            "Red while a unit's scheduled feed is past its deadline.",
            overdue_or_not('feed="scheduled"') + NAME,
            "{{name_zh}}",
            SILENT_WORDS,
            Place(0, 15, 12, 24),
        ),
        states(
            "实时上传 · Realtime feed, by unit",
            "Red while a unit's realtime feed is past its deadline.",
            overdue_or_not('feed="realtime"') + NAME,
            "{{name_zh}}",
            SILENT_WORDS,
            Place(12, 15, 12, 24),
        ),
    ]
    return board("hipwatch-city", "全市上传总览 · City", "Who is silent, at a glance.", panels, PROMETHEUS)
