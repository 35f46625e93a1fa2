"""Pipeline: our own health, from the broker to the alert. Core."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from ops.grafana.panels import GOOD_UNTIL_ONE, PROMETHEUS, Panel, Place, Step, board, lines, number
from ops.grafana.shared import clock_stands_still, events_by_topic


def pipeline() -> Dashboard:
    """What has to be well before anything about a unit can be believed."""
    panels: list[Panel] = [
        number(
            "监测程序 · hipwatch answers",
            "1 while Prometheus can scrape hipwatch. At 0 nobody is watching the units.",
            'max(up{job="hipwatch"}) or vector(0)',
            "short",
            Place(0, 0, 6, 5),
            (Step(None, "red"), Step(1, "green")),
        ),
        number(
            "台账读取 · Age of the last reading",
            "Wall time since the ledger was last read. More than two minutes: the database is away.",
            "time() - max(hip_snapshot_timestamp_seconds)",
            "s",
            Place(6, 0, 6, 5),
            (Step(None, "green"), Step(60, "orange"), Step(120, "red")),
        ),
        clock_stands_still(Place(12, 0, 6, 5)),
        number(
            "告警通路 · Watchdog not heard for",
            "Wall time since the Watchdog alert last came back to hipwatch. More than five minutes: nobody is being paged.",
            "time() - max(hip_watchdog_last_received_timestamp_seconds)",
            "s",
            Place(18, 0, 6, 5),
            (Step(None, "green"), Step(120, "orange"), Step(300, "red")),
        ),
        events_by_topic(Place(0, 5, 12, 9)),
        lines(
            "重复 · Duplicates per second",
            "Events that came again and were not counted again. A burst is a unit that re-sends.",
            {"{{topic}}": "sum by (topic) (rate(hip_duplicates_total[5m]))"},
            "short",
            Place(12, 5, 12, 9),
        ),
        lines(
            "死信 · Dead letters per hour",
            "Messages that could not be counted, by reason; `hipwatch dead-letters list` has them.",
            {"{{reason}}": "sum by (reason) (increase(hip_dead_letters_total[1h])) > 0"},
            "short",
            Place(0, 14, 12, 9),
        ),
        number(
            "死信合计 · Dead letters in all",
            "Since the ledger began.",
            "sum(hip_dead_letters_total)",
            "short",
            Place(12, 14, 12, 9),
            GOOD_UNTIL_ONE,
        ),
        lines(
            "探测事件 · The canary's delay",
            "From its event time until it was counted (ledger) and until serve read it (serve); of a topic the slowest partition."
            " Empty where no canary is sent.",
            {"{{topic}} {{until}}": "max by (topic, until) (hip_canary_delay_seconds)"},
            "s",
            Place(0, 23, 12, 9),
        ),
        number(
            "探测事件 · Age of the canary's last event",
            "Of all partitions the oldest. More than two and a half minutes: something on the way does not work.",
            "time() - min(max by (topic, partition) (hip_canary_last_event_timestamp_seconds))",
            "s",
            Place(12, 23, 12, 9),
            (Step(None, "green"), Step(90, "orange"), Step(150, "red")),
        ),
    ]
    return board("hipwatch-pipeline", "监测通路 · Pipeline", "Our own health, from the broker to the alert.", panels, PROMETHEUS)
