"""The day in words and as JSON is a reviewed golden file: a busy day with all that there is to tell, and a quiet one.

After a wanted change of the words: `python -m tests.unit.monitor.judgement.test_daily_summary` writes the file anew; read the
difference before it is committed.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from monitor.judgement.call_list import call_list
from monitor.judgement.daily_summary import DailySummary, OurHealth, summary_lines, summary_values
from monitor.judgement.findings import Finding
from monitor.judgement.rules.verdict import Text
from schemas.events import UnitId
from schemas.register import load_register
from tests.factories import HOSPITAL, NOON
from tests.unit.monitor.judgement.examples import DROP, FOR_INFORMATION, LADDER, SILENT, TODAY
from tests.unit.monitor.judgement.goldens import differences, write

GOLDEN: Final = "summaries.json"
REGISTER: Final = load_register()
HOUR: Final = timedelta(hours=1)
OF_HOSPITAL: Final = replace(LADDER, unit_id=HOSPITAL, evidence={"tables": ["C0002", "C0004"]}, since=TODAY - timedelta(days=3))
OF_THE_CITY: Final = replace(DROP, rule="tables_dead_everywhere", unit_id=None, feed=None, what=Text("多家停传", "many are dead"))
OF_A_FORMER_RULE: Final = replace(DROP, rule="former_rule", opened_at=NOON - 5 * HOUR, updated_at=NOON - 2 * HOUR)
OF_A_FORMER_UNIT: Final = replace(SILENT, unit_id=UnitId("demolished-hospital"), closed_at=NOON - HOUR)
UNITS: Final = list(REGISTER.units)


def summary(**overrides: Any) -> DailySummary:
    values: dict[str, Any] = {
        "until": NOON,
        "opened": [],
        "closed": [],
        "open": [LADDER],
        "calls": [],
        "onboarding": [],
        "health": OurHealth(NOON, NOON, 3, 0, 7),
        "register": REGISTER,
    }
    return DailySummary(**{**values, **overrides})


def busy() -> DailySummary:
    """Seven units to call, of which five are named; nine new ones, of which eight are."""
    opened = [SILENT, LADDER, OF_A_FORMER_RULE, DROP, FOR_INFORMATION, OF_THE_CITY, OF_HOSPITAL]
    others = [replace(DROP, unit_id=unit_id, lost=place) for place, unit_id in enumerate(UNITS[20:24])]
    still_open: list[Finding] = [*opened, *others, OF_A_FORMER_UNIT]
    return summary(
        opened=opened,
        closed=[OF_A_FORMER_UNIT, replace(DROP, closed_at=NOON - HOUR)],
        open=still_open,
        calls=call_list(still_open, {DROP.key: 4, SILENT.key: 2}, REGISTER, TODAY),
        onboarding=list("甲乙丙丁戊己庚辛壬"),
        health=OurHealth(NOON + HOUR, NOON, 13, 5, 7),
    )


def told() -> dict[str, dict[str, Any]]:
    nothing_counted = summary(open=[], health=OurHealth(None, None))
    return {
        "a busy day": summary_values(busy()),
        "a quiet day": summary_values(summary()),
        "nothing counted yet": summary_values(nothing_counted),
    }


def test_what_is_told_is_what_was_reviewed() -> None:
    assert not differences(told(), GOLDEN)


def test_what_is_only_for_information_leaves_a_day_quiet() -> None:
    assert summary(opened=[FOR_INFORMATION]).quiet
    assert not summary(opened=[DROP]).quiet
    assert not summary(closed=[DROP]).quiet
    assert not summary(onboarding=["甲"]).quiet
    assert not summary(health=OurHealth(NOON, NOON, unknown_senders=1)).quiet


def test_first_day_of_a_ledger_is_not_told_finding_by_finding() -> None:
    def new(count: int) -> list[Text]:
        many = [replace(DROP, feed=str(number)) for number in range(count)]
        return [line for line in summary_lines(summary(opened=many)) if line.zh.startswith("[新]")]

    assert len(new(15)) == 15
    assert new(16)[15:] == [Text("[新] 等 16 项", "[new] and 1 more")]
    assert new(40)[15:] == [Text("[新] 等 40 项", "[new] and 25 more")]


def test_eight_new_units_are_all_named() -> None:
    lines = summary_lines(summary(onboarding=list("甲乙丙丁戊己庚辛")))
    assert Text("新接入 8 家:甲, 乙, 丙, 丁, 戊, 己, 庚, 辛", "onboarding, 8 units: 甲, 乙, 丙, 丁, 戊, 己, 庚, 辛") in lines


if __name__ == "__main__":
    write(told(), GOLDEN)
