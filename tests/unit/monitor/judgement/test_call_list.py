from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from monitor.judgement.call_list import call_list, urgency
from monitor.judgement.daily_summary import DailySummary, OurHealth, summary_lines, summary_values
from monitor.judgement.findings import Finding
from monitor.judgement.rules.verdict import Severity, Text
from schemas.register import Register
from tests.factories import HOSPITAL, NOON, OTHER_UNIT, UNIT

TODAY: Final = date(2024, 9, 10)
DROP: Final = Finding(
    "sudden_drop", UNIT, "scheduled", NOON, Severity.TICKET, TODAY - timedelta(days=2), NOON,
    Text("骤降", "dropped"), Text("请核对", "check"), {}, 1_000, 5.0,
)  # fmt: skip
SILENT: Final = replace(
    DROP, rule="silent", severity=Severity.PAGE, unit_id=OTHER_UNIT, unusual=10.0, what=Text("中断", "silent")
)
LADDER: Final = replace(DROP, rule="declared_not_uploaded", unusual=2.5, lost=0, since=TODAY - timedelta(days=300))
FOR_INFORMATION: Final = replace(DROP, rule="never_declared", severity=Severity.SUMMARY, unit_id=HOSPITAL)


def test_one_line_a_unit_most_urgent_first(register: Register) -> None:
    calls = call_list([LADDER, DROP, SILENT, FOR_INFORMATION], {}, register, TODAY)
    assert [call.unit_id for call in calls] == [OTHER_UNIT, UNIT]
    assert calls[1].findings == [DROP, LADDER]
    assert calls[1].line == Text("骤降(另有 1 项)", "dropped (and 1 more)")
    assert (calls[1].since, calls[1].lost) == (LADDER.since, 1_000)


def test_more_lost_stranger_longer_and_oftener_is_more_urgent() -> None:
    usual = urgency(DROP, 1, TODAY)
    assert urgency(replace(DROP, lost=1_000_000), 1, TODAY) > usual
    assert urgency(replace(DROP, unusual=9.0), 1, TODAY) > usual
    assert urgency(replace(DROP, since=TODAY - timedelta(days=6)), 1, TODAY) > usual
    assert urgency(DROP, 4, TODAY) > usual
    assert urgency(replace(DROP, severity=Severity.PAGE), 1, TODAY) > usual


def test_old_sores_come_after_what_is_new() -> None:
    assert urgency(replace(DROP, since=TODAY - timedelta(days=60)), 1, TODAY) < urgency(DROP, 1, TODAY)


def test_finding_of_the_whole_city_is_the_platforms_own_call(register: Register) -> None:
    (call,) = call_list([replace(DROP, unit_id=None)], {}, register, TODAY)
    assert call.name == Text("平台", "the platform")


def summary(register: Register, **overrides: Any) -> DailySummary:
    values: dict[str, Any] = {
        "until": NOON,
        "opened": [],
        "closed": [],
        "open": [LADDER],
        "calls": [],
        "onboarding": [],
        "health": OurHealth(NOON, NOON, 3, 0, 7),
        "register": register,
    }
    return DailySummary(**{**values, **overrides})


def test_quiet_day_says_so_in_three_lines(register: Register) -> None:
    lines = summary_lines(summary(register))
    assert len(lines) == 3
    assert "平静" in lines[0].zh
    assert "quiet" in lines[0].en
    assert "工单 1" in lines[1].zh
    assert "死信 3" in lines[2].zh


def test_what_is_only_for_information_leaves_a_day_quiet(register: Register) -> None:
    assert summary(register, opened=[FOR_INFORMATION]).quiet
    assert not summary(register, opened=[DROP]).quiet
    assert not summary(register, closed=[DROP]).quiet


def test_summary_says_what_changed_whom_to_call_and_who_is_new(register: Register) -> None:
    calls = call_list([DROP], {}, register, TODAY)
    busy = summary(
        register,
        opened=[DROP, FOR_INFORMATION],
        closed=[replace(SILENT, closed_at=NOON)],
        calls=calls,
        onboarding=["甲", "乙"],
        health=OurHealth(NOON, NOON, 3, 5, 7),
    )
    text = "\n".join(line.zh for line in summary_lines(busy))
    for part in (
        "[新] 上传量骤降",
        "另有 1 项知会",
        "[恢复] 中断",
        "致电 1. 鼓楼区",
        "新接入 2 家:甲, 乙",
        "未登记的发送方:5 条消息",
    ):
        assert part in text


def test_summary_as_json_holds_the_same(register: Register) -> None:
    values = summary_values(summary(register, opened=[DROP]))
    assert values["quiet"] is False
    assert values["opened"][0]["rule"] == "sudden_drop"
    assert values["open"] == {"by_severity": {"ticket": 1}, "by_unit": {UNIT: 1}}
    assert values["lines"]["en"][0].endswith("something changed")


def test_first_day_of_a_ledger_is_not_told_finding_by_finding(register: Register) -> None:
    many = [replace(DROP, feed=str(number)) for number in range(40)]
    lines = [line.zh for line in summary_lines(summary(register, opened=many)) if line.zh.startswith("[新]")]
    assert len(lines) == 16
    assert lines[-1] == "[新] 等 40 项"
