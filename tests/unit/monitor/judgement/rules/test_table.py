from pathlib import Path
from typing import Final

from monitor.judgement.rules.table import rules_table

DOCUMENT: Final = Path(__file__).parents[5] / "docs" / "findings.md"


def test_the_documented_rules_are_the_rules() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text.split("<!-- rules -->\n")[1].split("<!-- end of rules -->")[0]
    assert shown == rules_table(), "write it anew: python -m monitor.judgement.rules.table"
