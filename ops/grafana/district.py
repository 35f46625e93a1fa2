"""District: a district and the hospitals in it: who is behind, and what is asked of them. Core."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from monitor.board.pages.units import CONDITION_WORDS
from ops.grafana.database import LEDGER, counted, sql_bars, sql_choice, sql_number, sql_rows
from ops.grafana.month import CHOSEN, MONTH, bulletin_of, missing
from ops.grafana.panels import GOOD_UNTIL_ONE, Panel, Place, Step, board
from schemas.register import UnitKind

_ITS: Final = "(unit_id = '$district' OR district = '$district')"
"""The district's own rows and those of the hospitals in it."""
_ITS_UNITS: Final = f"unit_id IN (SELECT unit_id FROM register_unit WHERE {_ITS})"
_DISTRICTS: Final = "SELECT name_zh AS __text, unit_id AS __value FROM register_unit WHERE kind = 'district' ORDER BY place"
_OVERDUE: Final = "condition IN ('silent', 'never_seen')"
_CONDITION: Final = "状态 condition"
_FEED: Final = "通道 feed"


def district() -> Dashboard:
    """One district, chosen above, in the month that is chosen."""
    panels: list[Panel] = [
        sql_number(
            "逾期通道 · Feeds overdue",
            "Feeds of the district and its hospitals that are past their deadline now.",
            f"SELECT count(*) AS feeds FROM unit_status WHERE {_ITS} AND {_OVERDUE}",
            "short",
            Place(0, 0, 6, 4),
            GOOD_UNTIL_ONE,
        ),
        sql_number(
            "缺号 · Sequence numbers missing",
            "Uploads that were sent and never arrived. `hipwatch gaps --unit` says what to ask for.",
            f"SELECT coalesce(sum(last_missing - first_missing + 1), 0) AS numbers FROM open_gap WHERE {_ITS_UNITS}",
            "short",
            Place(6, 0, 6, 4),
            (Step(None, "green"), Step(1, "orange")),
        ),
        sql_number(
            "未关闭的发现 · Findings open",
            "What the rules find wrong with the district and its hospitals now; the table below has them.",
            f"SELECT count(*) AS findings FROM finding WHERE closed_at IS NULL AND {_ITS_UNITS}",
            "short",
            Place(12, 0, 6, 4),
            (Step(None, "green"), Step(1, "orange")),
        ),
        sql_number(
            "记录数 · Records in the month",
            "Records of scheduled uploads in the month that is chosen.",
            f"SELECT sum(records) AS records FROM bulletin_month WHERE {MONTH} AND {_ITS}",
            "short",
            Place(18, 0, 6, 4),
            (Step(None, "text"),),
        ),
        sql_rows(
            "单位与通道 · Units and feeds, overdue longest first",
            "What the page shows: condition, last upload, deadline, and for how long it has been overdue in platform time.",
            f"""SELECT name_zh AS "单位", feed AS "{_FEED}", condition AS "{_CONDITION}", overdue_seconds AS "逾期 overdue",
            last_event_at AS "最近上传 last upload", deadline AS "应到时间 deadline" FROM unit_status WHERE {_ITS}
            ORDER BY overdue_seconds DESC NULLS LAST, place, feed""",
            Place(0, 4, 12, 10),
            units={"逾期 overdue": "s"},
            words={
                _CONDITION: {condition.value: zh for condition, (_, zh) in CONDITION_WORDS.items()},
                _FEED: {"scheduled": "定时上传", "realtime": "实时上传"},
            },
        ),
        sql_bars(
            "各月记录数 · Records by month",
            "Scheduled records of the district and its hospitals in the last twelve months for which anything was sent.",
            f"""SELECT * FROM (SELECT to_char(month, 'YYYY-MM') AS "月份", sum(records) AS "记录 records" FROM bulletin_month
            WHERE {_ITS} GROUP BY month ORDER BY month DESC LIMIT 12) AS latest ORDER BY 1""",
            Place(12, 4, 12, 10),
        ),
        sql_rows(
            "月报 · The month's bulletin",
            "The bulletin's numbers. A cell without a number was never declared or carried: that is not 0.",
            bulletin_of(UnitKind.DISTRICT, _ITS),
            Place(0, 14, 24, 7),
            missing=missing(UnitKind.DISTRICT),
        ),
        sql_rows(
            "表的阶梯 · The table ladder",
            "Tables of the running month: required, declared, ever uploaded, uploaded this month, declared and never uploaded.",
            f"""SELECT unit_zh AS "单位", {counted("required", "规定 required")},
            CASE WHEN bool_or(declared) IS NOT NULL THEN count(*) FILTER (WHERE declared) END AS "申明 declared",
            {counted("uploaded_ever", "曾上传 ever")}, {counted("uploaded_this_month", "本月 this month")},
            {counted("declared AND NOT uploaded_ever", "申明未传 declared only")}
            FROM table_ladder WHERE {_ITS} GROUP BY unit_id, unit_zh, kind ORDER BY kind, unit_zh""",
            Place(0, 21, 12, 8),
            missing={"申明 declared": "未反馈"},
        ),
        sql_rows(
            "未关闭的发现 · Open findings, gravest first",
            "What is wrong since when, and what to ask the unit for. Empty is good.",
            f"""SELECT u.name_zh AS "单位", f.since AS "自 since", f.what_zh AS "发现 what", f.ask_zh AS "请求 ask"
            FROM finding AS f JOIN register_unit AS u USING (unit_id) WHERE f.closed_at IS NULL AND {_ITS}
            ORDER BY array_position(ARRAY['page', 'ticket', 'summary'], f.severity), f.since""",
            Place(12, 21, 12, 8),
        ),
    ]
    chosen = sql_choice("district", "区 · District", _DISTRICTS)
    return board("hipwatch-district", "区 · District", "A district and its hospitals.", panels, LEDGER, chosen, CHOSEN)
