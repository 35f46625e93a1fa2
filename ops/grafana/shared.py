"""Panels that stand on several dashboards. Core."""

from ops.grafana.panels import Panel, Place, Step, lines, number


def clock_stands_still(place: Place) -> Panel:
    """How long our own platform clock has not moved."""
    return number(
        "平台时钟停滞 · Platform clock stands still for",
        "Wall time since the platform clock last moved. While it stands still we are not counting, and nobody is blamed.",
        "time() - max(hip_platform_clock_advanced_timestamp_seconds)",
        "s",
        place,
        (Step(None, "green"), Step(900, "orange"), Step(3600, "red")),
    )


def events_by_topic(place: Place) -> Panel:
    """What is counted."""
    return lines(
        "每小时事件 · Events counted per hour",
        "Events by topic. A line that falls to zero while others go on is a feed that is out.",
        {"{{topic}}": "sum by (topic) (increase(hip_events_total[1h]))"},
        "short",
        place,
    )


def missing_numbers(labels: str, place: Place) -> Panel:
    """The gaps of all units, or of those that `labels` choose."""
    return number(
        "缺号 · Sequence numbers missing",
        "Uploads that were sent and never arrived. `hipwatch gaps` says what to ask for.",
        f"sum(hip_missing_sequences{{{labels}}}) or 0 * max(hip_snapshot_timestamp_seconds)",
        "short",
        place,
        (Step(None, "green"), Step(1, "orange")),
    )
