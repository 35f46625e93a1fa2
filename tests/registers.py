"""Registers for tests: as folders of files, from the one that ships or made up."""

import csv
import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schemas.register.folder import SHIPPED

SHIPPED_UNITS: Final = 52


def copy_shipped(folder: Path) -> Path:
    """A folder with the register that ships, to be changed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in SHIPPED.glob("*.csv"):
        shutil.copy(path, folder / path.name)
    return folder


def change_unit(folder: Path, which: str, /, **cells: str) -> None:
    """Set cells of one unit; a unit that is not there is added."""
    rows = read_rows(folder / "units.csv")
    found = next((row for row in rows if row["unit_id"] == which), None)
    if found is None:
        found = dict.fromkeys(rows[0], "") | {"unit_id": which}
        rows.append(found)
    found.update(cells)
    write_rows(folder / "units.csv", rows)


def remove_unit(folder: Path, unit_id: str) -> None:
    """Take one unit out."""
    write_rows(folder / "units.csv", [row for row in read_rows(folder / "units.csv") if row["unit_id"] != unit_id])


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """Put a CSV file in the place of another, at once, as an editor or a deployment does."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    new = path.with_suffix(".new")
    new.write_text(text.getvalue(), encoding="utf-8")
    new.replace(path)


def edit(folder: Path, name: str, changes: Mapping[str, str]) -> None:
    """Replace texts of a file; each must be there."""
    text = (folder / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding="utf-8")
