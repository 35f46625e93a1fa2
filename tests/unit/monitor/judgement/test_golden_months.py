"""The findings of January 2020 and September 2024 are a reviewed golden file, and hold what the printed months show.

After a wanted change of the rules: `python -m tests.unit.monitor.judgement.test_golden_months` writes the files anew; read the
difference before it is committed.
"""

from functools import cache
from typing import Any, Final

import pytest

from monitor.judgement.rules.evaluation import evaluate
from tests.unit.monitor.judgement.goldens import differences, write
from tests.unit.monitor.judgement.months import month_facts

MONTHS: Final = ("2020-01", "2024-09")


@cache
def findings(name: str) -> list[dict[str, Any]]:
    found = []
    for verdict in evaluate(month_facts(name)).verdicts:
        said = {"rule": verdict.rule, "unit": verdict.unit_id, "feed": verdict.feed, "severity": verdict.severity}
        found.append({**said, "since": str(verdict.since), "what": verdict.what.zh, "lost": verdict.lost})
    return found


def units(name: str, rule: str) -> set[str]:
    return {str(found["unit"]) for found in findings(name) if found["rule"] == rule}


@pytest.mark.parametrize("name", MONTHS)
def test_findings_are_those_that_were_reviewed(name: str) -> None:
    assert not differences(findings(name), f"findings-{name}.json")


def test_what_january_2020_shows_is_found() -> None:
    assert units("2020-01", "almost_silent") == {"qinhuai"}
    assert units("2020-01", "tables_without_records") == {"nj-occupational-disease-hospital"}
    assert {"nj-brain-hospital", "nj-children-hospital", "js-tcm-hospital"} <= units("2020-01", "declared_not_uploaded")
    assert len(units("2020-01", "never_declared")) == 7
    assert units("2020-01", "implausible_ratio") == {"nj-first-hospital"}
    (missing,) = [f for f in findings("2020-01") if f["rule"] == "missing_days" and f["unit"] == "js-tcm-hospital"]
    assert "21/31" in missing["what"]
    assert missing["severity"] == "ticket"


def test_what_september_2024_shows_is_found() -> None:
    stragglers = {f["unit"] for f in findings("2024-09") if f["rule"] == "never_uploaded" and f["severity"] == "ticket"}
    assert {"qinhuai", "eastern-theater-qinhuai-branch"} <= stragglers  # neither has anything in a ledger that begins here
    assert units("2024-09", "feed_dead") == {"taikang-xianlin-hospital", "eastern-theater-air-force-hospital"}
    few_forms = {f["unit"]: f["what"] for f in findings("2024-09") if f["rule"] == "forms_never_sent"}
    assert "3/11" in few_forms["nj-tcm-hospital"]
    assert "5/11" in few_forms["nj-jiangbei-hospital"]
    assert "6/11" in few_forms["jiangbei"]
    (jiangning,) = [f for f in findings("2024-09") if f["rule"] == "missing_days" and f["unit"] == "jiangning-tcm-hospital"]
    assert "19/30" in jiangning["what"]
    assert units("2024-09", "revenue_without_visits") == {"nj-first-hospital", "jiangning-hospital", "nj-jiangbei-hospital"}
    assert len(units("2024-09", "revenue_without_discharges")) == 17
    assert "jiangning-tcm-hospital" in units("2024-09", "implausible_ratio")


@pytest.mark.parametrize("name", MONTHS)
def test_no_unit_that_uploaded_every_day_is_called_silent_or_dead(name: str) -> None:
    city = month_facts(name)
    every_day = {unit_id for unit_id, month in city.months.items() if len(month.upload_days) == len(city.period.days)}
    about_silence = {"silent", "nothing_this_month", "tables_without_records", "almost_silent", "never_uploaded"}
    assert every_day
    assert not {found["unit"] for found in findings(name) if found["rule"] in about_silence} & every_day


if __name__ == "__main__":
    for month in MONTHS:
        write(findings(month), f"findings-{month}.json")
