"""What is said about each alert: its title when it opens and when it is over, what to say and whom to ask. Core.

An alert that is not listed is told by its own summary; nothing is ever left out for want of a text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from monitor.counting.feeds import FEED_ZH

FEEDS_ZH: Final[Mapping[str, str]] = MappingProxyType({feed.value: name for feed, name in FEED_ZH.items()})
FEEDS_EN: Final[Mapping[str, str]] = MappingProxyType({"scheduled": "scheduled feed", "realtime": "realtime feed"})


@dataclass(frozen=True)
class AlertText:
    """`{feed}` stands for the feed's name. `over_*` is the title of the recovery, `say_*` the words for the telephone."""

    title_zh: str
    title_en: str
    over_zh: str
    over_en: str
    say_zh: str
    say_en: str
    whom_zh: str = "平台值班运维"
    whom_en: str = "the platform's operator on duty"


_AT_UNIT: Final = {"whom_zh": "单位信息科值班", "whom_en": "the unit's IT desk"}
_OURS: Final = "这是监测平台自身故障，请勿联系各单位；各单位告警已暂停更新。"
_OURS_EN: Final = "This is the monitor's own failure: do not call the units, their alerts are on hold."

_NOT_COUNTED: Final = "数据未在入账，平台时钟停住，不会误报各单位；请勿联系各单位，按处置手册恢复即可，数据不会丢失。"
_NOT_COUNTED_EN: Final = "Nothing is counted and the clock stands still, so no unit is blamed: do not call them. Nothing is lost."

