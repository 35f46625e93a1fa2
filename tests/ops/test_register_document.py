"""docs/register.md has every column that the code knows, and no other."""

import re
from pathlib import Path

import pytest

from schemas.register.columns import FILE_FORMS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "register.md").read_text(encoding="utf-8")


def test_every_file_has_its_section() -> None:
    assert set(re.findall(r"^## (\w+\.csv)$", DOCUMENT, flags=re.MULTILINE)) == set(FILE_FORMS)


@pytest.mark.parametrize("name", FILE_FORMS)
def test_the_documented_columns_are_those_of_the_code(name: str) -> None:
    section = DOCUMENT.split(f"## {name}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", section, flags=re.MULTILINE)
    assert [column for column, _ in rows] == list(FILE_FORMS[name].columns)
    assert {column for column, needed in rows if needed.strip() == "yes"} == FILE_FORMS[name].required
