"""Month: the bulletin of any month, with the print's headings. Core."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from ops.grafana.database import LEDGER, sql_choice, sql_number, sql_rows
from ops.grafana.panels import Panel, Place, Step, board
from schemas.bulletin.columns import Form
from schemas.register import UnitKind

MONTH: Final = "month = to_date('$month', 'YYYY-MM')"
"""The rows of the month that is chosen."""
CHOSEN: Final = sql_choice(
    "month", "月份 · Month", "SELECT DISTINCT to_char(month, 'YYYY-MM') FROM bulletin_month ORDER BY 1 DESC"
)
UNIT: Final = "单位"
_PLAIN: Final = (Step(None, "text"),)
_VIEW_NAMES: Final = {"records_uploaded": "records", "scheduled_records": "records"}
"""Of printed columns that have another name in the view."""


def printed(kind: UnitKind) -> dict[str, str]:
    """By printed heading, the column of `bulletin_month`, for all columns of both printed forms."""
    columns = {column.name: column for form in Form for column in form.columns(kind)}
    return {column.heading_zh: _VIEW_NAMES.get(name, name) for name, column in columns.items()}


def missing(kind: UnitKind) -> dict[str, str]:
    """By printed heading, what is printed where there is no number."""
    return {column.heading_zh: column.absent.value for form in Form for column in form.columns(kind) if column.absent.value}


def month() -> Dashboard:
    """Two tables as they are printed."""
    titles = {UnitKind.DISTRICT: "各区数据采集情况 · Districts", UnitKind.HOSPITAL: "医院数据采集情况 · Hospitals"}
    panels: list[Panel] = [
        sql_number(
            "平台时钟 · Platform clock",
            "Platform time up to which the running month is shown; a month before it is read again in its turn.",
            "SELECT clock FROM dashboard_moment",
            "dateTimeAsIso",
            Place(0, 0, 8, 4),
            _PLAIN,
        ),
        sql_number(
            "全市记录数 · Records in the city",
            "Records of scheduled uploads in the month, all units.",
            f"SELECT sum(records) AS records FROM bulletin_month WHERE {MONTH}",
            "short",
            Place(8, 0, 8, 4),
            _PLAIN,
        ),
        sql_number(
            "本月无数据单位 · Units without any record",
            "Units of the month without a scheduled record.",
            f"SELECT count(*) AS units FROM bulletin_month WHERE {MONTH} AND records = 0",
            "short",
            Place(16, 0, 8, 4),
            (Step(None, "green"), Step(1, "orange")),
        ),
        *(
            sql_rows(
                title,
                "The bulletin's numbers, of the running month so far. A cell without a number was never declared or carried: "
                "that is not 0.",
                bulletin_of(kind, f"kind = '{kind}'"),
                Place(0, 4 + 16 * index, 24, 16),
                missing=missing(kind),
            )
            for index, (kind, title) in enumerate(titles.items())
        ),
    ]
    return board("hipwatch-month", "月报数据采集 · Month", "The bulletin's tables, month by month.", panels, LEDGER, CHOSEN)


def bulletin_of(kind: UnitKind, units: str) -> str:
    """The rows of the chosen month, with the printed columns of `kind`, of the units that the condition `units` chooses."""
    columns = ", ".join(f'{column} AS "{heading}"' for heading, column in printed(kind).items())
    named = f'SELECT name_zh AS "{UNIT}", {columns} FROM bulletin_month'
    return f"{named} WHERE {MONTH} AND {units} ORDER BY records DESC, place"
