"""The columns and cells of the printed bulletin. Core, read by both sides.

The columns of 2020 and of 2024 differ. A cell is one unit × one printed column; a flag column (`declared_feedback`,
`*_reported`) belongs to the cell beside it, so that 未反馈 and `/` are values of that cell, and neither equals 0.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from typing import Final

from schemas.register import UnitKind

CENTS_PER_KCNY: Final = 100_000
"""Thousand yuan are printed, cents are stored."""


class Absent(Enum):
    """What is printed where there is no number. Neither is 0."""

    NOT_DECLARED = "未反馈"
    NOT_REPORTED = "/"
    EMPTY = ""


Cell = int | Decimal | Absent
"""A count, an amount in thousand yuan, or why there is none."""


@dataclass(frozen=True, slots=True)
class Column:
    """A printed column. `flag` names the column that says `no` where the cell is `absent`; `money` is in thousand yuan."""

    name: str
    heading_zh: str
    heading_en: str
    money: bool = False
    flag: str | None = None
    absent: Absent = Absent.EMPTY


_DECLARED: Final = Column(
    "tables_declared", "申明上传表", "Tables declared", flag="declared_feedback", absent=Absent.NOT_DECLARED
)
_VISITS: Final = Column("outpatient_visits", "门急诊人次", "Outpatient visits")
_DISCHARGES: Final = Column("discharges", "出院人次", "Discharges")
_HOSPITAL_2020: Final = (
    _DECLARED,
    Column("tables_required", "规定上传表", "Tables required"),
    Column("tables_uploaded", "已上传表（CDA文档）", "Tables uploaded (CDA documents)"),
    Column("records_uploaded", "数据上传量", "Records uploaded"),
    Column("upload_days", "数据上传天数", "Upload days"),
    _VISITS,
    _DISCHARGES,
)
_DISTRICT_2020: Final = (
    *_HOSPITAL_2020,
    Column("health_records_base", "健康档案累计（基本档案）", "Health records, base"),
    Column("health_records_hypertension", "健康档案累计（高血压）", "Health records, hypertension"),
    Column("health_records_diabetes", "健康档案累计（糖尿病）", "Health records, diabetes"),
)
_BOTH_2024: Final = (
    Column("scheduled_records", "定时数据上传量", "Scheduled records"),
    Column("realtime_days", "实时数据上传天数", "Realtime days"),
    Column("realtime_forms_uploaded", "实时数据表单上传情况", "Realtime forms uploaded"),
    Column("realtime_forms_required", "实时数据表单规定数", "Realtime forms required"),
    _VISITS,
    Column(
        "outpatient_revenue_kcny",
        "门急诊收入（千元）",
        "Outpatient revenue (thousand yuan)",
        True,
        "outpatient_revenue_reported",
        Absent.NOT_REPORTED,
    ),
    _DISCHARGES,
    Column(
        "inpatient_revenue_kcny",
        "住院收入（千元）",
        "Inpatient revenue (thousand yuan)",
        True,
        "inpatient_revenue_reported",
        Absent.NOT_REPORTED,
    ),
)


class Form(Enum):
    """The two forms in which the bulletin has been printed, named after the years in which they were seen."""

    Y2020 = "2020"
    Y2024 = "2024"

    def columns(self, kind: UnitKind) -> tuple[Column, ...]:
        """The printed columns for units of `kind`, in print order, without rank and name."""
        if self is Form.Y2024:
            return _BOTH_2024
        return _DISTRICT_2020 if kind is UnitKind.DISTRICT else _HOSPITAL_2020


def format_cell(value: Cell) -> str:
    """The cell as printed: plain digits, amounts with up to two decimals, 未反馈 or `/`."""
    if isinstance(value, Absent):
        return value.value
    if isinstance(value, int):
        return str(value)
    text = f"{value.quantize(Decimal('0.01'), ROUND_HALF_UP):f}"
    return text.rstrip("0").rstrip(".")