_TEXTS: Final[Mapping[str, AlertText]] = MappingProxyType(
    {
        "UnitFeedSilent": AlertText(
            "{feed}中断",
            "{feed} silent",
            "{feed}已恢复",
            "{feed} is back",
            "贵单位{feed}已超过时限未到，请检查前置机、网络与上传程序；恢复后请补传所缺数据。",
            "Your {feed} is past its deadline: please check the front-end machine, the network and the uploader, then re-send.",
            **_AT_UNIT,
        ),
        "UnitNeverSeen": AlertText(
            "已登记但从未上传",
            "registered but never seen",
            "已首次上传",
            "seen for the first time",
            "贵单位已在平台登记，但从未收到任何数据，请确认上传程序是否启用、单位代码是否正确。",
            "Your unit is registered but nothing ever arrived: is the uploader switched on, is the unit's code right?",
            **_AT_UNIT,
        ),
        "UnitFeedNeverSeen": AlertText(
            "从未有过{feed}",
            "never seen on the {feed}",
            "首次出现{feed}",
            "first seen on the {feed}",
            "贵单位从未有过{feed}，请确认该通道是否启用。",
            "Nothing ever arrived from your unit on the {feed}: is it switched on?",
            **_AT_UNIT,
        ),
        "SequenceGapsOpen": AlertText(
            "上传序号缺失",
            "sequence numbers missing",
            "缺失序号已补齐",
            "missing numbers have arrived",
            "贵单位上传序号不连续，请按监测页所列序号补传。",
            "Numbers are missing from your sequence: please re-send those that the monitor's page lists.",
            **_AT_UNIT,
        ),
        "FeedSilentEverywhere": AlertText(
            "全市{feed}中断",
            "{feed} silent everywhere",
            "全市{feed}已恢复",
            "{feed} is back everywhere",
            "多为平台侧原因：请先查平台接收服务与网络，不要逐家通知。",
            "Most likely the platform's side: check its receiving service and network first, do not call unit by unit.",
        ),
        "UnitsOutTogether": AlertText(
            "多家单位同时中断",
            "Many units silent together",
            "同时中断的单位已恢复",
            "The units that were silent together are back",
            "多为平台、区平台或厂商侧原因：请先查共用的接收服务与网络，不要逐家通知。",
            "Most likely what they share: check the platform, the district or the vendor first, do not call unit by unit.",
        ),
        "MonitorDown": AlertText(
            "监测程序无应答", "hipwatch does not answer", "监测程序已恢复", "hipwatch answers again", _OURS, _OURS_EN
        ),
        "MonitorBlind": AlertText(
            "监测程序读不到台账",
            "hipwatch cannot read its ledger",
            "台账读取已恢复",
            "the ledger can be read again",
            _OURS,
            _OURS_EN,
        ),
        "MonitorStalled": AlertText(
            "数据未在入账", "nothing is being counted", "数据入账已恢复", "events are counted again", _OURS, _OURS_EN
        ),
        "NoWorker": AlertText(
            "没有消费进程（worker）在运行",
            "no worker answers",
            "消费进程（worker）已恢复",
            "a worker answers again",
            _NOT_COUNTED,
            _NOT_COUNTED_EN,
        ),
        "WorkerDown": AlertText(
            "有消费进程（worker）无应答",
            "a worker does not answer",
            "无应答的消费进程（worker）已恢复",
            "the worker answers again",
            "入账未停，其余进程已接管：请在下一个工作日查看该进程日志并重新启动。",
            "Counting goes on, the others have taken over: read its log and start it again on the next working day.",
        ),
        "WorkerRestarts": AlertText(
            "消费进程（worker）反复重启",
            "a worker starts again and again",
            "消费进程（worker）已不再重启",
            "the worker has stopped restarting",
            "请看该进程日志的最后一行：它写明停止的原因。",
            "Read the last line of its log: it says why the worker ends.",
        ),
        "BrokerAway": AlertText(
            "Kafka 无应答", "Kafka does not answer", "Kafka 已恢复应答", "Kafka answers again", _NOT_COUNTED, _NOT_COUNTED_EN
        ),
        "LedgerAway": AlertText(
            "台账数据库无法写入",
            "the ledger does not take what is read",
            "台账数据库已可写入",
            "the ledger takes what is read again",
            _NOT_COUNTED,
            _NOT_COUNTED_EN,
        ),
        "LagGrows": AlertText(
            "入账滞后且在扩大",
            "counting falls behind",
            "入账滞后已不再扩大",
            "counting has caught up or keeps up",
            "消费进程（worker）跟不上：请增加进程或查数据库；期间各单位的中断会晚报。",
            "The workers do not keep up: add some or look at the database. Silences are told late meanwhile.",
        ),
        "CanaryLate": AlertText(
            "探测事件未按时到达",
            "the canary is late",
            "探测事件已恢复到达",
            "the canary arrives again",
            _NOT_COUNTED,
            _NOT_COUNTED_EN,
        ),
        "DiskFullSoon": AlertText(
            "台账磁盘即将写满",
            "the ledger's disk is full soon",
            "台账磁盘已有余量",
            "the ledger's disk has room again",
            "请尽快清理或扩容台账所在磁盘；写满后停止入账，已入账的数据不会丢失。",
            "Make room on the ledger's disk: once it is full nothing is counted. What was counted is safe.",
        ),
        "CodecUnreadable": AlertText(
            "整批消息无法解压",
            "batches that nobody can unpack",
            "已无无法解压的消息",
            "what comes can be unpacked again",
            "有整批消息损坏，未入账：请通知缺号的单位重发，多家同时出现时先查共用的网关。",
            "Whole batches arrived broken and are not counted: have the units with missing numbers send them again.",
        ),
        "FindingsOpen": AlertText(
            "数据质量问题",
            "findings on what the units deliver",
            "数据质量问题已恢复",
            "findings are closed",
            "不必立即处理：按 hipwatch calls 的名单逐家电话，下一个工作日完成。",
            "Not urgent: call the units that `hipwatch calls` lists on the next working day.",
        ),
        "PagingDown": AlertText(
            "告警链路中断（Prometheus 或 Alertmanager）",
            "Prometheus or Alertmanager has stopped",
            "告警链路已恢复",
            "Prometheus and Alertmanager are back",
            "此前已开的事件不会自动关闭；新的中断可能不会报出，请尽快恢复告警链路。",
            "Open incidents stay open; new silences may go unreported until Prometheus and Alertmanager are back.",
        ),
        "DeliveryRefused": AlertText(
            "有告警投递被拒收",
            "a delivery of alerts was refused",
            "告警投递已正常",
            "deliveries are taken again",
            "投递过大，未能入账：请在 Alertmanager 页面查看全部告警。",
            "The delivery was too large to take in: look at all alerts on Alertmanager's own page.",
        ),
    }
)


def alert_text(alertname: str) -> AlertText | None:
    """The text of an alert, or None for one that is told by its own summary."""
    return _TEXTS.get(alertname)
