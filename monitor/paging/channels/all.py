"""Which channel a kind of target has. Core."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from monitor.paging.channels.channel import Channel
from monitor.paging.channels.dingtalk import DingTalk
from monitor.paging.channels.feishu import Feishu
from monitor.paging.channels.mail import MailChannel
from monitor.paging.channels.webhook import Webhook
from monitor.paging.channels.wecom import WeCom
from monitor.paging.target import Kind

CHANNELS: Final[Mapping[Kind, Channel]] = MappingProxyType(
    {
        Kind.DINGTALK: DingTalk(),
        Kind.WECOM: WeCom(),
        Kind.FEISHU: Feishu(),
        Kind.WEBHOOK: Webhook(),
        Kind.MAIL: MailChannel(),
    }
)
