"""What the bulletins print, as the files say it, and what a report says: both as plain text per cell."""

import csv
import json
from pathlib import Path
from typing import Any, Final

from ingest.scenario import SHIPPED
from schemas.bulletin.printed_month import FILES
from schemas.register import UnitKind, load_register

CELLS: Final = {"2020-01": 295, "2024-09": 408}
_FLAGS: Final = ("declared_feedback", "outpatient_revenue_reported", "inpatient_revenue_reported")
Cells = dict[tuple[str, str], str]


def printed(month: str) -> Cells:
    """Every printed cell of a shipped month."""
    cells = cells_in(SHIPPED / month)
    assert len(cells) == CELLS[month]
    return cells


def cells_in(folder: Path) -> Cells:
    """Every printed cell of a scenario folder by unit id and column. What is absent is ''."""
    cells: Cells = {}
    for name in FILES.values():
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                unit = load_register().unit_named(row["unit"])
                assert unit is not None
                for column, text in row.items():
                    if column not in ("rank", "unit", *_FLAGS):
                        cells[unit.unit_id, column] = _canonical(text)
    return cells


def reported(text: str, like: Cells) -> Cells:
    """The same cells in the output of `hipwatch report --format json`."""
    report = json.loads(text)
    rows = {row["unit_id"]: row for kind in (UnitKind.DISTRICT, UnitKind.HOSPITAL) for row in report[f"{kind}s"]}
    return {(unit_id, column): _plain(rows[unit_id][column]) for unit_id, column in like}


def copy_of(month: str, folder: Path) -> Path:
    """The files of a shipped month in a folder of its own, to be changed."""
    folder.mkdir(parents=True)
    for name in FILES.values():
        (folder / name).write_bytes((SHIPPED / month / name).read_bytes())
    return folder


def _canonical(text: str) -> str:
    if text in ("", "/", "未反馈"):
        return ""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(value: Any) -> str:
    return "" if isinstance(value, dict) else _canonical(str(value))
