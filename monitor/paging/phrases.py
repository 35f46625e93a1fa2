"""The phrases of both languages that every message is made of. Core.

A phrase is a format string; its fields are named. What is particular to an alert stands in `alert_texts`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from monitor.paging.alert_texts import FEEDS_EN, FEEDS_ZH
from monitor.paging.durations import moment_en, moment_zh, span_en, span_zh


@dataclass(frozen=True)
class Phrases:
    """One language. `key` is the ending of its fields in messages and alert texts: `title_zh`, `title_en`."""

    key: Literal["zh", "en"]
    feeds: Mapping[str, str]
    span: Callable[[timedelta], str]
    moment: Callable[[datetime, datetime], str]
    page_mark: str = "【告警】{whom}{what}"
    ticket_mark: str = "【提示】{whom}{what}"
    recovered_mark: str = "【恢复】{whom}{what}"
    reminder: str = "【未确认】{count} 个事件仍未处理"
    units: str = "{count} 家单位"
    listed: str = "涉及（北京时间，久者在前）："
    listed_recovered: str = "以下已恢复（北京时间）："
    so_far: str = "自 {since} 起，已 {age}"
    lasted: str = "{since} 至 {until}，历时 {age}"
    beijing: str = "{text}（北京时间）"
    again: str = "（第 {count} 次）"
    again_fact: str = "同一事件第 {count} 次发生"
    last_upload: str = "最近一次上传：{moment}"
    owed: str = "欠缺：{text}"
    owed_recovered: str = "请核对补传：{text}"
    was: str = "此前：{text}"
    closed_by: str = "由 {text} 关闭"
    row: str = "{name}{feed}{again}：{lasted}"
    row_feed: str = " {feed}"
    more_units: str = "…等 {left} 家"
    more: str = "…等 {left} 项"
    say: str = "请说：{text}"
    call: str = "联系：{text}"
    late: str = "本消息生成于 {moment}，因通道故障迟到 {age}"
    repeated: str = "本消息（第 {number} 号）可能重复：上次发送时程序中断，结果不明"
    link_page: str = "监测页"
    link_runbook: str = "处置手册"
    link_handle: str = "确认/静默"


CHINESE: Final = Phrases("zh", FEEDS_ZH, span_zh, moment_zh)
ENGLISH: Final = Phrases(
    "en",
    FEEDS_EN,
    span_en,
    moment_en,
    page_mark="[ALERT] {whom}{what}",
    ticket_mark="[NOTICE] {whom}{what}",
    recovered_mark="[RECOVERED] {whom}{what}",
    reminder="[UNACKNOWLEDGED] {count} incidents are still open",
    units="{count} units",
    listed="Beijing time, longest first:",
    listed_recovered="Recovered (Beijing time):",
    so_far="since {since}, {age} so far",
    lasted="{since} to {until}, {age}",
    beijing="{text} (Beijing time)",
    again=" (time {count})",
    again_fact="Time {count} of the same incident",
    last_upload="Last upload: {moment}",
    owed="Owed: {text}",
    owed_recovered="Check the re-send: {text}",
    was="Was: {text}",
    closed_by="Closed by {text}",
    row="{name}{feed}{again}: {lasted}",
    row_feed=", {feed}",
    more_units="…and {left} more",
    more="…and {left} more",
    say="Say: {text}",
    call="Call: {text}",
    late="Written {moment}, {age} late: the channel was away",
    repeated="Message {number} may be a repetition: hipwatch was stopped while it was sent",
    link_page="Page",
    link_runbook="Runbook",
    link_handle="Acknowledge / mute",
)
