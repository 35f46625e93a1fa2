"""What a message says."""

from datetime import timedelta

import pytest

from monitor.paging.message import MessageKind, Now, Severity
from monitor.paging.wording import Language, Wording, word
from tests.unit.monitor.paging.messages import NOON, NOW, PAGE_URL, make_item, make_message, make_units


def worded(message: object = None, language: Language = Language.ZH, now: Now = NOW) -> Wording:
    return word(message or make_message(), language, PAGE_URL, now)  # type: ignore[arg-type]


def test_one_silent_unit_is_told_with_its_facts_and_what_to_do() -> None:
    said = worded(make_message(make_item(owed_zh="9月9日起的实时数据", contact="信息科 025-12345678")))
    assert said.title == "【告警】秦淮区 实时上传中断"
    assert said.facts == (
        "自 9月10日 12:00 起，已 2 小时 15 分（北京时间）",
        "最近一次上传：9月10日 10:00",
        "欠缺：9月9日起的实时数据",
    )
    assert said.tail[0].startswith("请说：贵单位实时上传已超过时限未到")
    assert said.tail[1] == "联系：信息科 025-12345678"
    assert [link.url for link in said.links] == [
        f"{PAGE_URL}/",
        f"{PAGE_URL}/runbooks/UnitFeedSilent",
        f"{PAGE_URL}/incidents/1",
    ]


def test_since_when_is_alive_and_told_in_platform_time() -> None:
    later = Now(wall=NOW.wall + timedelta(days=800), platform=NOON + timedelta(days=2, hours=3))
    assert "已 2 天 3 小时（北京时间）" in worded(make_message(created_at=later.wall), now=later).facts[0]


def test_while_the_platform_clock_stands_still_a_silence_grows_no_longer() -> None:
    later = Now(wall=NOW.wall + timedelta(hours=5), platform=NOW.platform)
    assert "已 2 小时 15 分" in worded(make_message(created_at=later.wall), now=later).facts[0]


def test_the_recovery_has_a_text_of_its_own() -> None:
    item = make_item(until=NOON + timedelta(hours=2, minutes=32), owed_zh="9月10日 12:00 至 14:32 的数据")
    said = worded(make_message(item, kind=MessageKind.RECOVERED))
    assert said.title == "【恢复】秦淮区 实时上传已恢复"
    assert said.facts == (
        "9月10日 12:00 至 9月10日 14:32，历时 2 小时 32 分（北京时间）",
        "请核对补传：9月10日 12:00 至 14:32 的数据",
    )
    assert said.tail == ()
    assert len(said.links) == 2, "there is nothing to acknowledge any more"


def test_several_units_are_one_list_and_the_rest_is_counted() -> None:
    said = worded(make_message(*make_units(72)))
    assert said.title == "【告警】72 家单位 实时上传中断"
    assert len(said.items) == 72
    assert said.items[0] == "第1家很长名字的医院：自 9月10日 12:00 起，已 2 小时 15 分"
    assert said.more(61) == "…等 61 家"
    assert said.links[-1].url == f"{PAGE_URL}/incidents"


def test_both_languages_say_the_same_chinese_first() -> None:
    said = worded(make_message(*make_units(2)), Language.BOTH)
    assert said.title == "【告警】2 家单位 实时上传中断 / [ALERT] 2 units realtime feed silent"
    assert said.more(61) == "…等 61 家 / …and 61 more"


def test_english_alone() -> None:
    said = worded(language=Language.EN)
    assert said.title == "[ALERT] Qinhuai District realtime feed silent"
    assert said.facts[0] == "since 10 Sep 12:00, 2 h 15 min so far (Beijing time)"


@pytest.mark.parametrize(("severity", "title"), [(Severity.PAGE, "【告警】"), (Severity.TICKET, "【提示】")])
def test_a_page_is_told_from_a_ticket(severity: Severity, title: str) -> None:
    assert worded(make_message(severity=severity)).title.startswith(title)


def test_an_alert_that_nobody_wrote_a_text_for_is_told_by_its_summary() -> None:
    item = make_item(unit_id=None, name_zh="", summary_zh="机房时钟偏差 3 秒", since=NOON, platform_time=False, last_upload=None)
    said = worded(make_message(item, alertname="ClockOfTheRoom", scope="monitor"))
    assert said.title == "【告警】机房时钟偏差 3 秒"
    assert "机房时钟偏差 3 秒" in said.facts


def test_a_message_that_waited_says_so_and_one_that_may_be_a_repetition_too() -> None:
    said = worded(make_message(created_at=NOW.wall - timedelta(hours=6), repeated=True))
    assert "本消息生成于 9月10日 08:15，因通道故障迟到 6 小时" in said.facts
    assert any("第 7 号" in fact and "可能重复" in fact for fact in said.facts)


def test_a_reminder_lists_what_nobody_has_acknowledged() -> None:
    said = worded(make_message(make_item(), kind=MessageKind.REMINDER, alertname=""))
    assert said.title == "【未确认】1 个事件仍未处理"
    assert said.items == ("秦淮区 实时上传：自 9月10日 12:00 起，已 2 小时 15 分",)


def test_text_of_others_stays_on_its_line_and_cannot_turn_it() -> None:
    said = worded(make_message(make_item(name_zh="秦淮\n【恢复】\u202e区\x1b[31m")))
    assert said.title == "【告警】秦淮 【恢复】\\u202e区\\x1b[31m 实时上传中断"


def test_without_a_page_there_are_no_links() -> None:
    assert word(make_message(), Language.ZH, "", NOW).links == ()


def test_a_start_in_the_last_year_that_a_calendar_knows_is_told_all_the_same() -> None:
    far = NOON.replace(year=9999, month=12, day=31, hour=23)
    assert "9990年" in worded(make_message(make_item(since=far, platform_time=False))).facts[0]


def test_a_failure_of_ours_is_told_with_the_part_that_it_names() -> None:
    item = make_item(unit_id=None, name_zh="", summary_zh="hip.cda-documents.v1 入账已滞后 3分30秒")
    said = worded(make_message(item, alertname="LagGrows", scope="topic"))
    assert said.title == "【告警】入账滞后且在扩大"
    assert "hip.cda-documents.v1 入账已滞后 3分30秒" in said.facts
    assert not any("上传中断：" in fact for fact in worded(make_message(make_item())).facts), "a unit's title says it all"
