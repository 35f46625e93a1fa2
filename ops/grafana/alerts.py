"""Alerts' quality: how often people are called, how soon, by what, and how much of it was worth it. Core."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitor.ledger.incident_changes import BY_LEDGER, BY_MONITOR, BY_SENDER
from ops.grafana.database import LEDGER, counted, sql_bars, sql_number, sql_rows
from ops.grafana.panels import GOOD_UNTIL_ONE, Panel, Place, Step, board

_LATELY: Final = "opened_at >= $__unixEpochFrom() * 1000::bigint AND opened_at < $__unixEpochTo() * 1000::bigint"
"""What was opened in the time that is shown."""
_DAY: Final = "to_char(to_timestamp(opened_at / 1000.0) AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')"
_REOPENED: Final = "sum((change - 1) / 2)"
"""`change` counts openings and closings."""
_BRIEF: Final = "closed_at - opened_at < 600000"
_PLAIN: Final = (Step(None, "text"),)
_OPEN_FOR: Final = "历时中位数 open for"
_TO_ACK: Final = "确认用时中位数 to acknowledge"
_TO_DELIVER: Final = "送达用时中位数 to deliver"


def alerts() -> Dashboard:
    """What the incident log says of the alerts themselves, in the time that is shown."""
    panels: list[Panel] = [
        sql_number(
            "未关闭的事件 · Incidents open",
            "Incidents that are open now, whenever they were opened.",
            "SELECT count(*) AS incidents FROM incident WHERE closed_at IS NULL",
            "short",
            Place(0, 0, 4, 4),
            (Step(None, "green"), Step(1, "orange")),
        ),
        sql_number(
            "未确认的电话级事件 · Pages nobody has taken",
            "Open incidents that call somebody at once, and that nobody has acknowledged.",
            "SELECT count(*) AS pages FROM incident WHERE severity = 'page' AND closed_at IS NULL AND acknowledged_at IS NULL",
            "short",
            Place(4, 0, 4, 4),
            GOOD_UNTIL_ONE,
        ),
        sql_number(
            "电话级事件 · Pages",
            "Incidents that called somebody at once, in the time that is shown. A normal month has at most two.",
            f"SELECT count(*) AS incidents FROM incident WHERE severity = 'page' AND {_LATELY}",
            "short",
            Place(8, 0, 4, 4),
            (Step(None, "green"), Step(3, "orange")),
        ),
        sql_number(
            "重新打开 · Opened again",
            "How often an incident was opened again after it had been closed: an alert that flaps.",
            f"SELECT coalesce({_REOPENED}, 0) AS times FROM incident WHERE {_LATELY}",
            "short",
            Place(12, 0, 4, 4),
            (Step(None, "green"), Step(1, "orange")),
        ),
        sql_number(
            "十分钟内关闭 · Closed within ten minutes",
            "Incidents that were over before anybody could do anything: raised too early, or not worth a message.",
            f"SELECT count(*) AS incidents FROM incident WHERE {_LATELY} AND {_BRIEF}",
            "short",
            Place(16, 0, 4, 4),
            (Step(None, "green"), Step(1, "orange")),
        ),
        sql_number(
            "确认用时 · Time to acknowledge",
            "Median wall time from opening to acknowledgement, of the pages that somebody acknowledged.",
            f"SELECT {_median('acknowledged_at - opened_at')} AS seconds FROM incident WHERE severity = 'page' AND {_LATELY}",
            "s",
            Place(20, 0, 4, 4),
            (Step(None, "green"), Step(900, "orange"), Step(3600, "red")),
        ),
        sql_bars(
            "每日新事件 · Incidents opened by day",
            "By what they ask for: a call at once, a ticket for the working day, or neither. Days are Beijing days.",
            f"""SELECT {_DAY} AS "日期", {counted("severity = 'page'", "电话 page")},
            {counted("severity = 'ticket'", "工单 ticket")},
            {counted("severity IS NULL OR severity NOT IN ('page', 'ticket')", "其他 other")}
            FROM incident WHERE {_LATELY} GROUP BY 1 ORDER BY 1""",
            Place(0, 4, 12, 9),
        ),
        sql_rows(
            "消息 · Messages by target",
            "Messages to robots, webhooks and mailboxes: delivered, waiting, given up, and how long delivery took.",
            f"""SELECT target AS "接收方 target", {counted("state = 'sent'", "已送达 sent")},
            {counted("state = 'waiting'", "等待 waiting")},
            {counted("state = 'given_up'", "放弃 given up")}, {_median("settled_at - due_at")} AS "{_TO_DELIVER}"
            FROM outbox_message WHERE {_LATELY.replace("opened_at", "created_at")} GROUP BY target ORDER BY target""",
            Place(12, 4, 12, 9),
            units={_TO_DELIVER: "s"},
        ),
        sql_rows(
            "各告警 · By alert",
            "Which alert costs most attention: how often it was opened, opened again, over within ten minutes, closed by a "
            "person; how long it stays open and waits for somebody.",
            f"""SELECT alertname AS "告警 alert", max(severity) AS "级别 severity", count(*) AS "次数 opened",
            {_REOPENED} AS "重开 again", {counted(_BRIEF, "十分钟内 brief")},
            {counted(f"closed_by NOT IN ('{BY_LEDGER}', '{BY_SENDER}', '{BY_MONITOR}')", "人工关闭 by a person")},
            {_median("closed_at - opened_at")} AS "{_OPEN_FOR}", {_median("acknowledged_at - opened_at")} AS "{_TO_ACK}"
            FROM incident WHERE {_LATELY} GROUP BY alertname ORDER BY 3 DESC, 1""",
            Place(0, 13, 12, 12),
            units={_OPEN_FOR: "s", _TO_ACK: "s"},
            missing={_OPEN_FOR: "—", _TO_ACK: "—"},
        ),
        sql_rows(
            "各单位 · By unit",
            "Whom most messages are about: a unit that stands out needs a visit, or another rhythm.",
            f"""SELECT u.name_zh AS "单位", count(*) AS "次数 opened", {_REOPENED} AS "重开 again",
            {counted(_BRIEF, "十分钟内 brief")} FROM incident JOIN register_unit AS u USING (unit_id)
            WHERE {_LATELY} GROUP BY u.name_zh, u.place ORDER BY 2 DESC, u.place LIMIT 20""",
            Place(12, 13, 12, 12),
        ),
    ]
    return board(
        "hipwatch-alerts", "告警质量 · Alerts' quality", "Whether the alerts are worth it.", panels, LEDGER, since="now-30d"
    )


def _median(millis: str) -> str:
    """In seconds; NULL while there is none."""
    return f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {millis}) / 1000"
