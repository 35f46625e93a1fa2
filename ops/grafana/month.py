"""Month: the bulletin while it grows, with the print's headings. Core."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from ops.grafana.panels import Place, Step, board, number, rows
from schemas.bulletin.columns import Form
from schemas.register import UnitKind

METRIC_OF: Final = {
    "tables_declared": "hip_unit_month_tables_declared",
    "tables_required": "hip_unit_month_tables_required",
    "tables_uploaded": "hip_unit_month_tables_ever_uploaded",
    "records_uploaded": "hip_unit_month_records",
    "scheduled_records": "hip_unit_month_records",
    "upload_days": "hip_unit_month_upload_days",
    "outpatient_visits": "hip_unit_month_outpatient_visits",
    "discharges": "hip_unit_month_discharges",
    "realtime_days": "hip_unit_month_realtime_days",
    "realtime_forms_uploaded": "hip_unit_month_realtime_forms",
    "outpatient_revenue_kcny": 'hip_unit_month_revenue_yuan{source="outpatient"} / 1000',
    "inpatient_revenue_kcny": 'hip_unit_month_revenue_yuan{source="inpatient"} / 1000',
}
"""The metric of each printed column; health records and the number of required forms are no metrics."""


def columns(kind: UnitKind) -> dict[str, str]:
    """By printed heading, the query of each column of both printed forms."""
    printed = {column.name: column for form in Form for column in form.columns(kind)}
    named = f'* on (unit_id) group_left (name_zh) topk by (unit_id) (1, hip_unit_info{{kind="{kind}"}})'
    known = {column.heading_zh: METRIC_OF[name] for name, column in printed.items() if name in METRIC_OF}
    return {heading: f"max by (name_zh) ({metric} {named})" for heading, metric in known.items()}


def month() -> Dashboard:
    """Two tables as they will be printed."""
    titles = {UnitKind.DISTRICT: "各区数据采集情况 · Districts", UnitKind.HOSPITAL: "医院数据采集情况 · Hospitals"}
    money = {"门急诊收入（千元）": "locale", "住院收入（千元）": "locale"}
    panels = [
        number(
            "本月始于 · The month that is shown",
            "The month of the platform clock: a replayed month shows itself.",
            "hip_month_start_timestamp_seconds * 1000",
            "dateTimeAsIso",
            Place(0, 0, 8, 4),
            (Step(None, "text"),),
        ),
        number(
            "全市记录数 · Records in the city",
            "Records of scheduled uploads, this month, all units.",
            "sum(hip_unit_month_records)",
            "short",
            Place(8, 0, 8, 4),
            (Step(None, "text"),),
        ),
        number(
            "本月无数据单位 · Units without any record",
            "Registered units without a scheduled record this month.",
            "count(hip_unit_month_records == 0) or vector(0)",
            "short",
            Place(16, 0, 8, 4),
            (Step(None, "green"), Step(1, "orange")),
        ),
        *(
            rows(
                title,
                "The numbers of the bulletin so far. An empty cell was never carried: that is not 0.",
                columns(kind),
                "name_zh",
                Place(0, 4 + 16 * index, 24, 16),
                money,
            )
            for index, (kind, title) in enumerate(titles.items())
        ),
    ]
    return board("hipwatch-month", "月报数据采集 · Month", "The bulletin's tables while they grow.", panels)
